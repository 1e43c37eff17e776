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
	// Status is IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT or STOPPED, Phase the phase that it is in, COMPLETED at the end.
	Status, Phase string
	// Started and Ended are the times; Ended is zero while it runs.
	Started, Ended time.Time
	// LogFile is the path of its log.
	LogFile string
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
		Project: project, Number: 1, Pipeline: e.Pipeline, Execution: e.ID, Commit: e.Commit, Status: "IN_PROGRESS", Phase: "SUBMITTED",
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
