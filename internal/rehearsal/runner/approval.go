package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Approval is one manual approval that waits.
type Approval struct {
	// Pipeline, Execution, Stage and Action say where it waits; Environment is the branch of the source.
	Pipeline, Environment, Execution, Stage, Action string
	// Token identifies it to Decide.
	Token string
	// CustomData and ExternalEntityLink are the action's configuration, with variables resolved.
	CustomData, ExternalEntityLink string
	// Variables are all output variables so far, by "namespace.name".
	Variables map[string]string
}

// Decision is an answer to a manual approval.
type Decision struct {
	// Pipeline, Stage and Action say which approval, Token which request for it.
	Pipeline, Stage, Action, Token string
	// Approved is the decision, Summary the approver's comment, By the approver's ARN.
	Approved    bool
	Summary, By string
}

// The errors of Decide.
var (
	// ErrToken is a token that no approval waits with: unknown, another action's, or one that expired with its action.
	ErrToken = errors.New("the approval token is not one of a request that waits")
	// ErrDecided is an approval that was decided before.
	ErrDecided = errors.New("the approval was already approved or rejected")
)

// request is a manual approval that waits or waited. Its fields belong to Runner.mu.
type request struct {
	job     *job
	token   string
	decided bool // by Decide or by Options.Approve
	ended   bool // it waits no more
	// approved, summary and err are the outcome, once done is closed.
	approved bool
	summary  string
	err      error
	done     chan struct{}
}

// Decide answers a manual approval that waits, and returns when it was decided. Who comes first decides: Decide or Options.Approve.
// Its errors are ErrNoPipeline, ErrNoStage, ErrNoAction, ErrToken and ErrDecided.
func (r *Runner) Decide(d Decision) (time.Time, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// The token goes before the names: the definition may have changed since the execution began.
	q := r.requests[d.Token]
	if q == nil || q.job.execution.Pipeline != d.Pipeline || q.job.stage != d.Stage || q.job.definition.Name != d.Action {
		if err := r.named(d.Pipeline, d.Stage, d.Action); err != nil {
			return time.Time{}, err
		}
		return time.Time{}, fmt.Errorf("pipeline %q, stage %q, action %q: %w", d.Pipeline, d.Stage, d.Action, ErrToken)
	}
	switch {
	case q.decided:
		return time.Time{}, fmt.Errorf("pipeline %q, stage %q, action %q: %w", d.Pipeline, d.Stage, d.Action, ErrDecided)
	case q.ended:
		return time.Time{}, fmt.Errorf("pipeline %q, stage %q, action %q: %w", d.Pipeline, d.Stage, d.Action, ErrToken)
	}
	return q.decide(d.Approved, d.Summary, d.By), nil
}

// decide ends the waiting with a decision, which is to be seen at once. The caller holds the lock.
func (q *request) decide(approved bool, summary, by string) time.Time {
	q.decided, q.ended, q.approved, q.summary = true, true, approved, summary
	record := q.job.record()
	record.Status, record.Ended, record.By, record.Summary = Failed, time.Now(), by, summary
	if approved {
		record.Status = Succeeded
	}
	close(q.done)
	return record.Ended
}

// approve waits for a decision.
func (j *job) approve(ctx context.Context, config map[string]string) (string, error) {
	r, e := j.runner, j.execution
	q := &request{job: j, token: uuid.NewString(), done: make(chan struct{})}
	r.mu.Lock()
	r.requests[q.token] = q
	j.record().Token = q.token
	approval := Approval{
		Pipeline: e.Pipeline, Environment: e.Branch, Execution: e.ID, Stage: j.stage, Action: j.definition.Name, Token: q.token,
		CustomData: config["CustomData"], ExternalEntityLink: config["ExternalEntityLink"], Variables: e.results.all(),
	}
	r.mu.Unlock()
	if r.opts.Approve != nil {
		asking, cancel := context.WithCancel(ctx)
		defer cancel()
		r.running.Go(func() { r.ask(asking, q, approval) })
	}
	select {
	case <-q.done:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	q.ended = true
	switch {
	case q.err != nil:
		return "", fmt.Errorf("waiting for the approval: %w", q.err)
	case !q.decided:
		return "", fmt.Errorf("waiting for the approval: %w", context.Cause(ctx))
	case !q.approved:
		return q.summary, errors.New("rejected: " + q.summary)
	}
	return q.summary, nil
}

// ask has Options.Approve decide.
func (r *Runner) ask(ctx context.Context, q *request, approval Approval) {
	approved, comment, err := r.opts.Approve(ctx, approval)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case q.ended:
	case err != nil:
		q.ended, q.err = true, err
		close(q.done)
	default:
		q.decide(approved, comment, r.opts.Approver)
	}
}
