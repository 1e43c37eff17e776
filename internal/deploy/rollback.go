package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
)

// RolledBackError says that a release did not run and that the last good one was brought back, in git and on the systems.
type RolledBackError struct {
	// Release is the one that runs again, Commit the infrastructure repository's commit that names it.
	Release report.Release
	Commit  string
	// Reason is why the new one did not run.
	Reason error
}

// Error says what failed and what runs now.
func (e *RolledBackError) Error() string {
	return fmt.Sprintf("%v\nrolled back: %s %s runs again, as commit %.12s says", e.Reason, e.Release.ArtifactTag, e.Release.AMI, e.Commit)
}

// Unwrap returns why the new release did not run.
func (e *RolledBackError) Unwrap() error { return e.Reason }

// Hint says what to do.
func (e *RolledBackError) Hint() string {
	return "mend what failed and merge it; the next release comes by itself, nothing is on hold"
}

// rollBack brings the last good release back: first git, whose word the systems follow, then the systems. A run that is killed on this
// way leaves a record of the reason, with which the next one goes on.
func (d Deployment) rollBack(ctx context.Context, result deployment.Result, reason error) (deployment.Result, error) {
	good := d.Review.From
	if good.AMI == "" {
		return result, fmt.Errorf("%w\nnothing is rolled back: it is the first release", reason)
	}
	if err := d.Records.Fail(ctx, d.Digest, reason.Error()); err != nil {
		return result, errors.Join(reason, err)
	}
	d.Progress("the release does not run: %v", reason)
	d.Progress("rolling back to %s %s, git first", good.ArtifactTag, good.AMI)
	failed := func(err error) (deployment.Result, error) {
		return result, fmt.Errorf("%w\nrolling back failed; the next run of the stage goes on with it: %w", reason, err)
	}
	commit, err := d.restoreFiles(ctx)
	if err != nil {
		return failed(err)
	}
	if commit == "" {
		return result, fmt.Errorf("%w\nnothing is rolled back: branch %s has moved on, and its own review follows", reason, d.Review.Environment)
	}
	if err := d.restoreSystems(ctx, commit); err != nil {
		return failed(err)
	}
	result.Outcome, result.To, result.From, result.Reason, result.At = deployment.RolledBack, good, d.Review.To, reason.Error(), time.Now().UTC()
	if err := d.Records.End(ctx, result); err != nil {
		return failed(err)
	}
	return result, &RolledBackError{Release: good, Commit: commit, Reason: reason}
}

// restoreFiles commits what the files that matter said when the last good release was deployed, all in one commit, and returns the
// commit that says so now. It leaves a branch alone that has moved on, and returns no commit then. What holds the branch is meant for
// new releases and does not keep an old one from coming back.
func (d Deployment) restoreFiles(ctx context.Context) (string, error) {
	good := d.Review.From
	message := handoff.Message(fmt.Sprintf("Roll back to %s %s", good.ArtifactTag, good.AMI), release.Release{
		ArtifactTag: good.ArtifactTag, SoftwareCommit: good.SoftwareCommit, ImageCommit: good.ImageCommit, Execution: d.Run.Execution,
	})
	restored := ""
	result, err := handoff.Commit(ctx, d.Hub, d.Repository, d.Review.Environment, func(ctx context.Context, at github.Head) (handoff.Edit, error) {
		edit := handoff.Edit{Files: map[string][]byte{}, Message: message}
		restored = ""
		for _, file := range d.Matters {
			reviewed, err := d.Hub.ReadFile(ctx, d.Repository, d.Review.Commit, file)
			if err != nil {
				return edit, err
			}
			want, err := d.lastGood(ctx, file, reviewed)
			if err != nil {
				return edit, err
			}
			now, err := d.Hub.ReadFile(ctx, d.Repository, at.Commit, file)
			switch {
			case err != nil:
				return edit, err
			case same(now, want): // as after a run that was killed here
			case !same(now, reviewed):
				return handoff.Edit{Reason: "the branch has moved on"}, nil
			default:
				edit.Files[file] = want.Content // nil where there was no file
			}
		}
		restored = at.Commit
		return edit, nil
	})
	if result.Changed {
		restored = result.Commit
	}
	return restored, err
}

func same(a, b github.File) bool { return a.Exists == b.Exists && bytes.Equal(a.Content, b.Content) }

// lastGood is what a file said when the last good release was deployed. Where no commit of it is known, as after an update by hand, the
// release itself says what it was.
func (d Deployment) lastGood(ctx context.Context, file string, reviewed github.File) (github.File, error) {
	if d.Review.Previous != "" {
		return d.Hub.ReadFile(ctx, d.Repository, d.Review.Previous, file)
	}
	if file == release.AMIFile {
		return github.File{Exists: true, Content: []byte(release.FormatAMI(d.Review.From.AMI))}, nil
	}
	return reviewed, nil
}

// restoreSystems updates the stack to the commit that brought the last good release back, and waits until it runs.
func (d Deployment) restoreSystems(ctx context.Context, commit string) error {
	stack, err := d.Open(ctx, commit)
	if err != nil {
		return err
	}
	if err := d.unlocked(ctx, time.Now().Add(d.Patience)); err != nil {
		return err
	}
	if _, err := stack.Settle(ctx); err != nil {
		return err
	}
	plan := filepath.Join(d.Dir, "rollback.json")
	now, err := stack.Preview(ctx, plan)
	if err != nil {
		return err
	}
	if err := d.within(now); err != nil {
		return err
	}
	since := time.Now()
	outputs, err := stack.Up(ctx, plan, "relay rollback of review "+d.Digest)
	if err != nil {
		return err
	}
	return d.Rollout(ctx, outputs, since)
}

// within refuses to change anything on the way back that was not changed on the way there.
func (d Deployment) within(now preview.Preview) error {
	reviewed, err := preview.Parse(d.Review.Contents[review.PreviewFile])
	if err != nil {
		return err
	}
	touched := map[string]bool{}
	for _, r := range reviewed.Changed() {
		touched[r.URN] = true
	}
	var problems []error
	for _, r := range now.Changed() {
		if !touched[r.URN] {
			problems = append(problems, fmt.Errorf("%s would %s, and the deployment did not touch it", r.URN, r.Op))
		}
	}
	return errors.Join(problems...)
}
