package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/webpage"
)

// verdict is what a review comes to.
type verdict struct {
	// Kind is "blocked", "unchanged", "dry-run" or "waiting".
	Kind string `json:"kind"`
	// Title is it in a few words, Text in a sentence.
	Title string `json:"title"`
	Text  string `json:"text"`
}

func (r Report) verdict() verdict {
	switch blocking := r.count(func(f lint.Finding) bool { return f.Blocks() }); {
	case blocking > 0:
		return verdict{"blocked", "Blocked by " + plural(blocking, "finding"), "Nothing is deployed, and nobody can approve it. Mend what was found, " +
			"or let an owner of the environment except it, and commit again."}
	case r.NothingChanges():
		return verdict{"unchanged", "Nothing changes", "The environment already is what its branch says. Nobody is asked to approve."}
	case r.DryRun:
		return verdict{"dry-run", "Dry run", "This is what the change would do. Nothing is deployed; once it is merged, a review of its own asks for approval."}
	default:
		return verdict{"waiting", "Waits for approval", "Approving it deploys exactly this, or nothing."}
	}
}

func (r Report) count(is func(lint.Finding) bool) int {
	n := 0
	for _, f := range r.Findings {
		if is(f) {
			n++
		}
	}
	return n
}

// sorted are the findings with those that block first, those that are excepted last.
func (r Report) sorted() []lint.Finding {
	weight := func(f lint.Finding) int {
		return slices.Index([]lint.Severity{lint.Error, lint.Warning, lint.Note}, f.Rule.Severity) + map[bool]int{true: 10}[f.Exception != nil]
	}
	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b lint.Finding) int { return weight(a) - weight(b) })
	return findings
}

// rules are all rules that were held against the preview, with those of the findings.
func (r Report) rules() []lint.Rule {
	rules := slices.Clone(r.Rules)
	for _, f := range r.Findings {
		if !slices.ContainsFunc(rules, func(rule lint.Rule) bool { return rule.ID == f.Rule.ID }) {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}

// onApproval says what an approval does.
var onApproval = []string{
	"The pipeline holds the digest of every file of the review, of the state and of the commit against those below, and previews again. " +
		"When anything moved since, it refuses and deploys nothing.",
	"It carries out exactly the plan that made this report.",
	"It replaces the instances a few at a time and waits until all are healthy. If they do not get healthy, it restores the last good release, in git first.",
}

// plural is a number with a noun, such as "1 finding" or "2,000 findings".
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return number(n) + " " + noun
}

// number is a number for people, such as 2,000.
func number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// moment is a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006, 15:04 UTC") }

// brief is a commit's short hash.
func brief(sha string) string { return sha[:min(len(sha), 12)] }

// endOf is the end of a URN that people know a resource by and that names it in an exception: type and name.
func endOf(urn string) string {
	parts := strings.Split(urn, "::")
	end := parts[max(0, len(parts)-2):]
	end[0] = end[0][strings.LastIndex(end[0], "$")+1:]
	return strings.Join(end, "::")
}

// web is an address that is safe to link to, or empty.
func web(address string) string { return webpage.Address(address) }

// fact is a named value of a release, before and after.
type fact struct{ Name, From, To string }

// facts are what the releases are made of.
func (r Report) facts() []fact {
	return []fact{
		{"Artifact", r.From.ArtifactTag, r.To.ArtifactTag},
		{"AMI", r.From.AMI, r.To.AMI},
		{"Software", brief(r.From.SoftwareCommit), brief(r.To.SoftwareCommit)},
		{"Image", brief(r.From.ImageCommit), brief(r.To.ImageCommit)},
	}
}
