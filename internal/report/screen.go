package report

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

// screen collects lines for a terminal.
type screen struct {
	out    strings.Builder
	width  int
	colour bool
}

// Styles, as parameters of the control sequence SGR (ECMA-48).
const (
	plainly = ""
	bold    = "1"
	faint   = "2"
	red     = "31"
	green   = "32"
	yellow  = "33"
	blue    = "34"
	magenta = "35"
)

var (
	opStyles      = map[string]string{preview.Delete: red, preview.Replace: magenta, preview.Update: yellow, preview.Create: green}
	levelStyles   = map[lint.Severity]string{lint.Error: red, lint.Warning: yellow, lint.Note: blue}
	lineStyles    = map[string]string{lineRemoved: red, lineAdded: green}
	lineMarks     = map[string]string{lineRemoved: "-", lineAdded: "+"}
	verdictStyles = map[string]string{"blocked": red, "unchanged": green, "dry-run": blue, "waiting": yellow}
)

// part is a piece of a line.
type part struct{ style, text string }

func as(style, text string) part { return part{style, text} }

func (s *screen) head(title string) {
	s.out.WriteByte('\n')
	s.line(0, as(bold, title))
}

var spaces = strings.NewReplacer("\n", " ", "\t", " ")

// line writes parts as one line, or as several with an indent when they are too long for the terminal.
func (s *screen) line(indent int, parts ...part) {
	for i, l := range strings.Split(ansi.Wrap(s.join(parts), s.width-indent-2, ""), "\n") {
		s.write(indent+2*min(i, 1), l)
	}
}

// whole writes parts as one line however long it is, for what people copy.
func (s *screen) whole(indent int, parts ...part) { s.write(indent, s.join(parts)) }

func (s *screen) write(indent int, text string) {
	s.out.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+text, " ") + "\n")
}

// join puts parts together. What a part holds never steers the terminal.
func (s *screen) join(parts []part) string {
	var whole strings.Builder
	for _, p := range parts {
		text, missing := shorten(clean(spaces.Replace(p.text)), maxText)
		if missing > 0 {
			text += "…"
		}
		if s.colour && p.style != plainly && text != "" {
			text = "\x1b[" + p.style + "m" + text + "\x1b[0m"
		}
		whole.WriteString(text)
	}
	return whole.String()
}
