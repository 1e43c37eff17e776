package report_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/report"
)

// render is a report in a format.
func render(t require.TestingT, format string, r report.Report) string {
	var out bytes.Buffer
	require.NoError(t, report.Render(format, &out, r))
	return out.String()
}

// checkGolden holds a text against a file in testdata/golden, or writes it there with UPDATE_GOLDEN=1.
func checkGolden(t *testing.T, name, found string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(found), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it with UPDATE_GOLDEN=1 go test ./internal/report")
	assert.Equal(t, string(want), found, "%s: when the change is meant, write it with UPDATE_GOLDEN=1 go test ./internal/report", path)
}

var extensions = map[string]string{
	report.FormatText: "txt", report.FormatMarkdown: "md", report.FormatJSON: "json", report.FormatJUnit: "xml", report.FormatSARIF: "sarif", report.FormatHTML: "html",
}

func TestGoldens(t *testing.T) {
	for name, r := range map[string]report.Report{"waiting": sample(), "blocked": blocked(), "unchanged": unchanged()} {
		for _, format := range report.Formats() {
			checkGolden(t, name+"."+extensions[format], render(t, format, r))
		}
	}
	for name, terminal := range map[string]report.Terminal{"colour.txt": {Colour: true}, "narrow.txt": {Width: 44}} {
		var out bytes.Buffer
		require.NoError(t, terminal.Render(&out, sample()))
		checkGolden(t, name, out.String())
	}
}

func TestAnUnknownFormatIsAnError(t *testing.T) {
	err := report.Render("pdf", io.Discard, sample())
	assert.EqualError(t, err, `report format "pdf": expected one of html, json, junit, markdown, sarif, text`)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAWriterThatFailsIsAnError(t *testing.T) {
	for _, format := range report.Formats() {
		assert.ErrorIs(t, report.Render(format, broken{}, sample()), io.ErrClosedPipe, format)
	}
}
