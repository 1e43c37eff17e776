// Package terminal lays text out for people: on a terminal with colour and within its width, elsewhere plainly and one fact on a line.
package terminal

import (
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/tekpossible/ha-devops/internal/visible"
)

// Screen is what text is laid out for.
type Screen struct {
	// Live says that it is a terminal that can be drawn on again.
	Live bool
	// Colour says that styles are shown.
	Colour bool
	// Width is the number of columns, 0 for no limit.
	Width int
}

// Of looks at where text goes. Colour follows https://no-color.org: NO_COLOR that is not empty turns it off, as do a terminal that calls
// itself dumb, and plain, which also turns redrawing and wrapping off.
func Of(w io.Writer, getenv func(string) string, plain bool) Screen {
	file, ok := w.(*os.File)
	if !ok || plain || !term.IsTerminal(int(file.Fd())) {
		return Screen{}
	}
	dumb := getenv("TERM") == "dumb"
	s := Screen{Live: !dumb, Colour: !dumb && getenv("NO_COLOR") == ""}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil {
		s.Width = width
	}
	return s
}

// Styles, as parameters of the control sequence SGR (ECMA-48).
const (
	Plain  = ""
	Bold   = "1"
	Faint  = "2"
	Red    = "31"
	Green  = "32"
	Yellow = "33"
	Blue   = "34"
)

// Part is a piece of a line in one style.
type Part struct{ Style, Text string }

// As is a part with a style.
func As(style, text string) Part { return Part{style, text} }

// Text is a part without a style.
func Text(text string) Part { return Part{"", text} }

// Page collects lines for a screen.
type Page struct {
	Screen
	out strings.Builder
}

// String is the page.
func (p *Page) String() string { return p.out.String() }

// Line writes parts as one line, or as several with a deeper indent when they are too long for the screen.
func (p *Page) Line(indent int, parts ...Part) {
	p.hang(strings.Repeat(" ", indent), indent+2, parts)
}

// Row writes a label and, in a column of its own, the parts, which stay in that column when they are too long for the screen or have
// line breaks.
func (p *Page) Row(indent, column int, label string, parts ...Part) {
	gap := strings.Repeat(" ", max(1, column-indent-ansi.StringWidth(label)))
	p.hang(strings.Repeat(" ", indent)+p.join([]Part{As(Faint, label)})+gap, column, parts)
}

// Gap writes an empty line, except at the top.
func (p *Page) Gap() {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
}

// narrowest is the width below which nothing is wrapped any more.
const narrowest = 20

// hang writes parts after a lead, and what does not fit below them from a column on.
func (p *Page) hang(lead string, column int, parts []Part) {
	for paragraph := range strings.SplitSeq(p.join(parts), "\n") {
		for _, line := range wrap(paragraph, p.Width-column) {
			p.out.WriteString(strings.TrimRight(lead+line, " ") + "\n")
			lead = strings.Repeat(" ", column)
		}
	}
}

// wrap breaks text between words, and nowhere else: addresses and digests are copied whole. Below the narrowest width it breaks nothing.
func wrap(text string, width int) []string {
	if width < narrowest {
		return []string{text}
	}
	var lines []string
	line, at := "", 0
	for i, word := range strings.Split(text, " ") {
		wide := ansi.StringWidth(word)
		switch {
		case i == 0:
			line, at = word, wide
		case at+1+wide > width:
			lines, line, at = append(lines, line), word, wide
		default:
			line, at = line+" "+word, at+1+wide
		}
	}
	return append(lines, line)
}

// join puts parts together. What a part holds never steers the terminal.
func (p *Page) join(parts []Part) string {
	var whole strings.Builder
	for _, part := range parts {
		text := visible.Text(strings.ReplaceAll(part.Text, "\t", " "))
		if p.Colour && part.Style != Plain && text != "" {
			lines := strings.Split(text, "\n")
			for i, line := range lines {
				lines[i] = "\x1b[" + part.Style + "m" + line + "\x1b[0m"
			}
			text = strings.Join(lines, "\n")
		}
		whole.WriteString(text)
	}
	return whole.String()
}

// Redraw is what clears a terminal before a page is drawn again: the cursor goes home, and what is below is erased (ECMA-48, CUP and ED).
const Redraw = "\x1b[H\x1b[2J"
