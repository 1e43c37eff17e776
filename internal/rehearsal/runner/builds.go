package runner

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Build is one build of a project, as CodeBuild describes it:
// https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html.
type Build struct {
	// ID is what the build itself finds in CODEBUILD_BUILD_ID; Number counts the project's builds from 1.
	ID      string
	Project string
	Number  int
	// Pipeline and Execution say what runs it, Commit what it builds.
	Pipeline, Execution, Commit string
	// Action is the name of the action that it runs for.
	Action string
	// Status is IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT or STOPPED, Phase the phase that it is in, COMPLETED at the end.
	Status, Phase string
	// Started and Ended are the times; Ended is zero while it runs.
	Started, Ended time.Time
	// LogFile is the path of its log.
	LogFile string

	pid int // of its shell, 0 before it started
}

// Builds are all builds since the runner was made, oldest first.
func (r *Runner) Builds() []Build {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Build
	for _, b := range r.builds {
		out = append(out, *b)
	}
	return out
}

// newBuild records a build that begins.
func (r *Runner) newBuild(j *job, project string) *Build {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := j.execution
	b := &Build{
		Project: project, Number: 1, Pipeline: e.Pipeline, Execution: e.ID, Commit: e.Commit, Action: j.definition.Name, Status: buildRuns, Phase: "SUBMITTED",
		Started: time.Now(), LogFile: j.logFile,
	}
	for _, other := range r.builds {
		if other.Project == project {
			b.Number++
		}
	}
	b.ID = fmt.Sprintf("%s:%s-%d", project, e.ID, b.Number)
	r.builds = append(r.builds, b)
	return b
}

// Kill ends the processes of a build with SIGKILL, as when its machine dies, which fails its action. A build that has ended, or does not
// exist, is left alone.
func (r *Runner) Kill(build string) error {
	r.mu.Lock()
	pid := 0
	for _, b := range r.builds {
		if b.ID == build && b.Status == buildRuns {
			pid = b.pid
		}
	}
	r.mu.Unlock()
	if pid == 0 {
		return nil
	}
	return kill(pid)
}

// buildRuns is the status of a build that has not ended.
const buildRuns = "IN_PROGRESS"

// Running says that the build has not ended.
func (b Build) Running() bool { return b.Status == buildRuns }

// started notes the build's process.
func (b *build) started(pid int) {
	b.job.runner.mu.Lock()
	defer b.job.runner.mu.Unlock()
	b.record.pid = pid
}

// phase notes the phase that the build is in.
func (b *build) phase(name string) {
	b.job.runner.mu.Lock()
	defer b.job.runner.mu.Unlock()
	b.record.Phase = name
}

// end notes how the build ended; the context is its action's.
func (b *build) end(ctx context.Context, err error) {
	status := "SUCCEEDED"
	switch {
	case err == nil:
	case errors.Is(err, errTimeout), errors.Is(ctx.Err(), context.DeadlineExceeded):
		status = "TIMED_OUT"
	case ctx.Err() != nil:
		status = "STOPPED"
	default:
		status = "FAILED"
	}
	b.job.runner.mu.Lock()
	defer b.job.runner.mu.Unlock()
	b.record.Status, b.record.Phase, b.record.Ended = status, "COMPLETED", time.Now()
}
