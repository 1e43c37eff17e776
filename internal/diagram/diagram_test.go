package diagram_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/diagram"
)

func sample() diagram.Diagram {
	return diagram.Diagram{
		Title: `A "small" <diagram>`,
		Lanes: []diagram.Lane{
			{ID: "one", Title: "first #1", Boxes: []diagram.Box{
				{ID: "a", Title: "shop & co", Note: "branch dev", Shape: diagram.Repository},
				{ID: "b", Title: "Build", Shape: diagram.Stage},
				{ID: "c", Title: "Approve", Shape: diagram.Decision},
			}},
			{ID: "two", Title: "second", Boxes: []diagram.Box{
				{ID: "d", Title: "Bucket", Shape: diagram.Store}, {ID: "e", Title: "Systems", Note: "2 zones", Shape: diagram.Systems},
			}},
		},
		Arrows: []diagram.Arrow{
			{From: "a", To: "b"}, {From: "b", To: "c", Label: "digest"}, {From: "a", To: "d", Dashed: true, Down: true}, {From: "c", To: "e", Label: "plan", Down: true},
		},
	}
}

func TestGoldens(t *testing.T) {
	mermaid, err := sample().Mermaid()
	require.NoError(t, err)
	svg, err := sample().SVG()
	require.NoError(t, err)
	for name, got := range map[string]string{"sample.mmd": mermaid, "sample.svg": svg} {
		path := filepath.Join("testdata", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got)
	}
}

func TestWhatCannotBeDrawn(t *testing.T) {
	for text, damage := range map[string]func(*diagram.Diagram){
		"lead in a circle":       func(d *diagram.Diagram) { d.Arrows = append(d.Arrows, diagram.Arrow{From: "c", To: "a"}) },
		`there is no box "x"`:    func(d *diagram.Diagram) { d.Arrows[0].To = "x" },
		`box "a" is there twice`: func(d *diagram.Diagram) { d.Lanes[1].Boxes[0].ID = "a" },
	} {
		d := sample()
		damage(&d)
		_, err := d.SVG()
		require.ErrorContains(t, err, text)
		_, err = d.Mermaid()
		require.ErrorContains(t, err, text)
	}
}

// statement is what a line of a flowchart may be.
var statement = regexp.MustCompile(`^(  subgraph \w+\["T"\]|  end|    \w+(\[\(|\[/|\[|\{\{|\(\[)"T"(\)\]|/\]|\]|\}\}|\]\))|  \w+ (-->|-\.->)(\|"T"\|)? \w+)$`)

// shown is a text in quotes that Mermaid shows as it is: without quotes, Markdown, and tags but for the line break.
var shown = regexp.MustCompile(`"([^"<>` + "`" + `]|<br/>)*"`)

// TestAnyTextIsDrawnSafely: whatever things are called, the drawing is one document, with every text in it, and with nothing that runs
// or is fetched.
func TestAnyTextIsDrawnSafely(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ -~]{0,30}`), rapid.SampledFrom([]string{`"]; click a href "x"`, "<script>alert(1)</script>", "end", "a\n  b --> c"}))
		d := sample()
		d.Title, d.Lanes[0].Title, d.Lanes[0].Boxes[0].Title = text.Draw(t, "title"), text.Draw(t, "lane"), text.Draw(t, "box")
		d.Arrows[1].Label = text.Draw(t, "label")
		mermaid, err := d.Mermaid()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(mermaid, "\n"), "\n")
		if lines[0] != "---" || lines[2] != "---" || lines[3] != "flowchart LR" {
			t.Fatalf("not a flowchart with a title:\n%s", mermaid)
		}
		for _, line := range lines[4:] {
			if !statement.MatchString(shown.ReplaceAllString(line, `"T"`)) {
				t.Fatalf("%q is no statement", line)
			}
		}
		svg, err := d.SVG()
		if err != nil {
			t.Fatal(err)
		}
		texts, elements, err := parse(svg)
		if err != nil {
			t.Fatal(err)
		}
		if elements["script"]+elements["a"]+elements["image"]+elements["use"]+elements["foreignObject"] > 0 || elements["path"] != len(d.Arrows)+1 {
			t.Fatalf("unexpected elements: %v", elements)
		}
		for _, want := range []string{d.Title, d.Lanes[0].Title, d.Lanes[0].Boxes[0].Title, d.Arrows[1].Label} {
			if !strings.Contains(texts, want) {
				t.Fatalf("%q is not shown", want)
			}
		}
	})
}

// parse reads a drawing as strictly as a browser reads XML.
func parse(svg string) (texts string, elements map[string]int, err error) {
	elements = map[string]int{}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, elements, nil
		}
		if err != nil {
			return "", nil, fmt.Errorf("%w in\n%s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements[token.Name.Local]++
		case xml.CharData:
			texts += string(token)
		}
	}
}

// TestContrast holds every text against what it stands on, in light and in dark (WCAG 2.2, 1.4.3: 4.5 to 1).
func TestContrast(t *testing.T) {
	svg, err := sample().SVG()
	require.NoError(t, err)
	light, dark, found := strings.Cut(svg, "prefers-color-scheme: dark")
	require.True(t, found)
	for _, css := range []string{light, dark} {
		for _, text := range []string{"ink", "soft"} {
			for _, ground := range []string{"page", "lane", "box"} {
				assert.GreaterOrEqual(t, contrast(t, css, text, ground), 4.5, "%s on %s", text, ground)
			}
		}
		for _, line := range []string{"repository", "stage", "decision", "store", "systems"} {
			assert.GreaterOrEqual(t, contrast(t, css, line, "lane"), 3.0, line)
		}
	}
}

func contrast(t *testing.T, css, a, b string) float64 {
	light, dark := luminance(t, css, a), luminance(t, css, b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}
