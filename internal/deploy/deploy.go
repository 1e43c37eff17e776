// Package deploy carries out exactly what was reviewed and approved, or nothing. It refuses whatever is not as it was when the review
// was made, waits until the release runs, and brings the last good release back when it does not. A run that was killed is finished by
// the next one. It knows the stack, the pipeline and the repository through small interfaces, and no command line.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

// Stack is the environment's stack, opened at a commit of the infrastructure repository.
type Stack interface {
	Settle(ctx context.Context) (stack.State, error)
	Preview(ctx context.Context, planFile string) (preview.Preview, error)
	Up(ctx context.Context, planFile, message string) (outputs map[string]string, err error)
	// Forget takes the notes of creations that were cut short out of the state.
	Forget(ctx context.Context) error
}

// Approvals is what is known of the pipeline's approval.
type Approvals interface {
	Of(ctx context.Context, execution, digest string) (approval.Approval, bool, error)
	Newer(ctx context.Context, execution string) (string, error)
}

// Owners know whether the process that holds something has ended.
type Owners interface {
	Gone(ctx context.Context, lease deployment.Lease) (bool, error)
	// OfLock knows of a lock by the lease of the deployment that took it.
	OfLock(ctx context.Context, lock statelock.Lock, last deployment.Lease) (owner.Finding, error)
}

// Deployment is one approved review that is to be deployed.
type Deployment struct {
	// Review is what was approved under Digest, Run what is there now.
	Review review.Review
	Digest string
	Run    review.Run
	// SeparateApprover refuses what an author of the change approved.
	SeparateApprover bool
	Approvals        Approvals

	// Open opens the stack at a commit.
	Open func(ctx context.Context, commit string) (Stack, error)
	// Dir is a directory for plans.
	Dir string

	// Hub has Repository, the infrastructure repository. Matters are the files in it that decide what is deployed, Grounds those that
	// decided on the review's findings.
	Hub              handoff.Hub
	Repository       string
	Matters, Grounds []string

	Records deployment.Records
	Locks   statelock.Locks
	// Lease is this run's; Owners know whether the process of another one's, or of a lock, has ended.
	Lease  deployment.Lease
	Owners Owners
	// before is the lease of the killed run that this one takes the place of.
	before deployment.Lease
	// Account is where the systems are. Tags are on everything there that is the environment's.
	Account Account
	Tags    map[string]string
	// Patience is how long another deployment and the stack's lock are waited for.
	Patience time.Duration

	// Rollout waits until what the update left runs everywhere since a time, and says why it does not.
	Rollout  func(ctx context.Context, outputs map[string]string, since time.Time) error
	Progress func(format string, args ...any)
}

// Do deploys. Its error wraps a *review.Refusal when nothing was changed, and is a *RolledBackError when the last good release was
// brought back. A review that was deployed before is a success.
func (d Deployment) Do(ctx context.Context) (result deployment.Result, err error) {
	release, err := d.take(ctx)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if done, ended, err := d.Records.Ended(ctx, d.Digest); err != nil || ended {
		return done, errors.Join(err, d.over(done))
	}
	result = deployment.Result{
		Outcome: deployment.Deployed, Review: d.Digest, Commit: d.Review.Commit, Execution: d.Run.Execution, From: d.Review.From, To: d.Review.To,
	}
	if reason, failed, err := d.Records.Failed(ctx, d.Digest); err != nil || failed {
		if err != nil {
			return result, err
		}
		return d.rollBack(ctx, result, errors.New(reason)) // an earlier run was killed on its way back
	}
	approved, err := d.permitted(ctx)
	if err != nil {
		return result, err
	}
	result.ApprovedBy, result.Comment = approved.By, approved.Comment
	if !approved.At.IsZero() {
		result.ApprovedAt = &approved.At
	}
	outputs, since, err := d.apply(ctx)
	if err != nil {
		return result, err
	}
	if err := d.Rollout(ctx, outputs, since); err != nil {
		if ctx.Err() != nil {
			return result, err // stopped, not failed: the next run waits on
		}
		return d.rollBack(ctx, result, err)
	}
	result.At = time.Now().UTC()
	return result, d.Records.End(ctx, result)
}

// over says what a review that was deployed before means to this run.
func (d Deployment) over(done deployment.Result) error {
	if done.Outcome != deployment.RolledBack {
		return nil
	}
	return &review.Refusal{
		What: "review " + d.Digest, Expected: "one that was not deployed yet", Found: "that it was rolled back: " + done.Reason,
		Remedy: "mend what failed and commit it; its pipeline makes a new review",
	}
}

// apply updates the stack to what was reviewed, bound to the plan, and returns its outputs and when the deployment began.
func (d Deployment) apply(ctx context.Context) (map[string]string, time.Time, error) {
	reviewed, err := d.Open(ctx, d.Review.Commit)
	if err != nil {
		return nil, time.Time{}, err
	}
	ends := time.Now().Add(d.Patience)
	for {
		if err := d.unlocked(ctx, ends); err != nil {
			return nil, time.Time{}, err
		}
		plan, start, err := d.prepare(ctx, reviewed)
		var outputs map[string]string
		if err == nil {
			outputs, err = reviewed.Up(ctx, plan, d.message())
		}
		if errors.Is(err, stack.ErrLocked) && time.Now().Before(ends) {
			d.Progress("another update took the stack's lock first; everything is checked again when it is free")
			continue
		}
		return outputs, start.At, err
	}
}

// message stands in the stack's history, where a later run of the same review finds it.
func (d Deployment) message() string { return "relay deploy of review " + d.Digest }

// prepare checks that the update would do what was reviewed and nothing else, and returns the plan to bind it to.
func (d Deployment) prepare(ctx context.Context, s Stack) (string, deployment.Start, error) {
	state, err := s.Settle(ctx)
	if err != nil {
		return "", deployment.Start{}, err
	}
	start, began, err := d.Records.Began(ctx, d.Digest)
	if err != nil {
		return "", start, err
	}
	reviewed, err := preview.Parse(d.Review.Contents[review.PreviewFile])
	if err != nil {
		return "", start, fmt.Errorf("%s: %w", review.PreviewFile, err)
	}
	// The state is another one after a run of this very review was cut short, if that came far enough: then this one goes on where it stopped.
	moved := state.Digest != d.Review.State
	cut := began && start.State == d.Review.State && (!moved || state.Update == start.Update || state.Message == d.message())
	resumes := cut && moved
	if !resumes {
		if err := d.Review.StateMoved(state.Digest); err != nil {
			return "", start, err
		}
	}
	if cut {
		if cleared, err := d.clearUp(ctx, s, state, reviewed, start); err != nil {
			return "", start, err
		} else if cleared {
			return d.prepare(ctx, s) // it may have taken minutes: the state is looked at again
		}
	}
	fresh := filepath.Join(d.Dir, "now.json")
	now, err := s.Preview(ctx, fresh)
	if err != nil {
		return "", start, err
	}
	if resumes {
		d.Progress("an earlier run of this review was cut short; going on with %s", now.Summary())
		return fresh, start, review.Differs(preview.NotRemaining(reviewed, now))
	}
	if err := review.Differs(preview.Differences(reviewed, now)); err != nil {
		return "", start, err
	}
	plan := filepath.Join(d.Dir, review.PlanFile)
	if err := os.WriteFile(plan, d.Review.Contents[review.PlanFile], 0o600); err != nil {
		return "", start, err
	}
	start, err = d.Records.Begin(ctx, d.Digest, deployment.Start{State: state.Digest, Update: state.Update, At: time.Now().UTC()})
	return plan, start, err
}
