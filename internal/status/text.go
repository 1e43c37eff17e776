package status

import (
	"fmt"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/terminal"
)

// column is where the values of all rows begin.
const column = 18

var statusStyles = map[pipelinestate.Status]string{
	pipelinestate.Running: terminal.Blue, pipelinestate.Waiting: terminal.Yellow, pipelinestate.Succeeded: terminal.Green,
	pipelinestate.Failed: terminal.Red, pipelinestate.Stopped: terminal.Yellow,
}

// Text lays the state out for people: a block for each environment.
func Text(p *terminal.Page, s Status) {
	for _, e := range s.Environments {
		p.Gap()
		e.text(p, s.At)
	}
}

func (e Environment) text(p *terminal.Page, now time.Time) {
	row := func(label string, parts ...terminal.Part) { p.Row(2, column, label, parts...) }
	p.Line(0, e.head(now)...)
	if r := e.Release; r != nil {
		row("commits", terminal.Text(fmt.Sprintf("software %s, image %s, infrastructure %s", short(r.Release.SoftwareCommit), short(r.Release.ImageCommit), short(r.Commit))))
	}
	row("deployed", e.deployed()...)
	for _, pipeline := range e.Pipelines {
		if len(pipeline.Runs) == 0 && pipeline.Role != "" {
			row(pipeline.Role, terminal.As(terminal.Faint, "never ran"))
		}
		for _, run := range pipeline.Runs {
			row(pipeline.Role, runParts(run, now)...)
		}
	}
	if a := e.Approval; a != nil {
		row("approval", terminal.As(terminal.Yellow, "waits for "+terminal.Ago(now, a.At)), terminal.Text(": "+a.Summary))
		row("", terminal.Text("digest "+a.Digest))
		row("", terminal.Text("report "+a.Report))
		row("", terminal.Text(fmt.Sprintf("relay approve %s %.12s", e.Name, a.Digest)))
	}
	if e.Promotion.State != "" {
		row("promotion", terminal.Text(e.Promotion.State+": "+e.Promotion.Meaning))
	}
	for _, h := range e.Holds {
		row("hold", terminal.As(terminal.Yellow, h.Repository+": "+strings.Join(strings.Fields(h.Text), " ")))
	}
	for _, problem := range e.Problems {
		row("not known", terminal.As(terminal.Red, problem))
	}
}

func (e Environment) head(now time.Time) []terminal.Part {
	name := terminal.As(terminal.Bold, e.Name+strings.Repeat(" ", max(1, column-len(e.Name))))
	if e.Release == nil {
		return []terminal.Part{name, terminal.Text("no release")}
	}
	return []terminal.Part{
		name, terminal.As(terminal.Bold, e.Release.Name()),
		terminal.Text(fmt.Sprintf(", named %s ago by %s", terminal.Ago(now, e.Release.Time), e.Release.Author)),
	}
}

func (e Environment) deployed() []terminal.Part {
	switch {
	case e.Deployed == nil || e.Deployed.AMI == "":
		return []terminal.Part{terminal.As(terminal.Faint, "nothing known")}
	case e.Differs():
		return []terminal.Part{terminal.As(terminal.Yellow, fmt.Sprintf("%s (%s): git names another release than the stack deployed", e.Deployed.ArtifactTag, e.Deployed.AMI))}
	}
	return []terminal.Part{terminal.As(terminal.Green, "as git says")}
}

func runParts(r pipelinestate.Run, now time.Time) []terminal.Part {
	parts := []terminal.Part{terminal.As(statusStyles[r.Status], string(r.Status))}
	if r.Stage != "" {
		parts = append(parts, terminal.Text(" at "+r.Stage))
	}
	parts = append(parts, terminal.Text(fmt.Sprintf(", %s ago, commit %s %s", terminal.Ago(now, r.Since), short(r.Commit), r.Subject)))
	for _, more := range []struct{ before, text string }{{"", r.Reason}, {"hint: ", r.Hint}, {"log: ", r.Log}} {
		if more.text != "" {
			parts = append(parts, terminal.Text("\n"+more.before+more.text))
		}
	}
	return parts
}

// short is the beginning of a commit's SHA-1.
func short(commit string) string {
	if commit == "" {
		return "unknown"
	}
	return fmt.Sprintf("%.12s", commit)
}
