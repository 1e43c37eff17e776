package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// ByHand leaves the reviews of these environments, from now on, to whoever decides on them through the API of CodePipeline, as relay
// approve does.
func (r *Rehearsal) ByHand(environments ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byHand = environments
}

func (r *Rehearsal) isByHand(environment string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.byHand, environment)
}

// Run is what became of an execution of a pipeline.
type Run struct {
	Pipeline string `json:"pipeline"`
	// Status is CodePipeline's word for it, or Waiting.
	Status runner.Status `json:"status"`
	// Reason is why it failed.
	Reason string `json:"reason,omitempty"`
}

// Waiting is a run that a person has to decide on.
const Waiting runner.Status = "Waiting"

// Failed says that it ended, and not well. One that a newer one overtook did not fail.
func (r Run) Failed() bool {
	return !slices.Contains([]runner.Status{runner.Succeeded, runner.Superseded, Waiting}, r.Status)
}

// Rest waits until no pipeline runs but those that wait for a person, and returns the runs after the first so many.
func (r *Rehearsal) Rest(ctx context.Context, after int) ([]Run, error) {
	for quiet := 0; ; {
		runs := r.runs()
		if slices.ContainsFunc(runs, func(run Run) bool { return run.Status.Running() }) {
			quiet = 0
		} else if quiet++; quiet > 2 { // a hand-off's commit starts the next pipeline before its own has ended
			return runs[after:], nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *Rehearsal) runs() []Run {
	var runs []Run
	for _, e := range r.Executions() {
		run := Run{Pipeline: e.Pipeline, Status: e.Status}
		switch {
		case e.Status.Running() && r.isByHand(e.Branch) && waits(e):
			run.Status = Waiting
		case run.Failed() && !e.Status.Running():
			run.Reason = fmt.Sprint(failure(e))
		}
		runs = append(runs, run)
	}
	return runs
}

func waits(e runner.Execution) bool {
	return slices.ContainsFunc(e.Stages, func(s runner.Stage) bool {
		return slices.ContainsFunc(s.Actions, func(a runner.Action) bool { return a.Token != "" && a.Status == runner.InProgress })
	})
}
