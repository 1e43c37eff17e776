package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The errors of those who name what is not there, or ask for what cannot be.
var (
	// ErrNoPipeline, ErrNoStage, ErrNoAction and ErrNoExecution are names and IDs that do not exist.
	ErrNoPipeline  = errors.New("the pipeline does not exist")
	ErrNoStage     = errors.New("the stage does not exist")
	ErrNoAction    = errors.New("the action does not exist")
	ErrNoExecution = errors.New("the execution does not exist")
	// ErrNotRetryable is a stage in which nothing failed or was stopped, or whose pipeline changed since.
	ErrNotRetryable = errors.New("the stage cannot be retried")
	// ErrNotLatest is a stage that a newer execution entered since.
	ErrNotLatest = errors.New("a newer execution has entered the stage")
	// ErrNotStoppable is an execution that has ended.
	ErrNotStoppable = errors.New("the execution is not in progress")
	// ErrStopping is an execution that was asked to stop before.
	ErrStopping = errors.New("the execution is stopping already")
)

// named says whether a pipeline has a stage, and the stage an action; empty names are not looked for. The caller holds the lock.
func (r *Runner) named(pipeline, stage, action string) error {
	p := r.pipelines[pipeline]
	if p == nil {
		return fmt.Errorf("pipeline %q: %w; there are %q", pipeline, ErrNoPipeline, r.names())
	}
	if stage == "" {
		return nil
	}
	i := slices.IndexFunc(p.definition.Stages, func(s stageDefinition) bool { return s.Name == stage })
	if i < 0 {
		return fmt.Errorf("pipeline %q, stage %q: %w", pipeline, stage, ErrNoStage)
	}
	if action != "" && !slices.ContainsFunc(p.definition.Stages[i].Actions, func(a ActionDefinition) bool { return a.Name == action }) {
		return fmt.Errorf("pipeline %q, stage %q, action %q: %w", pipeline, stage, action, ErrNoAction)
	}
	return nil
}

// find looks an execution up. The caller holds the lock.
func (r *Runner) find(pipeline, id string) (*execution, error) {
	if err := r.named(pipeline, "", ""); err != nil {
		return nil, err
	}
	for _, e := range r.executions {
		if e.pipeline == r.pipelines[pipeline] && e.ID == id {
			return e, nil
		}
	}
	return nil, fmt.Errorf("pipeline %q, execution %q: %w", pipeline, id, ErrNoExecution)
}

// Stop stops an execution: its running actions end by themselves and nothing follows them, or they are abandoned. One that was asked
// to stop can still be abandoned. https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-stop.html. Its errors are
// ErrNoPipeline, ErrNoExecution, ErrNotStoppable and ErrStopping.
func (r *Runner) Stop(pipeline, id string, abandon bool, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.find(pipeline, id)
	switch {
	case err != nil:
		return err
	case !e.Status.Running():
		return fmt.Errorf("pipeline %q, execution %q is %s: %w", pipeline, id, e.Status, ErrNotStoppable)
	case e.Status == Stopping && !abandon:
		return fmt.Errorf("pipeline %q, execution %q: %w", pipeline, id, ErrStopping)
	case e.Status == InProgress:
		close(e.stop)
	}
	e.Status, e.Reason, e.Updated = Stopping, reason, time.Now()
	if abandon {
		e.cancel()
	}
	return nil
}

// Retry runs actions of a stage again in which an execution failed or was stopped, and goes on from there as the same execution:
// those that did not succeed, or all of them. https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html. Its errors
// are ErrNoPipeline, ErrNoStage, ErrNoExecution, ErrNotRetryable and ErrNotLatest.
func (r *Runner) Retry(pipeline, stage, id string, all bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.named(pipeline, stage, ""); err != nil {
		return err
	}
	e, err := r.find(pipeline, id)
	if err != nil {
		return err
	}
	i := len(e.Stages) - 1
	lock := e.pipeline.lock(stage)
	switch {
	case r.ctx.Err() != nil:
		return errors.New("the runner is closed")
	case e.definition.ExecutionMode != modeParallel && lock.latest != e:
		return fmt.Errorf("pipeline %q, stage %q, execution %q: %w", pipeline, stage, id, ErrNotLatest)
	case e.Status != Failed && e.Status != Stopped, i < 0 || e.Stages[i].Name != stage, e.pipeline.definition != e.definition:
		return fmt.Errorf("pipeline %q, stage %q, execution %q: %w", pipeline, stage, id, ErrNotRetryable)
	}
	done := map[string]bool{}
	for _, a := range e.Stages[i].Actions {
		done[a.Name] = !all && a.Status == Succeeded
	}
	left := slices.ContainsFunc(e.definition.Stages[i].Actions, func(a ActionDefinition) bool { return !done[a.Name] })
	if len(e.Stages[i].Actions) == 0 || !left {
		return fmt.Errorf("pipeline %q, stage %q, execution %q: no action failed: %w", pipeline, stage, id, ErrNotRetryable)
	}
	e.ctx, e.cancel = context.WithCancel(r.ctx)
	e.stop = make(chan struct{})
	e.Status, e.Reason, e.Updated, e.Ended = InProgress, "", time.Now(), time.Time{}
	if e.definition.ExecutionMode != modeParallel {
		lock.holder = e
	}
	e.entered <- struct{}{}
	r.running.Go(func() { r.run(e, i, done) })
	return nil
}

// SetTransition opens or closes the way into a stage; while it is closed, executions wait before the stage. Reason and by, an ARN,
// say why and who. Its errors are ErrNoPipeline and ErrNoStage.
func (r *Runner) SetTransition(pipeline, stage string, open bool, reason, by string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.named(pipeline, stage, ""); err != nil {
		return err
	}
	lock := r.pipelines[pipeline].lock(stage)
	lock.transition = Transition{Closed: !open, Reason: reason, By: by, Changed: time.Now()}
	lock.admit()
	return nil
}
