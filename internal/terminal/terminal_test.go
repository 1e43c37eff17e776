package terminal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/terminal"
)

func TestRowsKeepTheirColumn(t *testing.T) {
	p := &terminal.Page{Screen: terminal.Screen{Width: 40}}
	p.Row(2, 10, "label", terminal.Text("one two three four five six seven eight nine\nten"))
	p.Row(2, 10, "a label that is too long", terminal.Text("x"))
	assert.Equal(t, `  label   one two three four five six
          seven eight nine
          ten
  a label that is too long x
`, p.String())
}

// What strangers write neither steers the terminal nor gets lost, whatever the width.
func TestTextIsKeptAndSteersNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		screen := terminal.Screen{Width: rapid.IntRange(0, 120).Draw(t, "width"), Colour: rapid.Bool().Draw(t, "colour")}
		p := &terminal.Page{Screen: screen}
		p.Row(2, 18, "label", terminal.As(terminal.Red, text))
		out := ansi.Strip(p.String())
		for _, c := range out {
			assert.True(t, c >= ' ' || c == '\n', "%q", out)
		}
		plain := &terminal.Page{}
		plain.Row(2, 18, "label", terminal.Text(text))
		assert.Equal(t, strings.Join(strings.Fields(plain.String()), ""), strings.Join(strings.Fields(out), ""))
	})
}

func TestAgo(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]string{
		-time.Hour: "0s", 90 * time.Second: "90s", 119 * time.Minute: "119m", 47 * time.Hour: "47h", 49 * time.Hour: "2d",
	} {
		assert.Equal(t, want, terminal.Ago(now, now.Add(-age)))
	}
}
