package relaypage

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"time"

	"github.com/tekpossible/ha-devops/internal/visible"
	"github.com/tekpossible/ha-devops/internal/webpage"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string

	style = webpage.Style(pageStyle)
	page  = template.Must(template.New("page").Funcs(template.FuncMap{
		"brief": brief, "moment": moment, "kind": kind, "link": webpage.Link,
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	}).Parse(pageSource))
)

// HTML writes the page, which needs nothing else: no network, no script. It is for light and dark, for phones and for print.
func HTML(w io.Writer, p Page) error {
	data := pageData{Page: p, Policy: webpage.Policy(style), Style: style, Verdict: p.verdict(), Axis: newAxis(p)}
	for _, l := range p.Lanes {
		lane := laneData{Lane: l, Verdict: l.verdict(), Health: l.health()}
		for _, e := range l.Executions {
			lane.Rows = append(lane.Rows, newRow(e, data.Axis, p.At))
		}
		data.Rows = data.Rows || len(lane.Rows) > 0
		data.Lanes = append(data.Lanes, lane)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		return err
	}
	_, err := io.WriteString(w, visible.Text(out.String()))
	return err
}

// pageData is what the page's template shows.
type pageData struct {
	Page
	Policy  string
	Style   template.CSS
	Verdict verdict
	// Axis is nil when there is nothing to draw.
	Axis  *axis
	Lanes []laneData
	// Rows says that some lane has any.
	Rows bool
}

type laneData struct {
	Lane
	Verdict verdict
	Health  string
	Rows    []row
}

// row is an execution in the timeline.
type row struct {
	Execution
	// Took is how long it took, or takes already.
	Took string
	Bars []bar
	// Drawn is the bars in words.
	Drawn string
}

func newRow(e Execution, a *axis, now time.Time) row {
	r := row{Execution: e}
	if end := (Stage{Ended: e.Ended}).end(now); end.After(e.Started) && !e.Started.IsZero() {
		r.Took = took(end.Sub(e.Started))
	}
	if a != nil && len(e.Stages) > 0 {
		r.Bars = a.bars(e, now)
		r.Drawn = described(r.Bars)
	}
	return r
}
