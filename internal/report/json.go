package report

import (
	"encoding/json"
	"io"

	"github.com/tekpossible/ha-devops/internal/lint"
)

// document is a report as JSON. The fields of Report come with it under their own names; format is raised when one of them goes or
// changes its meaning, and new ones may come at any time. Values of properties are as in the preview: "[secret]" stands for one that is
// encrypted, "[unknown]" for one that is known only after the update.
type document struct {
	Format  int     `json:"format"`
	Verdict verdict `json:"verdict"`
	// Summary is one line: what would change.
	Summary string `json:"summary"`
	Report
	// Changes are the changes by component, deletions and replacements first.
	Changes []group `json:"changes"`
}

// JSON writes the report for machines, as one object: format (1), verdict, summary, the fields of Report, and changes by component.
func JSON(w io.Writer, r Report) error {
	d := document{Format: 1, Verdict: r.verdict(), Summary: r.Preview.Summary(), Report: r, Changes: r.groups()}
	// Lists are never null.
	if d.Rules == nil {
		d.Rules = []lint.Rule{}
	}
	if d.Findings == nil {
		d.Findings = []lint.Finding{}
	}
	if d.Digests == nil {
		d.Digests = []Digest{}
	}
	if d.Changes == nil {
		d.Changes = []group{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(d)
}
