package rehearsal

import (
	"cmp"
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/relaypage"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/review"
)

// Page is the page of what was rehearsed so far; failed is what ended it, nil when nothing did. With kept, the directory that the page
// will lie in, it links to what Keep leaves behind; without, to nothing.
func (r *Rehearsal) Page(ctx context.Context, failed error, kept string) relaypage.Page {
	p := relaypage.Page{
		Title: "Rehearsal of the relay", Product: r.product, At: time.Now(),
		Note: "The program, the pipelines' commands, git and the software were real; AWS, GitHub and the instances simulated.",
	}
	if failed != nil {
		p.Failure = failed.Error()
	}
	for _, environment := range Environments() {
		p.Lanes = append(p.Lanes, r.lane(ctx, environment, kept))
	}
	return p
}

func (r *Rehearsal) lane(ctx context.Context, environment, kept string) relaypage.Lane {
	l := relaypage.Lane{Environment: environment}
	for _, i := range r.aws.Instances(r.pipeline(environment, "app")) {
		l.Runs = r.releaseOf(i.ImageID)
		l.Instances = append(l.Instances, relaypage.Instance{ID: i.ID, AMI: i.ImageID, Health: string(i.Health), Healthy: i.Health == awssim.Healthy})
	}
	// A repository that is not provisioned yet has no files, which is no problem to speak of.
	if file, err := r.File(ctx, "infrastructure", environment, release.AMIFile); err == nil {
		if ami, err := release.ParseAMI(string(file)); err == nil && ami != l.Runs.AMI {
			l.Named = r.releaseOf(ami)
		}
	}
	for _, role := range []string{"image", "infrastructure"} {
		if text, err := r.File(ctx, role, environment, release.HoldFile); err == nil && len(text) > 0 {
			l.Holds = append(l.Holds, relaypage.Hold{Repository: r.product + "-" + role, Text: strings.TrimSpace(string(text))})
		}
	}
	prefix := r.pipeline(environment, "")
	for _, e := range r.Executions() {
		role, ok := strings.CutPrefix(e.Pipeline, prefix)
		if !ok {
			continue
		}
		row := r.row(role, e, kept)
		if row.Status == relaypage.Waiting {
			l.Waiting = &relaypage.Review{Since: row.Stages[len(row.Stages)-1].Started}
		}
		l.Executions = append(l.Executions, row)
	}
	return l
}

func (r *Rehearsal) releaseOf(ami string) relaypage.Release {
	image, _ := r.aws.Image(ami)
	from := release.FromTags(image.Tags)
	return relaypage.Release{ArtifactTag: from.ArtifactTag, AMI: ami, SoftwareCommit: from.SoftwareCommit, ImageCommit: from.ImageCommit}
}

var pageStatus = map[runner.Status]relaypage.Status{
	runner.InProgress: relaypage.Running, runner.Stopping: relaypage.Running, runner.Succeeded: relaypage.Succeeded, runner.Failed: relaypage.Failed,
	runner.Superseded: relaypage.Superseded, runner.Stopped: relaypage.Stopped, runner.Abandoned: relaypage.Stopped,
}

func (r *Rehearsal) row(role string, e runner.Execution, kept string) relaypage.Execution {
	subject, _, _ := strings.Cut(e.Message, "\n")
	row := relaypage.Execution{
		Role: role, ID: e.ID, Status: pageStatus[e.Status], Commit: e.Commit, Subject: subject, Started: e.Started, Ended: e.Ended,
	}
	for _, s := range e.Stages {
		stage := relaypage.Stage{Name: s.Name, Status: pageStatus[s.Status]}
		for _, a := range s.Actions {
			if stage.Started.IsZero() || a.Started.Before(stage.Started) {
				stage.Started = a.Started
			}
			if a.Ended.After(stage.Ended) {
				stage.Ended = a.Ended
			}
			if a.Status == runner.InProgress && a.Token != "" {
				stage.Status, row.Status = relaypage.Waiting, relaypage.Waiting
			}
			row.Links = append(row.Links, r.links(a, kept)...)
		}
		if len(s.Actions) == 0 {
			continue
		}
		if stage.Status == relaypage.Running || stage.Status == relaypage.Waiting {
			stage.Ended = time.Time{}
		}
		row.Stages = append(row.Stages, stage)
		row.Stage = s.Name
	}
	switch row.Status {
	case relaypage.Succeeded:
		row.Stage = ""
	case relaypage.Failed:
		row.Reason = failureOf(e)
	default:
		row.Reason = e.Reason
	}
	return row
}

func failureOf(e runner.Execution) string {
	for _, stage := range e.Stages {
		for _, action := range slices.Backward(stage.Actions) {
			if action.Status == runner.Failed {
				return reason(action.Error)
			}
		}
	}
	return cmp.Or(e.Reason, "it failed")
}

// links are to the review and the log of an action, where Keep leaves them.
func (r *Rehearsal) links(a runner.Action, kept string) (links []relaypage.Link) {
	add := func(text, path string) {
		if relative, err := filepath.Rel(kept, path); err == nil {
			links = append(links, relaypage.Link{Text: text, Address: (&url.URL{Path: filepath.ToSlash(relative)}).String()})
		}
	}
	if kept == "" {
		return nil
	}
	if folder, ok := strings.CutPrefix(a.Variables["REVIEW_URI"], "s3://"); ok {
		add("review", filepath.Join(r.options.Dir, bucketsDir, filepath.FromSlash(folder), review.PageFile))
	}
	if a.LogFile != "" {
		add("log of "+a.Name, a.LogFile)
	}
	return links
}
