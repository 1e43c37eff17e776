package runner

import (
	"fmt"
	"slices"
	"time"
)

// Pipeline is a pipeline's definition and who is where in it.
type Pipeline struct {
	Name, Mode string
	// Version counts the definition's changes from 1.
	Version int
	// Created and Updated are when the pipeline and its definition were put.
	Created, Updated time.Time
	Stages           []StageState
}

// StageState is a stage of a pipeline and who is in it and before it.
type StageState struct {
	Name string
	// Execution and Status are the execution that entered it last and what became of it there, empty before the first one.
	Execution string
	Status    Status
	// Inbound are the executions that wait before it, oldest first.
	Inbound []string
	// Transition is the way into it.
	Transition Transition
	// Actions are its actions as defined, Latest the newest run of each, empty when it never ran.
	Actions []ActionDefinition
	Latest  []Action
}

// Transition is the way into a stage. The zero value is open and was never closed.
type Transition struct {
	Closed     bool
	Reason, By string
	Changed    time.Time
}

// Pipelines are all pipelines, by name.
func (r *Runner) Pipelines() []Pipeline {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Pipeline
	for _, name := range r.names() {
		out = append(out, r.state(name))
	}
	return out
}

// Pipeline is one pipeline, or ErrNoPipeline.
func (r *Runner) Pipeline(name string) (Pipeline, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.named(name, "", ""); err != nil {
		return Pipeline{}, err
	}
	return r.state(name), nil
}

// state describes a pipeline that exists. The caller holds the lock.
func (r *Runner) state(name string) Pipeline {
	p := r.pipelines[name]
	out := Pipeline{Name: name, Mode: p.definition.ExecutionMode, Version: p.definition.version, Created: p.created, Updated: p.updated}
	for _, definition := range p.definition.Stages {
		s := StageState{Name: definition.Name, Actions: slices.Clone(definition.Actions), Latest: make([]Action, len(definition.Actions))}
		lock := p.lock(definition.Name)
		s.Transition = lock.transition
		for _, e := range lock.waiting {
			s.Inbound = append(s.Inbound, e.ID)
		}
		if lock.latest != nil {
			s.Execution, s.Status = lock.latest.ID, lock.latest.Status // it may be about to begin
		}
		for _, e := range r.executions {
			if e.pipeline != p {
				continue
			}
			for _, stage := range e.Stages {
				if stage.Name != definition.Name {
					continue
				}
				if e == lock.latest {
					s.Status = stage.Status
					if stage.Status == InProgress {
						s.Status = e.Status // or it is stopping
					}
				}
				s.note(stage.Actions)
			}
		}
		out.Stages = append(out.Stages, s)
	}
	return out
}

// note keeps the newest run of each action.
func (s *StageState) note(runs []Action) {
	for i, a := range s.Actions {
		for _, run := range runs {
			if run.Name == a.Name && !run.Started.Before(s.Latest[i].Started) {
				s.Latest[i] = run
			}
		}
	}
}

// ExecutionsOf are the executions of a pipeline, oldest first, or ErrNoPipeline.
func (r *Runner) ExecutionsOf(pipeline string) ([]Execution, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.named(pipeline, "", ""); err != nil {
		return nil, err
	}
	var out []Execution
	for _, e := range r.executions {
		if e.pipeline == r.pipelines[pipeline] {
			out = append(out, e.copy())
		}
	}
	return out, nil
}

// copy is the record of an execution as it is now. The caller holds the lock.
func (e *execution) copy() Execution {
	out := e.Execution
	out.Stages = slices.Clone(out.Stages)
	for i := range out.Stages {
		out.Stages[i].Actions = slices.Clone(out.Stages[i].Actions)
	}
	return out
}

// because is the reason of an execution that ended so: what was noted before, or the action that failed. The caller holds the lock.
func (e *execution) because(status Status) string {
	if e.Reason != "" || status != Failed {
		return e.Reason
	}
	stage := e.Stages[len(e.Stages)-1]
	for _, a := range slices.Backward(stage.Actions) {
		if a.Status == Failed {
			return fmt.Sprintf("stage %s: action %s failed", stage.Name, a.Name)
		}
	}
	return fmt.Sprintf("stage %s: its condition was not met", stage.Name)
}
