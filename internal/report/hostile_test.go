package report_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldmarkhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/report"
)

// hostile is a text that means something in every format.
const hostile = "`|x``<script>alert(1)</script>\"'><img src=x onerror=alert(1)> @octocat #1 [a](javascript:alert(1)) ![i](https://evil.example/i.png) " +
	"https://evil.example **b** </details></style> {{.}} {0} ]]> <!-- \x1b[31m \u202e \r\n\n# h\n|a|b|\n|-|-|\n```\n&lt;"

// infect replaces every text of a report that a stranger may have written: all but the operations, the severities and the rules' names,
// which are our own words. Resources stay apart, below the same parents.
func infect(r report.Report, replace func(string) string) report.Report {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			v.SetString(replace(v.String()))
		case reflect.Interface:
			if text, ok := v.Interface().(string); ok {
				v.Set(reflect.ValueOf(replace(text)))
			}
		case reflect.Slice:
			copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(copied, v)
			v.Set(copied)
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				copied := reflect.New(v.Type().Elem())
				copied.Elem().Set(v.Elem())
				v.Set(copied)
				walk(copied.Elem())
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() {
				return
			}
			for i := range v.NumField() {
				if name := v.Type().Field(i).Name; name != "Op" && name != "Severity" && name != "Parent" && name != "ID" {
					walk(v.Field(i))
				}
			}
		}
	}
	var urns []string
	for _, resource := range r.Preview.Resources {
		urns = append(urns, resource.URN)
	}
	walk(reflect.ValueOf(&r).Elem())
	for i, resource := range r.Preview.Resources {
		for _, values := range []map[string]any{resource.Before, resource.After} {
			for key, value := range values {
				if text, ok := value.(string); ok {
					values[key] = replace(text)
				}
			}
		}
		r.Preview.Resources[i].URN = urns[i] + resource.URN
		if parent := slices.Index(urns, resource.Parent); parent >= 0 {
			r.Preview.Resources[i].Parent = urns[parent] + replace(resource.Parent)
		}
	}
	return r
}

// bones is the structure of a document: its elements and the names of their attributes, in order, without any text.
func bones(t require.TestingT, document string) []string {
	root, err := html.Parse(strings.NewReader(document))
	require.NoError(t, err)
	var out []string
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			bone := n.Data
			for _, a := range n.Attr {
				bone += " " + a.Key
			}
			out = append(out, bone)
		}
		require.NotEqual(t, html.CommentNode, n.Type, "no comment: %s", n.Data)
	}
	return out
}

// fromMarkdown renders as GitHub does, but with raw HTML as it is, so that nothing hides behind a filter.
func fromMarkdown(t require.TestingT, markdown string) string {
	var out bytes.Buffer
	renderer := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldmarkhtml.WithUnsafe()))
	require.NoError(t, renderer.Convert([]byte(markdown), &out))
	return out.String()
}

// plainly is the report with harmless texts in the places of a stranger's.
func plainly(r report.Report) report.Report { return infect(r, func(string) string { return "word" }) }

// line draws a text that may break out of a format, on one line: several are shown as lines of a diff, which is another structure.
func line(t *rapid.T) string {
	pieces := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{
			"`", "``", "```", "|", "\\", "\\|", "<", ">", "&", "\"", "'", "@octocat", "#1", "[x](https://evil.example)", "![x](y)", "https://evil.example",
			"<script>alert(1)</script>", "</script>", "</style>", "</details>", "<!--", "-->", "]]>", "{{", "}}", "{0}", "*", "_", "~~", "- ", "# ", "&#64;",
			"\x1b[2J", "\x07", "\u202e", "\u200b", "\u2028", "\xff", "javascript:alert(1)", "$", " ", "|-|-|", "<svg onload=alert(1)>",
		}),
		rapid.StringMatching(`[a-z0-9 .:/-]{1,8}`),
	), 1, 8).Draw(t, "pieces")
	// Components of the same name are one, and a name begins after the last "::": that is another structure too.
	return strings.ReplaceAll("a"+strings.Join(pieces, ""), "::", ":")
}

func TestAStrangersTextNeverBecomesMarkup(t *testing.T) {
	page, markdown := bones(t, render(t, report.FormatHTML, plainly(sample()))), bones(t, fromMarkdown(t, render(t, report.FormatMarkdown, plainly(sample()))))
	require.Contains(t, page, "details class open")
	require.Contains(t, markdown, "details")
	rapid.Check(t, func(t *rapid.T) {
		text := line(t)
		r := infect(sample(), func(string) string { return text })
		require.Equal(t, page, bones(t, render(t, report.FormatHTML, r)))
		require.Equal(t, markdown, bones(t, fromMarkdown(t, render(t, report.FormatMarkdown, r))))
	})
}

func TestAStrangersTextInMarkdownIsCode(t *testing.T) {
	// In code, GitHub links nothing and notifies nobody.
	root, err := html.Parse(strings.NewReader(fromMarkdown(t, render(t, report.FormatMarkdown, infect(sample(), func(string) string { return hostile })))))
	require.NoError(t, err)
	seen := 0
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.Contains(n.Data, "octocat") {
			require.Equal(t, "code", n.Parent.Data, n.Data)
			seen++
		}
		require.False(t, n.Type == html.ElementNode && slices.Contains([]string{"script", "img", "a", "table"}, n.Data), "%s", n.Data)
	}
	assert.Greater(t, seen, 50)
}

func TestAStrangersTextNeverSteersATerminal(t *testing.T) {
	for _, colour := range []bool{false, true} {
		rapid.Check(t, func(t *rapid.T) {
			var out bytes.Buffer
			text := line(t)
			require.NoError(t, report.Terminal{Colour: colour, Width: rapid.IntRange(0, 200).Draw(t, "width")}.Render(&out, infect(sample(), func(string) string { return text })))
			rest := out.String()
			if colour {
				for _, style := range []string{"0", "1", "2", "31", "32", "33", "34", "35"} {
					rest = strings.ReplaceAll(rest, "\x1b["+style+"m", "")
				}
			}
			for _, c := range rest {
				require.False(t, c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)), "%q in %q", c, rest)
			}
		})
	}
}

func TestAStrangersTextIsTextForMachines(t *testing.T) {
	cases := len(parseJUnit(t, render(t, report.FormatJUnit, blocked())).Suite.Cases)
	rapid.Check(t, func(t *rapid.T) {
		text := line(t)
		r := blocked()
		r.Commit.Subject, r.Findings[1].Message, r.Findings[1].Rule.Why = text, text, text
		r.Findings[0].Exception = &lint.Exception{Reason: text}
		r.Preview.Resources[6].Changes = []preview.Property{update(text, text, text)}

		var read struct {
			Commit   report.Commit  `json:"commit"`
			Findings []lint.Finding `json:"findings"`
		}
		require.NoError(t, json.Unmarshal([]byte(render(t, report.FormatJSON, r)), &read))
		require.Equal(t, strings.ToValidUTF8(text, "\ufffd"), strings.ToValidUTF8(read.Commit.Subject, "\ufffd"))
		require.Len(t, read.Findings, 2)

		junit := parseJUnit(t, render(t, report.FormatJUnit, r))
		require.Len(t, junit.Suite.Cases, cases)
		require.Equal(t, 1, junit.Suite.Failures)
	})
	sarif := gjson.Get(render(t, report.FormatSARIF, infect(sample(), func(string) string { return hostile })), "runs.0")
	for _, messages := range []string{"results.#.message.text", "tool.driver.rules.#.fullDescription.text"} {
		texts := sarif.Get(messages).Array()
		require.NotEmpty(t, texts)
		for _, text := range texts {
			assert.NotContains(t, text.String(), "](", "no embedded link")
			assert.NotContains(t, text.String(), "{0}", "no placeholder")
		}
	}
}

func TestSecretsAreNotInAnyFormat(t *testing.T) {
	// The engine takes secrets out; what the reports get is the mark in their place, in values of any depth.
	r := sample()
	r.Preview.Resources[6].Changes = []preview.Property{update("data", map[string]any{"a": preview.Secret}, map[string]any{"a": preview.Unknown})}
	for _, format := range []string{report.FormatText, report.FormatMarkdown, report.FormatJSON, report.FormatHTML} {
		text := render(t, format, r)
		assert.Contains(t, text, preview.Secret, format)
		assert.Contains(t, text, preview.Unknown, format)
	}
}
