package rehearsal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v74/github"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/process"
	"github.com/tekpossible/ha-devops/pipelines"
)

// workflow is what is read of a workflow of GitHub Actions.
type workflow struct {
	On struct {
		PullRequestTarget struct{ Branches []string } `yaml:"pull_request_target"`
	}
	Jobs map[string]struct {
		Name  string
		Steps []struct {
			Env map[string]string
			Run string
		}
	}
}

// check is GitHub Actions: it runs the workflow that new repositories begin with for a pull request, whether or not this repository
// has it, and reports how each job ended.
func (p people) check(ctx context.Context, repository string, number int) error {
	flow, err := promotionWorkflow()
	if err != nil {
		return err
	}
	pull, _, err := p.actions.PullRequests.Get(ctx, Owner, repository, number)
	if err != nil {
		return err
	}
	base := pull.GetBase().GetRef()
	if !slices.Contains(flow.On.PullRequestTarget.Branches, base) {
		return nil
	}
	values := expressions(pull)
	for _, job := range flow.Jobs {
		state, description := "success", ""
		for _, step := range job.Steps {
			if said, err := runStep(ctx, step.Run, step.Env, values); err != nil {
				state, description = "failure", said
				break
			}
		}
		name := values.Replace(job.Name)
		if _, _, err := p.actions.Repositories.CreateStatus(ctx, Owner, repository, pull.GetHead().GetSHA(), &github.RepoStatus{
			State: &state, Context: &name, Description: &description,
		}); err != nil {
			return fmt.Errorf("reporting %s: %w", name, err)
		}
	}
	return nil
}

func promotionWorkflow() (workflow, error) {
	var flow workflow
	for _, file := range components.StarterFiles(pipelines.Software, nil) {
		if file.Path == components.PromotionWorkflow {
			return flow, yaml.Unmarshal([]byte(file.Content), &flow)
		}
	}
	return flow, fmt.Errorf("%s is no starter file", components.PromotionWorkflow)
}

// expressions are the values of the expressions that the workflow uses. One that is not known here stays as it is, and fails the job.
func expressions(pull *github.PullRequest) *strings.Replacer {
	hotfix := slices.ContainsFunc(pull.Labels, func(l *github.Label) bool { return l.GetName() == components.HotfixLabel })
	fork := pull.GetHead().GetRepo().GetFullName() != pull.GetBase().GetRepo().GetFullName()
	return strings.NewReplacer(
		"${{ github.base_ref }}", pull.GetBase().GetRef(),
		"${{ github.head_ref }}", pull.GetHead().GetRef(),
		"${{ github.event.pull_request.head.repo.full_name != github.repository }}", strconv.FormatBool(fork),
		"${{ contains(github.event.pull_request.labels.*.name, '"+components.HotfixLabel+"') }}", strconv.FormatBool(hotfix),
	)
}

// runStep runs a step as Actions does, in bash that stops at the first error, and returns what it printed.
func runStep(ctx context.Context, script string, env map[string]string, values *strings.Replacer) (string, error) {
	cmd := exec.CommandContext(ctx, "bash", "-e", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for key, value := range env {
		cmd.Env = append(cmd.Env, key+"="+values.Replace(value))
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err := process.Run(cmd)
	return strings.TrimSpace(out.String()), err
}
