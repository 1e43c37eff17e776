package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The formats.
const (
	FormatText     = "text"
	FormatMarkdown = "markdown"
	FormatJSON     = "json"
	FormatJUnit    = "junit"
	FormatSARIF    = "sarif"
	FormatHTML     = "html"
)

// Renderer writes a report in one format.
type Renderer func(w io.Writer, r Report) error

// renderers are the formats by name.
var renderers = map[string]Renderer{
	FormatText:     Text,
	FormatMarkdown: Markdown,
	FormatJSON:     JSON,
	FormatJUnit:    JUnit,
	FormatSARIF:    SARIF,
	FormatHTML:     HTML,
}

// Formats are the names of all formats, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(renderers)) }

// Render writes a report in a format that is given by name. An unknown one is an error.
func Render(format string, w io.Writer, r Report) error {
	render, ok := renderers[format]
	if !ok {
		return fmt.Errorf("report format %q: expected one of %s", format, strings.Join(Formats(), ", "))
	}
	return render(w, r)
}
