// Package runner is CodePipeline V2 and CodeBuild on this machine: it executes the pipelines and build projects that were
// provisioned, given as the inputs of aws:codepipeline/pipeline:Pipeline and aws:codebuild/project:Project, and nothing
// else. A setting that matters and that it does not know is an error that names it.
//
// It knows neither AWS nor GitHub nor Pulumi: repositories, parameters, secrets and approvals come through Options.
package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options says what the runner runs in and asks of others. Dir, Clone and Environ are required.
type Options struct {
	// Dir is the folder for logs, artifacts, caches and builds.
	Dir string
	// Connection says why a connection to GitHub cannot be used, by its ARN. Nil: every one can.
	Connection func(arn string) error
	// Clone makes a full clone of a repository ("owner/name") at dest, with the commit checked out on the branch. An empty
	// commit means the branch's newest.
	Clone func(ctx context.Context, repository, branch, commit, dest string) error
	// Parameter looks an SSM parameter up by name or ARN; Secret a Secrets Manager secret. Nil: there are none.
	Parameter, Secret func(name string) (value string, found bool)
	// Environ is the environment of the build machine, such as PATH, AWS_REGION and AWS_ENDPOINT_URL. HOME is set by the
	// runner.
	Environ func() []string
	// Approve waits for the decision on an approval; the context ends when the runner closes, the action times out or Decide was
	// first. Nil: approvals wait for Decide.
	Approve func(context.Context, Approval) (approved bool, comment string, err error)
	// Approver is the ARN that decisions of Approve are recorded with.
	Approver string
	// Account is the number of the account that builds run in, 12 digits; empty means zeros.
	Account string
	// Log gets every change of status, one call at a time, and must not call the runner. Nil: nobody listens.
	Log func(Event)
}

// Event is one change of status.
type Event struct {
	// Time is when it happened.
	Time time.Time
	// Pipeline and Execution say whose status changed; Stage and Action are empty for the execution itself.
	Pipeline, Execution, Stage, Action string
	// Status is the new status.
	Status Status
	// Summary is one line about it, Error the whole error of a failure.
	Summary, Error string
}

// Runner runs pipelines. Its methods may be called at the same time.
type Runner struct {
	opts   Options
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	changed    *sync.Cond // an execution ended
	pipelines  map[string]*pipeline
	projects   map[string]*project
	builds     []*Build // oldest first
	executions []*execution
	requests   map[string]*request // for approvals, by token
	running    sync.WaitGroup
	logging    sync.Mutex
}

// New makes a runner without pipelines.
func New(opts Options) *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Runner{
		opts: opts, ctx: ctx, cancel: cancel,
		pipelines: map[string]*pipeline{}, projects: map[string]*project{}, requests: map[string]*request{},
	}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// PutPipeline creates a pipeline or changes its definition. Executions under way keep the definition they began with.
func (r *Runner) PutPipeline(name string, inputs map[string]any) error {
	definition, err := decodePipeline(name, inputs)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pipelines[name]
	if p == nil {
		p = &pipeline{definition: &pipelineDefinition{}, stages: map[string]*stageLock{}, created: time.Now()}
		r.pipelines[name] = p
	}
	definition.version = p.definition.version + 1
	p.definition, p.updated = definition, time.Now()
	return nil
}

// DeletePipeline removes a pipeline and stops its executions.
func (r *Runner) DeletePipeline(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pipelines, name)
	for _, e := range r.executions {
		if e.Pipeline == name {
			e.cancel()
		}
	}
}

// PutProject creates a build project or changes it; builds under way keep what they began with.
func (r *Runner) PutProject(name string, inputs map[string]any) error {
	p, err := decodeProject(name, inputs)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.projects[name] = p
	return nil
}

// DeleteProject removes a build project.
func (r *Runner) DeleteProject(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.projects, name)
}

// HasProject says whether there is a build project of this name.
func (r *Runner) HasProject(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.projects[name] != nil
}

// Move says that a branch of a repository ("owner/name") moved to a commit and which paths changed with it. It starts
// every pipeline whose trigger matches and returns the IDs of the executions.
func (r *Runner) Move(repository, branch, commit string, paths []string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return nil
	}
	var started []string
	for _, name := range r.names() {
		if r.pipelines[name].definition.starts(repository, branch, paths) {
			started = append(started, r.start(name, branch, commit, Trigger{TriggerPush, repository + " " + branch}))
		}
	}
	return started
}

// Triggers are the names of the pipelines that a move of the branch can start, whatever paths change with it.
func (r *Runner) Triggers(repository, branch string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, name := range r.names() {
		if r.pipelines[name].definition.listens(repository, branch) {
			out = append(out, name)
		}
	}
	return out
}

// Start starts a pipeline by hand at a commit of its branch, the newest when commit is empty, and returns the
// execution's ID.
func (r *Runner) Start(name, commit string) (string, error) { return r.StartAs("", name, commit) }

// StartAs is Start with the ARN of who starts it. It returns ErrNoPipeline for a pipeline that does not exist.
func (r *Runner) StartAs(who, name, commit string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.named(name, "", ""); err != nil {
		return "", err
	}
	if r.ctx.Err() != nil {
		return "", errors.New("the runner is closed")
	}
	return r.start(name, "", commit, Trigger{TriggerStart, who}), nil
}

// names are the pipelines' names in order. The caller holds the lock.
func (r *Runner) names() []string {
	var out []string
	for name := range r.pipelines {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Executions are all executions since the runner was made, oldest first.
func (r *Runner) Executions() []Execution {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Execution
	for _, e := range r.executions {
		out = append(out, e.copy())
	}
	return out
}

// Idle says that no execution is in progress.
func (r *Runner) Idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.idle()
}

func (r *Runner) idle() bool {
	return !slices.ContainsFunc(r.executions, func(e *execution) bool { return e.Status.Running() })
}

// Wait waits until no execution is in progress; one that waits for an approval is.
func (r *Runner) Wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changed.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.idle() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.changed.Wait()
	}
	return nil
}

// Close stops every execution, ends the processes of their builds and waits until they are gone. The logs stay.
func (r *Runner) Close() {
	r.mu.Lock() // nothing starts after this
	r.cancel()
	r.mu.Unlock()
	r.running.Wait()
	_ = os.RemoveAll(filepath.Join(r.opts.Dir, "executions"))
}

func (r *Runner) log(e Event) {
	if r.opts.Log == nil {
		return
	}
	r.logging.Lock()
	defer r.logging.Unlock()
	e.Time = time.Now()
	r.opts.Log(e)
}

// dir makes and returns a folder under Options.Dir.
func (r *Runner) dir(parts ...string) (string, error) {
	path := filepath.Join(append([]string{r.opts.Dir}, parts...)...)
	return path, os.MkdirAll(path, 0o755)
}
