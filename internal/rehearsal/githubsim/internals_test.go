package githubsim

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestGlob(t *testing.T) {
	for pattern, want := range map[string]map[string]bool{
		"refs/heads/dev":          {"refs/heads/dev": true, "refs/heads/dev2": false, "refs/heads/x/dev": false},
		"refs/heads/release/*":    {"refs/heads/release/1": true, "refs/heads/release/1/2": false},
		"refs/heads/release/**/*": {"refs/heads/release/1": true, "refs/heads/release/1/2": true, "refs/heads/dev": false},
		"refs/heads/v?.x":         {"refs/heads/v1.x": true, "refs/heads/v1ax": false, "refs/heads/v/.x": false},
		"\xff":                    {"refs/heads/dev": false},
	} {
		for ref, matches := range want {
			assert.Equal(t, matches, glob(pattern).MatchString(ref), "%s on %s", pattern, ref)
		}
	}
}

func TestOwnersOf(t *testing.T) {
	const codeowners = "# who owns what\n* @all\n*.rego @policy # rules\n/docs/ @writers\nci/ @builders\nsrc/* @flat\nfree.txt\n"
	for path, want := range map[string]string{
		"main.go": "all", "a/b.rego": "policy", "docs/x/y.md": "writers", "x/docs/y.md": "all", "x/ci/y": "builders",
		"src/a": "flat", "src/a/b": "all", "a/free.txt": "",
	} {
		assert.Equal(t, want, strings.Join(ownersOf(codeowners, path), " "), path)
	}
}

func TestUpdatesOfAPushAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[0-9a-f]{40}`)
		ref := rapid.StringMatching(`refs/heads/[a-z0-9/._-]{1,50}`)
		want := rapid.SliceOf(rapid.Custom(func(t *rapid.T) update {
			return update{before: id.Draw(t, "before"), after: id.Draw(t, "after"), ref: ref.Draw(t, "ref")}
		})).Draw(t, "updates")
		var wire bytes.Buffer
		for i, u := range want {
			line := u.before + " " + u.after + " " + u.ref
			if i == 0 {
				line += "\x00 report-status side-band-64k"
			}
			fmt.Fprintf(&wire, "%04x%s", len(line)+4, line)
		}
		wire.WriteString("0000PACK")
		got, err := readUpdates(bufio.NewReader(&wire))
		require.NoError(t, err)
		if len(want) > 0 || len(got) > 0 {
			require.Equal(t, want, got)
		}
	})
}

func FuzzReadUpdates(f *testing.F) {
	f.Add([]byte("0000"))
	f.Add([]byte("0001"))
	f.Add(fmt.Appendf(nil, "%04x%s %s refs/heads/dev0000", 4+40+1+40+15, zero, zero))
	f.Fuzz(func(t *testing.T, wire []byte) {
		updates, err := readUpdates(bufio.NewReader(bytes.NewReader(wire)))
		for _, u := range updates {
			require.NoError(t, err)
			require.NotContains(t, u.ref, "\t", "a ref cannot forge a line of the rules")
			require.NotContains(t, u.ref, "\n")
		}
	})
}

func FuzzReferencesAndPathsAreSafeInABatch(f *testing.F) {
	f.Add("dev")
	f.Add("-x")
	f.Add("a/../b")
	f.Fuzz(func(t *testing.T, text string) {
		if validRef(text) || validPath(text) {
			require.NotContains(t, text, "\n")
			require.NotContains(t, text, "\x00")
		}
		if validRef(text) {
			require.NotEqual(t, byte('-'), text[0])
		}
	})
}
