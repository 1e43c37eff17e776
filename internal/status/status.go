// Package status is what there is to know about environments at one moment, as plain data for all who show it. Where it comes from is
// the caller's to say, one function for each fact: one that cannot be found out hides none of the others.
package status

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/report"
)

// Status is the state of environments at a time.
type Status struct {
	At           time.Time     `json:"at"`
	Environments []Environment `json:"environments"`
}

// Environment is the state of one environment.
type Environment struct {
	Name string `json:"environment"`
	// Release is what the infrastructure repository's branch names, by git; nil while it names none, or when that is not known.
	Release *history.Entry `json:"release,omitempty"`
	// Deployed is what the stack deployed last, by its outputs; nil while there is none, or when that is not known.
	Deployed *Deployed `json:"deployed,omitempty"`
	// Pipelines are those of software, image and infrastructure.
	Pipelines []pipelinestate.Pipeline `json:"pipelines"`
	// Approval is the review that waits for its approval; nil when none does.
	Approval *approval.Review `json:"approval,omitempty"`
	// Promotion is how the release stands to that of the environment it is promoted from.
	Promotion report.Promotion `json:"promotion"`
	// Holds are the branches that take no hand-offs.
	Holds []Hold `json:"holds"`
	// Problems are what could not be found out, and why.
	Problems []string `json:"problems"`
}

// Deployed is what a stack deployed last.
type Deployed struct {
	report.Release
	// Commit is the infrastructure repository's commit that a pipeline deployed last; empty when people did.
	Commit string `json:"infrastructureCommit,omitempty"`
}

// Hold is a branch that takes no hand-offs.
type Hold struct {
	Repository string `json:"repository"`
	// Text is what the file hold says.
	Text string `json:"text"`
}

// Differs says that git names another release than the stack deployed: it waits for its review, its approval or its deployment, or a
// pipeline failed.
func (e Environment) Differs() bool {
	return e.Release != nil && e.Deployed != nil && e.Release.AMI != e.Deployed.AMI
}

// Source is where an environment's state comes from.
type Source struct {
	Environment string
	Release     func(context.Context) (*history.Entry, error)
	Deployed    func(context.Context) (*Deployed, error)
	// Pipelines are asked for one pipeline each; what they return with an error counts too.
	Pipelines []func(context.Context) (pipelinestate.Pipeline, error)
	// Reviews are the latest reviews; it is asked only when a pipeline waits for an approval.
	Reviews func(context.Context) ([]approval.Review, error)
	// Promotion is asked how a release stands to upstream's: the one that git names, else the deployed one.
	Promotion func(context.Context, report.Release) (report.Promotion, error)
	Holds     func(context.Context) ([]Hold, error)
}

// Gather asks all sources, several environments at once.
func Gather(ctx context.Context, sources []Source) Status {
	s := Status{Environments: make([]Environment, len(sources))}
	var asked sync.WaitGroup
	for i, source := range sources {
		asked.Go(func() { s.Environments[i] = source.gather(ctx) })
	}
	asked.Wait()
	s.At = time.Now().UTC()
	return s
}

func (s Source) gather(ctx context.Context) Environment {
	e := Environment{Name: s.Environment, Pipelines: []pipelinestate.Pipeline{}, Problems: []string{}}
	note := func(err error) {
		if err == nil {
			return
		}
		for line := range strings.Lines(err.Error()) {
			// What keeps one thing from being found out often keeps others.
			if line = strings.TrimSpace(line); !slices.Contains(e.Problems, line) {
				e.Problems = append(e.Problems, line)
			}
		}
	}
	var err error
	e.Release, err = s.Release(ctx)
	note(err)
	e.Deployed, err = s.Deployed(ctx)
	note(err)
	waits := false
	for _, pipeline := range s.Pipelines {
		p, err := pipeline(ctx)
		note(err)
		waits = waits || slices.ContainsFunc(p.Runs, func(r pipelinestate.Run) bool { return r.Status == pipelinestate.Waiting })
		e.Pipelines = append(e.Pipelines, p)
	}
	if waits {
		reviews, err := s.Reviews(ctx)
		note(err)
		if i := slices.IndexFunc(reviews, func(r approval.Review) bool { return r.Decision == approval.Undecided }); i >= 0 {
			e.Approval = &reviews[i]
		}
	}
	e.Promotion, err = s.Promotion(ctx, e.release())
	note(err)
	e.Holds, err = s.Holds(ctx)
	note(err)
	return e
}

// release is what git names, or what was deployed while git names nothing.
func (e Environment) release() report.Release {
	switch {
	case e.Release != nil:
		r := e.Release.Release
		return report.Release{ArtifactTag: r.ArtifactTag, AMI: e.Release.AMI, SoftwareCommit: r.SoftwareCommit, ImageCommit: r.ImageCommit}
	case e.Deployed != nil:
		return e.Deployed.Release
	}
	return report.Release{}
}

// Complete says that everything could be found out.
func (s Status) Complete() bool {
	return !slices.ContainsFunc(s.Environments, func(e Environment) bool { return len(e.Problems) > 0 })
}
