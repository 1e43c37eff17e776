package runner

import (
	"fmt"
	"slices"

	"github.com/gobwas/glob"
)

// trigger is a V2 trigger, see https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html.
type trigger struct {
	ProviderType     string `json:"providerType"`
	GitConfiguration struct {
		SourceActionName string  `json:"sourceActionName"`
		Pushes           []*push `json:"pushes"`
	} `json:"gitConfiguration"`

	repository string
}

// push is one filter of pushes: all that it names must match.
type push struct {
	Branches  *filter `json:"branches"`
	FilePaths *filter `json:"filePaths"`
	Tags      *filter `json:"tags"`
}

// filter includes and excludes by glob patterns; what is excluded is out even if it is included.
type filter struct {
	Includes []string `json:"includes"`
	Excludes []string `json:"excludes"`

	includes, excludes []*glob.Pattern
}

func (t *trigger) compile(d *pipelineDefinition) error {
	if t.ProviderType != "CodeStarSourceConnection" {
		return fmt.Errorf("providerType %q is not simulated; only CodeStarSourceConnection is", t.ProviderType)
	}
	sources := d.Stages[0].Actions
	i := slices.IndexFunc(sources, func(a ActionDefinition) bool { return a.Name == t.GitConfiguration.SourceActionName })
	if i < 0 {
		return fmt.Errorf("sourceActionName %q is not a source action of the pipeline", t.GitConfiguration.SourceActionName)
	}
	t.repository = sources[i].Configuration["FullRepositoryId"]
	for _, p := range t.GitConfiguration.Pushes {
		for _, f := range []*filter{p.Branches, p.FilePaths, p.Tags} {
			if f == nil {
				continue
			}
			var err error
			if f.includes, err = compile(f.Includes); err != nil {
				return err
			}
			if f.excludes, err = compile(f.Excludes); err != nil {
				return err
			}
		}
	}
	return nil
}

func compile(patterns []string) ([]*glob.Pattern, error) {
	var out []*glob.Pattern
	for _, pattern := range patterns {
		g, err := glob.Compile(pattern, '/')
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		out = append(out, g)
	}
	return out, nil
}

func matches(globs []*glob.Pattern, s string) bool {
	return slices.ContainsFunc(globs, func(g *glob.Pattern) bool { return g.Match(s) })
}

// admits says whether one of the words is in; a filter that is not there admits everything.
func (f *filter) admits(words ...string) bool {
	return f == nil || slices.ContainsFunc(words, func(w string) bool {
		return (len(f.includes) == 0 || matches(f.includes, w)) && !matches(f.excludes, w)
	})
}

// listens says whether a move of the branch can start the pipeline, whatever paths change.
func (d *pipelineDefinition) listens(repository, branch string) bool {
	if len(d.Triggers) == 0 {
		// Without triggers the source action itself detects changes of its branch, unless it is told not to.
		return slices.ContainsFunc(d.Stages[0].Actions, func(a ActionDefinition) bool {
			c := a.Configuration
			return c["FullRepositoryId"] == repository && c["BranchName"] == branch && c["DetectChanges"] != "false"
		})
	}
	return d.triggered(repository, branch, func(*push) bool { return true })
}

// starts says whether a move of the branch that changed these paths starts the pipeline.
func (d *pipelineDefinition) starts(repository, branch string, paths []string) bool {
	if len(d.Triggers) == 0 {
		return d.listens(repository, branch)
	}
	return d.triggered(repository, branch, func(p *push) bool { return p.FilePaths.admits(paths...) })
}

func (d *pipelineDefinition) triggered(repository, branch string, also func(*push) bool) bool {
	return slices.ContainsFunc(d.Triggers, func(t trigger) bool {
		return t.repository == repository && slices.ContainsFunc(t.GitConfiguration.Pushes, func(p *push) bool {
			// A filter by tags is for pushes of tags only.
			return p.Tags == nil && p.Branches.admits(branch) && also(p)
		})
	})
}
