package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gap stands for any lines, and inside a line for any text.
const gap = "…"

// varies is what differs from run to run: names made of digests and addresses, each of which stands for one of the run's; and times.
var varies = regexp.MustCompile(`ami-[0-9a-f]{17}|\bg[0-9a-f]{12}\b|\b[0-9a-f]{12,64}\b|127\.0\.0\.1:[0-9]+|\b[0-9]+(\.[0-9])?m?s\b|` + gap)

// transcript knows what the README's names are called in this run.
type transcript struct{ known map[string]string }

// translate puts this run's names into what the README has.
func (s *transcript) translate(line string) string {
	return varies.ReplaceAllStringFunc(line, func(name string) string {
		if here, ok := s.known[name]; ok {
			return here
		}
		return name
	})
}

// match holds what was printed against what the README shows, and learns names from it. Blank lines and the width of columns do not count.
func (s *transcript) match(shown, printed []string) error {
	blank := func(line string) bool { return strings.TrimSpace(line) == "" }
	shown, printed = slices.DeleteFunc(shown, blank), slices.DeleteFunc(printed, blank)
	skip := false
	for _, want := range shown {
		if strings.TrimSpace(want) == gap {
			skip = true
			continue
		}
		at := slices.IndexFunc(printed, func(line string) bool { return s.line(want, line) })
		if at < 0 || at > 0 && !skip {
			return fmt.Errorf("the README shows:\n%s\nbut it is:\n%s", s.translate(want), strings.Join(printed, "\n"))
		}
		printed, skip = printed[at+1:], false
	}
	if len(printed) > 0 && !skip {
		return fmt.Errorf("the README does not show:\n%s", strings.Join(printed, "\n"))
	}
	return nil
}

func (s *transcript) line(want, line string) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	want = squeeze(want)
	var pattern strings.Builder
	var names []string
	end := 0
	for _, at := range varies.FindAllStringIndex(want, -1) {
		name := want[at[0]:at[1]]
		pattern.WriteString(regexp.QuoteMeta(want[end:at[0]]))
		end = at[1]
		switch here, known := s.known[name]; {
		case name == gap:
			pattern.WriteString(`.*`)
		case strings.HasSuffix(name, "s"):
			pattern.WriteString(`[0-9.]+m?s?`)
		case known:
			pattern.WriteString(regexp.QuoteMeta(here))
		default:
			names = append(names, name)
			pattern.WriteString(`(` + kind(name) + `)`)
		}
	}
	pattern.WriteString(regexp.QuoteMeta(want[end:]))
	found := regexp.MustCompile(`^` + pattern.String() + `$`).FindStringSubmatch(squeeze(line))
	if found == nil {
		return false
	}
	learned := map[string]string{}
	for i, name := range names {
		if before, ok := learned[name]; ok && before != found[i+1] || s.taken(found[i+1]) {
			return false
		}
		learned[name] = found[i+1]
	}
	for name, here := range learned {
		s.known[name] = here
	}
	return true
}

// taken says that another name of the README stands for this one already. Addresses are used again.
func (s *transcript) taken(here string) bool {
	if strings.Contains(here, ":") {
		return false
	}
	for _, known := range s.known {
		if known == here {
			return true
		}
	}
	return false
}

// kind is the pattern of names like this one.
func kind(name string) string {
	switch {
	case strings.HasPrefix(name, "ami-"):
		return `ami-[0-9a-f]{17}`
	case strings.HasPrefix(name, "g"):
		return `g[0-9a-f]{12}`
	case strings.Contains(name, ":"):
		return `127\.0\.0\.1:[0-9]+`
	}
	return fmt.Sprintf(`[0-9a-f]{%d}`, len(name))
}

// TestTranscript shows that a README that says something else is found out.
func TestTranscript(t *testing.T) {
	const shown = "merged http://127.0.0.1:1/pull/2 in 3.4s\n  …\nruns gaaaaaaaaaaaa, was gbbbbbbbbbbbb"
	const printed = "merged http://127.0.0.1:77/pull/2   in 12.0s\nsomething\n\nruns g123456789abc, was gabcdefabcdef\n"
	match := func(s *transcript, shown, printed string) error {
		return s.match(strings.Split(shown, "\n"), strings.Split(printed, "\n"))
	}
	s := &transcript{known: map[string]string{}}
	require.NoError(t, match(s, shown, printed))
	assert.Equal(t, "merge http://127.0.0.1:77/pull/2 # g123456789abc", s.translate("merge http://127.0.0.1:1/pull/2 # gaaaaaaaaaaaa"))
	require.NoError(t, match(s, "now gaaaaaaaaaaaa", "now g123456789abc"))
	for _, other := range [][2]string{
		{"now gbbbbbbbbbbbb", "now g123456789abc"},
		{"now gcccccccccccc", "now g123456789abc"},
		{"pull/2", "pull/3"},
		{"one", "one\ntwo"},
		{"one\ntwo", "one"},
		{"one\nthree", "one\ntwo\nthree"},
		{"…\nfour", "one"},
		{"gdddddddddddd", "ami-12345678901234567"},
	} {
		assert.Error(t, match(s, other[0], other[1]), "%q", other)
	}
}
