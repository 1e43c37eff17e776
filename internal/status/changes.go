package status

import (
	"fmt"
	"slices"
	"strings"
)

// Changes are the facts of now that were others before, or not there, as lines for people who watch: environment, fact, what it is. The
// first time, with the zero Status before, they are all facts. How old something is, is none.
func Changes(before, now Status) []string {
	known := map[string]string{}
	for _, e := range before.Environments {
		for _, f := range e.facts() {
			known[e.Name+" "+f.name] = f.value
		}
	}
	var lines []string
	for _, e := range now.Environments {
		for _, f := range e.facts() {
			key := e.Name + " " + f.name
			if was, ok := known[key]; !ok && f.value != "" || ok && was != f.value {
				lines = append(lines, fmt.Sprintf("%s: %s", key, orNone(f.value)))
			}
		}
	}
	return lines
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

type fact struct{ name, value string }

func (e Environment) facts() []fact {
	facts := []fact{{"release", ""}, {"deployed", ""}}
	if e.Release != nil {
		facts[0].value = e.Release.Name()
	}
	if e.Deployed != nil && e.Deployed.AMI != "" {
		facts[1].value = fmt.Sprintf("%s (%s)", e.Deployed.ArtifactTag, e.Deployed.AMI)
	}
	for _, p := range e.Pipelines {
		var runs []string
		for _, r := range p.Runs {
			text := string(r.Status)
			if r.Stage != "" {
				text += " at " + r.Stage
			}
			text += ", commit " + short(r.Commit)
			if r.Reason != "" {
				text += ": " + strings.ReplaceAll(r.Reason, "\n", "; ")
			}
			runs = append(runs, text)
		}
		facts = append(facts, fact{p.Role, strings.Join(runs, " | ")})
	}
	approval := ""
	if e.Approval != nil {
		approval = fmt.Sprintf("%s, digest %s, relay approve %s %.12s", e.Approval.Summary, e.Approval.Digest, e.Name, e.Approval.Digest)
	}
	var holds []string
	for _, h := range e.Holds {
		holds = append(holds, h.Repository+": "+strings.Join(strings.Fields(h.Text), " "))
	}
	slices.Sort(holds)
	return append(facts, fact{"approval", approval}, fact{"promotion", e.Promotion.State}, fact{"hold", strings.Join(holds, "; ")},
		fact{"not known", strings.Join(e.Problems, "; ")})
}
