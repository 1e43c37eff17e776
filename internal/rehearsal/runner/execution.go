package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// run carries one execution through its stages from one on; the actions of that one which are done do not run again.
func (r *Runner) run(e *execution, first int, done map[string]bool) {
	defer e.cancel()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Status: InProgress, Summary: e.Commit})
	status := Succeeded
	for i := first; i < len(e.definition.Stages); i++ {
		if status = r.wait(e); status == Succeeded {
			status = r.stage(e, i, done)
		}
		done = nil
		r.mu.Lock()
		// Arriving before leaving keeps a newer execution from slipping past.
		if last := i == len(e.definition.Stages)-1; status == Succeeded && !last {
			r.arrive(e, i+1)
		}
		r.leave(e, i)
		r.mu.Unlock()
		if status != Succeeded {
			break
		}
	}
	if status == Succeeded || status == Superseded {
		// Nothing reads its artifacts any more, as a retry of one that failed or was stopped does; the logs stay.
		_ = os.RemoveAll(filepath.Join(r.opts.Dir, "executions", e.ID))
	}
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Status: status})
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Status, e.Reason, e.Ended = status, e.because(status), time.Now()
	e.Updated = e.Ended
	r.changed.Broadcast()
}

// wait waits until the stage that the execution stands before lets it in.
func (r *Runner) wait(e *execution) Status {
	select {
	case <-e.entered:
		return Succeeded
	case <-e.superseded:
		return Superseded
	case <-e.stop:
		return Stopped
	case <-e.ctx.Done():
		return Stopped
	}
}

// stopping says that nothing is to begin any more.
func (e *execution) stopping() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// stage runs the actions of one stage: by run order, those of the same run order at the same time. A stage that is skipped is as
// good as one that succeeded to what comes after it. A stage that is retried was let in before.
func (r *Runner) stage(e *execution, i int, done map[string]bool) Status {
	definition := e.definition.Stages[i]
	if again := i < len(e.Stages); !again {
		if status := r.gate(e, definition); status == Skipped {
			return Succeeded
		} else if status != Succeeded {
			return status
		}
	}
	r.mu.Lock()
	if i == len(e.Stages) {
		e.Stages = append(e.Stages, Stage{Name: definition.Name})
	}
	e.Stages[i].Status, e.Updated = InProgress, time.Now()
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: definition.Name, Status: InProgress})

	byOrder := map[int][]*ActionDefinition{}
	var orders []int
	for j := range definition.Actions {
		a := &definition.Actions[j]
		if done[a.Name] {
			continue
		}
		if byOrder[a.RunOrder] == nil {
			orders = append(orders, a.RunOrder)
		}
		byOrder[a.RunOrder] = append(byOrder[a.RunOrder], a)
	}
	slices.Sort(orders)
	status := Succeeded
	for _, order := range orders {
		if status != Succeeded || e.stopping() {
			break
		}
		statuses := make([]Status, len(byOrder[order]))
		var group sync.WaitGroup
		for j, a := range byOrder[order] {
			group.Go(func() { statuses[j] = r.action(e, i, a) })
		}
		group.Wait()
		for _, s := range statuses {
			if s == Abandoned {
				status = Stopped
			} else if s != Succeeded {
				status = s
			}
		}
	}
	if e.stopping() {
		status = Stopped
	}
	r.mu.Lock()
	e.Stages[i].Status, e.Updated = status, time.Now()
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: definition.Name, Status: status})
	return status
}

// action runs one action and records how it went.
func (r *Runner) action(e *execution, stage int, a *ActionDefinition) Status {
	name := e.definition.Stages[stage].Name
	job := &job{runner: r, execution: e, stage: name, stageAt: stage, definition: a, attempt: 1}
	r.mu.Lock()
	for _, earlier := range e.Stages[stage].Actions {
		if earlier.Name == a.Name {
			job.attempt++
		}
	}
	job.at = len(e.Stages[stage].Actions)
	e.Stages[stage].Actions = append(e.Stages[stage].Actions, Action{
		ID: uuid.NewString(), Name: a.Name, Definition: *a, Status: InProgress, Started: time.Now(),
	})
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: name, Action: a.Name, Status: InProgress})

	ctx, cancel := context.WithTimeoutCause(e.ctx, a.timeout(), fmt.Errorf("timed out after %s", a.timeout()))
	defer cancel()
	summary, err := job.do(ctx)

	status, text := Succeeded, ""
	switch {
	case e.ctx.Err() != nil:
		status = Abandoned
	case err != nil:
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		status, text = Failed, fmt.Sprintf("pipeline %q, stage %q, action %q: %s", e.Pipeline, name, a.Name, err)
	}
	r.mu.Lock()
	record := job.record()
	record.Status, record.Ended, record.Summary, record.Error = status, time.Now(), summary, text
	e.Updated = record.Ended
	r.mu.Unlock()
	r.log(Event{
		Pipeline: e.Pipeline, Execution: e.ID, Stage: name, Action: a.Name, Status: status, Summary: summary, Error: text,
	})
	return status
}
