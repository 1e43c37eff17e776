package report

import (
	"cmp"
	"fmt"
	"io"

	"github.com/charmbracelet/x/ansi"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// maxText is the length in characters up to which a stranger's text is shown on one line.
const maxText = 500

// Terminal writes a report for a terminal.
type Terminal struct {
	// Width is the terminal's in columns; 0 means 100. Narrower ones than 40 are taken for 40.
	Width int
	// Colour says whether to use it.
	Colour bool
}

const (
	// maxPerOp is how many updates, and how many creations, of a component are listed. What is lost is always listed.
	maxPerOp = 20
	// maxPerChange is how many properties of a change are listed.
	maxPerChange = 6
	// maxLinesShort is how many lines of a text that differ are listed.
	maxLinesShort = 6
	// maxCommits is how many commits are listed.
	maxCommits = 10
)

// Text writes the report for a terminal of 100 columns, without colour.
func Text(w io.Writer, r Report) error { return Terminal{}.Render(w, r) }

// Render writes the report.
func (t Terminal) Render(w io.Writer, r Report) error {
	s := &screen{width: max(40, cmp.Or(t.Width, 100)), colour: t.Colour}
	v := r.verdict()
	s.line(0, as(bold, r.Product+" · review of "+r.Environment), as(plainly, " · "), as(verdictStyles[v.Kind], v.Title))
	s.line(0, as(plainly, r.Preview.Summary()))
	s.line(0, as(faint, "commit "+brief(r.Commit.SHA)), as(plainly, " "+r.Commit.Subject), as(faint, by(r.Commit.Author)))
	s.release(r)
	s.changes(r)
	s.findings(r)
	s.standing(r)
	s.approval(r, v)
	_, err := io.WriteString(w, s.out.String())
	return err
}

func by(author string) string {
	if author == "" {
		return ""
	}
	return " (" + author + ")"
}

func (s *screen) release(r Report) {
	s.head("Release")
	for _, f := range r.facts() {
		from, to := cmp.Or(f.From, "none"), cmp.Or(f.To, "none")
		if from == to {
			s.line(2, as(plainly, fmt.Sprintf("%-9s", f.Name)), as(faint, to+" (unchanged)"))
			continue
		}
		s.line(2, as(plainly, fmt.Sprintf("%-9s", f.Name)+from+" → "), as(bold, to))
	}
	for i, c := range r.Software {
		if i == maxCommits {
			s.line(4, as(faint, "and "+number(len(r.Software)-i+r.More)+" more"))
			return
		}
		s.line(4, as(faint, brief(c.SHA)), as(plainly, " "+c.Subject), as(faint, by(c.Author)))
	}
	if r.More > 0 {
		s.line(4, as(faint, "and "+number(r.More)+" more"))
	}
	if r.SoftwareNote != "" {
		s.line(4, as(faint, r.SoftwareNote))
	}
}

var marks = map[string]string{preview.Delete: "-", preview.Replace: "±", preview.Update: "~", preview.Create: "+"}

func mark(op string) string { return cmp.Or(marks[op], "·") }

func (s *screen) changes(r Report) {
	s.head("Changes")
	groups := r.groups()
	if len(groups) == 0 {
		s.line(2, as(plainly, "none"))
	}
	for _, g := range groups {
		s.line(2, as(bold, g.Component), as(faint, "  "+g.Summary))
		seen := map[string]int{}
		for _, c := range g.Changes {
			if seen[c.Op]++; c.destructive() || seen[c.Op] <= maxPerOp {
				s.change(c)
			}
		}
		for _, op := range order {
			if n := seen[op] - maxPerOp; n > 0 && rank(op) > rank(preview.Replace) {
				s.line(4, as(faint, fmt.Sprintf("%s %s more to %s", mark(op), number(n), op)))
			}
		}
	}
}

func (s *screen) change(c change) {
	protected := ""
	if c.Protected {
		protected = " (protected)"
	}
	s.line(4, as(opStyles[c.Op], mark(c.Op)+" "+c.Op), as(plainly, " "+c.Name), as(faint, " "+c.Type+protected))
	if c.Op == preview.Create || c.Op == preview.Delete {
		return
	}
	for i, p := range c.Properties {
		if i == maxPerChange {
			s.line(8, as(faint, number(len(c.Properties)-i)+" more"))
			return
		}
		s.property(p)
	}
}

// property is how a property differs, on one line, or on one for each line of a text that differs.
func (s *screen) property(p preview.Property) {
	before, after := values(p)
	replaces := ""
	if p.Replaces {
		replaces = " (replaces)"
	}
	path := as(plainly, p.Path+": ")
	switch {
	case isText(before) && isText(after):
		changed, more := changedLines(before, after, maxLinesShort)
		s.line(8, path, as(bold, replaces))
		for _, l := range changed {
			s.line(10, as(lineStyles[l.Kind], lineMarks[l.Kind]+" "+oneLine(l.Text, s.width-14)))
		}
		if more > 0 {
			s.line(10, as(faint, plural(more, "more line")))
		}
	case p.Op == preview.Create:
		s.line(8, path, as(green, "+ "+oneLine(after, s.width-20)), as(bold, replaces))
	case p.Op == preview.Delete:
		s.line(8, path, as(red, "- "+oneLine(before, s.width-20)), as(bold, replaces))
	default:
		before, after = focus(before, after, max(20, (s.width-ansi.StringWidth(p.Path)-26)/2))
		s.line(8, path, as(red, before), as(plainly, " → "), as(green, after), as(bold, replaces))
	}
}

func (s *screen) findings(r Report) {
	s.head("Findings")
	if len(r.Findings) == 0 {
		s.line(2, as(plainly, "none, of "+plural(len(r.rules()), "rule")))
	}
	for _, f := range r.sorted() {
		level := as(levelStyles[f.Rule.Severity], string(f.Rule.Severity))
		if f.Exception != nil {
			level = as(faint, "excepted")
		}
		s.line(2, level, as(plainly, " "), as(bold, f.Rule.ID), as(plainly, " "+f.Rule.Title))
		if f.Resource != "" {
			s.whole(4, as(faint, endOf(f.Resource)))
		}
		s.line(4, as(plainly, f.Message))
		if f.Exception != nil {
			s.line(4, as(plainly, exceptedBy(*f.Exception)))
			continue
		}
		s.line(4, as(plainly, "why: "+f.Rule.Why))
		s.line(4, as(plainly, "fix: "+f.Rule.Fix))
	}
}

// standing is how the environment stands to its neighbours.
func (s *screen) standing(r Report) {
	s.head("Promotion")
	s.line(2, as(plainly, r.Promotion.State), as(faint, from(r.Promotion.Upstream)), as(plainly, ": "+r.Promotion.Meaning))
	if r.Mirror == "" {
		return
	}
	s.head("Parity with " + r.Mirror)
	if len(r.Parity) == 0 {
		s.line(2, as(plainly, "equal in every setting that must be"))
	}
	for _, d := range r.Parity {
		s.line(2, as(plainly, d.Setting+": "+d.Here+" here, "+d.There+" there"))
	}
}

func from(upstream string) string {
	if upstream == "" {
		return ""
	}
	return " (from " + upstream + ")"
}

func (s *screen) approval(r Report, v verdict) {
	s.head("Next")
	s.line(2, as(plainly, v.Text))
	ways := []struct{ name, text string }{{"report", r.Approval.Page}}
	if v.Kind == "waiting" {
		ways = append(ways, []struct{ name, text string }{
			{"approve", r.Approval.Approve}, {"reject", r.Approval.Reject}, {"console", r.Approval.Console},
		}...)
	}
	for _, way := range ways {
		if way.text != "" {
			s.whole(2, as(faint, fmt.Sprintf("%-9s", way.name)), as(bold, way.text))
		}
	}
	if v.Kind != "waiting" {
		return
	}
	s.line(2, as(plainly, "The digest comes with the request for approval. Expires "), as(bold, moment(r.Expires)), as(plainly, "."))
}
