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
	created    time.Time
	updated    time.Time
}

// lock is the lock of a stage. The caller holds the runner's lock.
func (p *pipeline) lock(stage string) *stageLock {
	if p.stages[stage] == nil {
		p.stages[stage] = &stageLock{}
	}
	return p.stages[stage]
}

// stageLock lets one execution into a stage at a time; who waits for an approval in a stage holds it. Its fields belong to Runner.mu.
// The rules are those of https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html.
type stageLock struct {
	holder     *execution
	latest     *execution   // who entered last
	waiting    []*execution // oldest first
	transition Transition
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
	stop       chan struct{} // closed when nothing is to begin any more
	results    *results
}

// start begins an execution, in the order of the calls. The caller holds the lock.
func (r *Runner) start(name, branch, commit string, trigger Trigger) string {
	p, now := r.pipelines[name], time.Now()
	e := &execution{
		Execution: Execution{
			ID: uuid.NewString(), Pipeline: name, Version: p.definition.version, Mode: p.definition.ExecutionMode, Trigger: trigger,
			Status: InProgress, Commit: commit, Branch: branch, Started: now, Updated: now,
		},
		number: len(r.executions), pipeline: p, definition: p.definition,
		entered: make(chan struct{}, 1), superseded: make(chan struct{}), stop: make(chan struct{}),
		results: &results{artifacts: map[string]artifact{}, variables: map[string]string{}},
	}
	e.ctx, e.cancel = context.WithCancel(r.ctx)
	r.executions = append(r.executions, e)
	r.arrive(e, 0)
	r.running.Go(func() { r.run(e, 0, nil) })
	return e.ID
}

// arrive puts the execution before a stage. The caller holds the lock.
func (r *Runner) arrive(e *execution, stage int) {
	lock := e.pipeline.lock(e.definition.Stages[stage].Name)
	if e.definition.ExecutionMode == modeParallel {
		lock.latest = e
		e.entered <- struct{}{}
		return
	}
	lock.waiting = append(lock.waiting, e)
	slices.SortFunc(lock.waiting, func(a, b *execution) int { return a.number - b.number })
	if e.definition.ExecutionMode == modeSuperseded && (lock.holder != nil || lock.transition.Closed) {
		newest := lock.waiting[len(lock.waiting)-1]
		for _, older := range lock.waiting[:len(lock.waiting)-1] {
			older.Reason = "superseded by execution " + newest.ID
			close(older.superseded)
		}
		lock.waiting = []*execution{newest}
	}
	lock.admit()
}

// admit lets the oldest execution in when the stage is free and the way into it open.
func (l *stageLock) admit() {
	if l.holder == nil && len(l.waiting) > 0 && !l.transition.Closed {
		l.holder, l.waiting = l.waiting[0], l.waiting[1:]
		l.latest = l.holder
		l.holder.entered <- struct{}{}
	}
}

// leave takes the execution out of a stage, whether it is in it or before it. The caller holds the lock.
func (r *Runner) leave(e *execution, stage int) {
	lock := e.pipeline.lock(e.definition.Stages[stage].Name)
	lock.waiting = slices.DeleteFunc(lock.waiting, func(w *execution) bool { return w == e })
	if lock.holder == e {
		lock.holder = nil
	}
	lock.admit()
}
