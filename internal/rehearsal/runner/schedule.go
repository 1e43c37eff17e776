package runner

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// pipeline is a definition and who is where in it.
type pipeline struct {
	definition *pipelineDefinition
	stages     map[string]*stageLock // by stage name, so that the locks outlive a change of the definition
}

// stageLock lets one execution into a stage at a time. Its fields belong to Runner.mu.
type stageLock struct {
	holder  *execution
	waiting []*execution // oldest first
}

// execution is one execution and what it works with.
type execution struct {
	Execution
	// number orders executions by their start.
	number     int
	pipeline   *pipeline
	definition *pipelineDefinition
	ctx        context.Context
	cancel     context.CancelFunc
	entered    chan struct{} // one message for each stage that it may enter
	superseded chan struct{} // closed when a newer execution takes its place
	results    *results
}

// start begins an execution, in the order of the calls. The caller holds the lock.
func (r *Runner) start(name, branch, commit string) string {
	p := r.pipelines[name]
	e := &execution{
		Execution: Execution{
			ID: uuid.NewString(), Pipeline: name, Status: InProgress, Commit: commit, Branch: branch, Started: time.Now(),
		},
		number: len(r.executions), pipeline: p, definition: p.definition,
		entered: make(chan struct{}, 1), superseded: make(chan struct{}),
		results: &results{artifacts: map[string]artifact{}, variables: map[string]string{}},
	}
	e.ctx, e.cancel = context.WithCancel(r.ctx)
	r.executions = append(r.executions, e)
	r.arrive(e, 0)
	r.running.Go(func() { r.run(e) })
	return e.ID
}

// arrive puts the execution before a stage. The caller holds the lock.
func (r *Runner) arrive(e *execution, stage int) {
	if e.definition.ExecutionMode == modeParallel {
		e.entered <- struct{}{}
		return
	}
	name := e.definition.Stages[stage].Name
	lock := e.pipeline.stages[name]
	if lock == nil {
		lock = &stageLock{}
		e.pipeline.stages[name] = lock
	}
	lock.waiting = append(lock.waiting, e)
	slices.SortFunc(lock.waiting, func(a, b *execution) int { return a.number - b.number })
	if e.definition.ExecutionMode == modeSuperseded && lock.holder != nil {
		newest := lock.waiting[len(lock.waiting)-1]
		for _, older := range lock.waiting[:len(lock.waiting)-1] {
			close(older.superseded)
		}
		lock.waiting = []*execution{newest}
	}
	lock.admit()
}

// admit lets the oldest execution in when the stage is free.
func (l *stageLock) admit() {
	if l.holder == nil && len(l.waiting) > 0 {
		l.holder, l.waiting = l.waiting[0], l.waiting[1:]
		l.holder.entered <- struct{}{}
	}
}

// leave takes the execution out of a stage, whether it is in it or before it. The caller holds the lock.
func (r *Runner) leave(e *execution, stage int) {
	lock := e.pipeline.stages[e.definition.Stages[stage].Name]
	if lock == nil {
		return
	}
	lock.waiting = slices.DeleteFunc(lock.waiting, func(w *execution) bool { return w == e })
	if lock.holder == e {
		lock.holder = nil
	}
	lock.admit()
}
