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
)

// run carries one execution through its stages.
func (r *Runner) run(e *execution) {
	defer e.cancel()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Status: InProgress, Summary: e.Commit})
	status := Succeeded
	for i := range e.definition.Stages {
		if status = r.wait(e); status == Succeeded {
			status = r.stage(e, i)
		}
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
	// Nothing reads an execution's artifacts after its end; the logs stay.
	_ = os.RemoveAll(filepath.Join(r.opts.Dir, "executions", e.ID))
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Status: status})
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Status, e.Ended = status, time.Now()
	r.changed.Broadcast()
}

// wait waits until the stage that the execution stands before lets it in.
func (r *Runner) wait(e *execution) Status {
	select {
	case <-e.entered:
		return Succeeded
	case <-e.superseded:
		return Superseded
	case <-e.ctx.Done():
		return Stopped
	}
}

// stage runs the actions of one stage: by run order, those of the same run order at the same time. A stage that is skipped is as
// good as one that succeeded to what comes after it.
func (r *Runner) stage(e *execution, i int) Status {
	definition := e.definition.Stages[i]
	if status := r.gate(e, definition); status == Skipped {
		return Succeeded
	} else if status != Succeeded {
		return status
	}
	r.mu.Lock()
	e.Stages = append(e.Stages, Stage{Name: definition.Name, Status: InProgress})
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: definition.Name, Status: InProgress})

	byOrder := map[int][]*actionDefinition{}
	var orders []int
	for j := range definition.Actions {
		a := &definition.Actions[j]
		if byOrder[a.RunOrder] == nil {
			orders = append(orders, a.RunOrder)
		}
		byOrder[a.RunOrder] = append(byOrder[a.RunOrder], a)
	}
	slices.Sort(orders)
	status := Succeeded
	for _, order := range orders {
		if status != Succeeded {
			break
		}
		statuses := make([]Status, len(byOrder[order]))
		var group sync.WaitGroup
		for j, a := range byOrder[order] {
			group.Go(func() { statuses[j] = r.action(e, i, a) })
		}
		group.Wait()
		for _, s := range statuses {
			if s != Succeeded {
				status = s
			}
		}
	}
	r.mu.Lock()
	e.Stages[i].Status = status
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: definition.Name, Status: status})
	return status
}

// action runs one action and records how it went.
func (r *Runner) action(e *execution, stage int, a *actionDefinition) Status {
	name := e.definition.Stages[stage].Name
	r.mu.Lock()
	at := len(e.Stages[stage].Actions)
	e.Stages[stage].Actions = append(e.Stages[stage].Actions, Action{Name: a.Name, Status: InProgress, Started: time.Now()})
	r.mu.Unlock()
	r.log(Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: name, Action: a.Name, Status: InProgress})

	ctx, cancel := context.WithTimeoutCause(e.ctx, a.timeout(), fmt.Errorf("timed out after %s", a.timeout()))
	defer cancel()
	job := &job{runner: r, execution: e, stage: name, definition: a}
	summary, err := job.do(ctx)

	status, text := Succeeded, ""
	switch {
	case e.ctx.Err() != nil:
		status = Stopped
	case err != nil:
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		status, text = Failed, fmt.Sprintf("pipeline %q, stage %q, action %q: %s", e.Pipeline, name, a.Name, err)
	}
	r.mu.Lock()
	record := &e.Stages[stage].Actions[at]
	record.Status, record.Ended, record.Summary, record.Error, record.LogFile = status, time.Now(), summary, text, job.logFile
	r.mu.Unlock()
	r.log(Event{
		Pipeline: e.Pipeline, Execution: e.ID, Stage: name, Action: a.Name, Status: status, Summary: summary, Error: text,
	})
	return status
}
