package status

import (
	"fmt"
	"slices"

	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/relaypage"
	"github.com/tekpossible/ha-devops/internal/report"
)

// Page is the state of a product's environments as a page.
func Page(product string, s Status) relaypage.Page {
	p := relaypage.Page{Title: "State of the relay", Product: product, At: s.At}
	for _, e := range s.Environments {
		p.Lanes = append(p.Lanes, e.lane())
	}
	return p
}

func (e Environment) lane() relaypage.Lane {
	l := relaypage.Lane{Environment: e.Name, Promotion: e.Promotion.Meaning, Problems: e.Problems}
	if e.Deployed != nil {
		l.Runs = pageRelease(e.Deployed.Release)
	}
	if e.Release != nil && e.Release.AMI != l.Runs.AMI {
		l.Named = pageRelease(e.release())
	}
	if a := e.Approval; a != nil {
		l.Waiting = &relaypage.Review{
			Since: a.At, Summary: a.Summary, Report: a.Report, Command: fmt.Sprintf("relay approve %s %.12s", e.Name, a.Digest),
		}
	}
	for _, h := range e.Holds {
		l.Holds = append(l.Holds, relaypage.Hold{Repository: h.Repository, Text: h.Text})
	}
	for _, pipeline := range e.Pipelines {
		for _, run := range slices.Backward(pipeline.Runs) {
			l.Executions = append(l.Executions, pageExecution(pipeline.Role, run))
		}
	}
	return l
}

func pageRelease(r report.Release) relaypage.Release {
	return relaypage.Release{ArtifactTag: r.ArtifactTag, AMI: r.AMI, SoftwareCommit: r.SoftwareCommit, ImageCommit: r.ImageCommit}
}

func pageExecution(role string, r pipelinestate.Run) relaypage.Execution {
	e := relaypage.Execution{
		Role: role, ID: r.Execution, Status: relaypage.Status(r.Status), Commit: r.Commit, Subject: r.Subject,
		Started: r.Started, Stage: r.Stage, Reason: r.Reason, Hint: r.Hint,
	}
	if r.Status != pipelinestate.Running && r.Status != pipelinestate.Waiting {
		e.Ended = r.Since
	}
	if r.Log != "" {
		e.Links = []relaypage.Link{{Text: "log", Address: r.Log}}
	}
	return e
}
