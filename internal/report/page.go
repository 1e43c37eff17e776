package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"time"
	"unicode/utf8"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/webpage"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
)

const (
	// maxShown is how many characters of a value are shown before it is folded, maxFull how many are shown at all: a megabyte of user
	// data helps nobody, and preview.json has it.
	maxShown = 240
	maxFull  = 20_000
	// maxOpen is how many changes that destroy something are unfolded from the start, and how many changes there may be for all of them to
	// be; maxFlat how many there may be before components that destroy nothing are folded.
	maxOpen = 15
	maxFlat = 60
)

var style = webpage.Style(pageStyle)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"brief": brief, "moment": moment, "number": number, "plural": plural, "mark": mark, "web": web, "orNone": orNone, "endOf": endOf,
	"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
}).Parse(pageSource))

// HTML writes the report as one page that needs nothing else: no network, no script. It is for light and dark, for phones and for print.
func HTML(w io.Writer, r Report) error {
	var out bytes.Buffer
	if err := page.Execute(&out, newPageData(r)); err != nil {
		return err
	}
	_, err := io.WriteString(w, clean(out.String()))
	return err
}

// pageData is what the page's template shows.
type pageData struct {
	Report
	Policy     string
	Style      template.CSS
	Verdict    verdict
	Summary    string
	Counts     []opCount
	Facts      []fact
	Findings   []lint.Finding
	Held       []lint.Rule
	Groups     []groupData
	OnApproval []string
}

type opCount struct {
	Op string
	N  int
}

type groupData struct {
	group
	// Open says that the group is unfolded from the start.
	Open bool
	Rows []changeData
}

type changeData struct {
	change
	Open  bool
	Diffs []diffData
}

// diffData is how one property differs: either two values or, for texts of several lines, the lines.
type diffData struct {
	Path          string
	Replaces      bool
	Before, After *valueData
	Lines         []line
}

type valueData struct {
	// Text is the value or its beginning, Full the value when Text is only its beginning, and Length its length in characters.
	Text, Full string
	Length     int
	// Hidden says that the value is a secret or not known yet.
	Hidden bool
}

func newPageData(r Report) pageData {
	d := pageData{
		Report: r, Policy: webpage.Policy(style), Style: style, Verdict: r.verdict(), Summary: r.Preview.Summary(),
		Facts: r.facts(), Findings: r.sorted(), Held: r.rules(), OnApproval: onApproval,
	}
	counts, all, opened := map[string]int{}, 0, 0
	groups := r.groups()
	for _, g := range groups {
		all += len(g.Changes)
	}
	for _, g := range groups {
		data := groupData{group: g, Open: g.destructive() || all <= maxFlat}
		for _, c := range g.Changes {
			counts[c.Op]++
			row := changeData{change: c, Open: all <= maxOpen || (c.destructive() && opened < maxOpen)}
			if row.Open {
				opened++
			}
			for _, p := range c.Properties {
				row.Diffs = append(row.Diffs, newDiffData(p))
			}
			data.Rows = append(data.Rows, row)
		}
		d.Groups = append(d.Groups, data)
	}
	for _, op := range order {
		d.Counts = append(d.Counts, opCount{op, counts[op]})
	}
	return d
}

func newDiffData(p preview.Property) diffData {
	before, after := values(p)
	d := diffData{Path: p.Path, Replaces: p.Replaces}
	if isText(before) && isText(after) {
		d.Lines = diffLines(before, after)
		return d
	}
	if p.Op != preview.Create {
		d.Before = newValueData(before)
	}
	if p.Op != preview.Delete {
		d.After = newValueData(after)
	}
	return d
}

func newValueData(value string) *valueData {
	v := &valueData{Text: value, Hidden: value == preview.Secret || value == preview.Unknown}
	short, missing := shorten(value, maxShown)
	if missing == 0 {
		return v
	}
	v.Text, v.Length = short, utf8.RuneCountInString(value)
	v.Full, missing = shorten(value, maxFull)
	if missing > 0 {
		v.Full += "\n… " + plural(missing, "more character") + ": see preview.json"
	}
	return v
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
