package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/pipelines"
)

// Environments are the names of the environments in the order of promotion.
func Environments() []string {
	var list []string
	for _, p := range environments.Profiles() {
		list = append(list, p.Environment)
	}
	return list
}

// Provision does what the platform team does: pulumi up of an environment's stack, and the handshake of its connection.
func (r *Rehearsal) Provision(ctx context.Context, environment string) error {
	return r.step(environment, "provision", func() (string, error) {
		s, err := r.stack(ctx, environment)
		if err != nil {
			return "", err
		}
		if _, err := s.Up(ctx, "", ""); err != nil {
			return "", err
		}
		return "pulumi up", r.shake(environment)
	})
}

// Preview returns what another pulumi up of an environment's stack would change.
func (r *Rehearsal) Preview(ctx context.Context, environment string) (preview.Preview, error) {
	s, err := r.stack(ctx, environment)
	if err != nil {
		return preview.Preview{}, err
	}
	return s.Preview(ctx, "")
}

// Export returns an environment's stack as pulumi stack export writes it.
func (r *Rehearsal) Export(ctx context.Context, environment string) ([]byte, error) {
	s, err := r.stack(ctx, environment)
	if err != nil {
		return nil, err
	}
	return s.Export(ctx)
}

func (r *Rehearsal) stack(ctx context.Context, environment string) (*stack.Stack, error) {
	state, err := r.dir("state", r.product)
	if err != nil {
		return nil, err
	}
	dir, err := r.dir("workspaces", r.product, environment)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, variable := range r.pulumi() {
		key, value, _ := strings.Cut(variable, "=")
		env[key] = value
	}
	// The file backend writes the whole state after every step otherwise. Nobody resumes what a rehearsal was provisioning when it was
	// cut short; what its pipelines were deploying, they do.
	env["PULUMI_SKIP_CHECKPOINTS"] = "true"
	log, err := os.OpenFile(filepath.Join(r.options.Dir, "pulumi-"+r.product+"-"+environment+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return stack.Open(ctx, stack.Options{
		Project: environments.Project, Name: environment, Backend: "file://" + filepath.ToSlash(state),
		Config: r.config(environment, state).Values(), Env: env, Dir: dir, Program: environments.Deploy, Progress: log,
	})
}

// config is what Pulumi.<environment>.yaml would say.
func (r *Rehearsal) config(environment, state string) environments.Config {
	second := map[string]string{"dev": "10", "qa": "20", "main": "30"}
	c := environments.Config{
		Product: r.product, Account: account, Region: region, CIDR: "10." + second[environment] + ".0.0/16",
		Backend: "file://" + filepath.ToSlash(state), Relay: pipelines.Tool{URI: r.relay.uri, SHA256: r.relay.sha256},
		GitHub: environments.GitHub{
			Owner: Owner, App: appID, Secret: r.secret, API: r.people.url + "/api/v3/", ChecksApp: actionsID,
			Reviewers: components.Reviewers{Teams: []int{2001}}, TrustIssuer: environment == "dev",
		},
	}
	if environment != "dev" {
		c.Domain = environment + ".demo.example.com"
	}
	if environment == "qa" {
		c.Reach = []string{"203.0.113.0/24"}
	}
	return c
}

// FirstRelease brings the software's newest commit to the dev branch, and waits until the relay has released it. The content of a
// plain directory arrives by a pull request; a git repository's last commit is pushed as it is, so that commit and tag stay its own.
func (r *Rehearsal) FirstRelease(ctx context.Context) error {
	h, repository := r.content.software, r.product+"-software"
	return r.release(ctx, "dev", func() (string, error) {
		if h.written {
			if err := r.github.Push(ctx, repository, "first-release", h.head, h.dir); err != nil {
				return "", err
			}
			_, err := r.people.merge(ctx, repository, "first-release", "dev", "First release")
			return "pull request merged into software/dev", err
		}
		if h.base == h.head {
			_, err := r.runner.Start(r.pipeline("dev", "software"), "")
			return "software/dev has one commit; its pipeline is started by hand", err
		}
		return "the last commit is pushed to software/dev", r.github.Push(ctx, repository, "dev", h.head, h.dir)
	})
}

// Change commits files to the software repository through a pull request into dev, and waits until the relay has released it.
func (r *Rehearsal) Change(ctx context.Context, files map[string]string) error {
	return r.release(ctx, "dev", func() (string, error) {
		return "pull request merged into software/dev", r.Commit(ctx, "software", "dev", files)
	})
}

// Commit commits files to an environment's branch of the repository of a role, through a pull request.
func (r *Rehearsal) Commit(ctx context.Context, role, environment string, files map[string]string) error {
	repository, branch := r.product+"-"+role, fmt.Sprintf("change-%d", time.Now().UnixNano())
	if err := r.people.push(ctx, r.options.Dir, repository, environment, branch, files); err != nil {
		return err
	}
	_, err := r.people.merge(ctx, repository, branch, environment, "A change")
	return err
}

// Promote merges the software's upstream branch into an environment's through a pull request, and waits until the relay has released
// it there.
func (r *Rehearsal) Promote(ctx context.Context, environment string) error {
	profile, err := environments.ProfileOf(environment)
	if err != nil {
		return err
	}
	repository, up := r.product+"-software", profile.Upstream
	return r.release(ctx, environment, func() (string, error) {
		from, errFrom := r.github.CommitOf(ctx, repository, up)
		to, errTo := r.github.CommitOf(ctx, repository, environment)
		if err := errors.Join(errFrom, errTo); err != nil {
			return "", err
		}
		if from == to {
			_, err := r.runner.Start(r.pipeline(environment, "software"), "")
			return fmt.Sprintf("software/%s has the commit already; its pipeline is started by hand", environment), err
		}
		_, err := r.people.merge(ctx, repository, up, environment, "Promote "+up+" to "+environment)
		return fmt.Sprintf("pull request from software/%s merged into software/%s", up, environment), err
	})
}

func (r *Rehearsal) pipeline(environment, role string) string {
	return r.product + "-" + environment + "-" + role
}

// release starts the relay in an environment and follows it to its end.
func (r *Rehearsal) release(ctx context.Context, environment string, start func() (string, error)) error {
	r.mu.Lock()
	r.seen = len(r.Executions())
	r.mu.Unlock()
	if err := r.step(environment, "merge", start); err != nil {
		return err
	}
	if err := r.Wait(ctx); err != nil {
		return err
	}
	for before, struck := 0, r.faults.Struck(); struck > before; before, struck = struck, r.faults.Struck() {
		if err := r.again(ctx); err != nil {
			return err
		}
	}
	var failed error
	for _, execution := range r.Executions()[r.seen:] {
		r.note(environment, execution.Pipeline[len(r.pipeline(environment, "")):], execution.Ended.Sub(execution.Started))
		if failed == nil {
			failed = failure(execution)
		}
	}
	if failed != nil {
		return failed
	}
	return r.verify(ctx, environment)
}

// Executions are those of the product's pipelines.
func (r *Rehearsal) Executions() []runner.Execution {
	return slices.DeleteFunc(r.runner.Executions(), func(e runner.Execution) bool { return !strings.HasPrefix(e.Pipeline, r.product+"-") })
}

// Wait waits until no pipeline runs and none is about to: a hand-off's commit starts the next pipeline before its own has ended.
func (r *Rehearsal) Wait(ctx context.Context) error {
	for {
		before := len(r.runner.Executions())
		if err := r.runner.Wait(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
		if r.runner.Idle() && len(r.runner.Executions()) == before {
			return nil
		}
	}
}

// failure is the error of an execution that did not succeed: what relay said was wrong when it ran last, or else the last lines of the log.
func failure(e runner.Execution) error {
	if e.Status == runner.Succeeded || e.Status == runner.Superseded {
		return nil
	}
	for _, stage := range slices.Backward(e.Stages) {
		for _, action := range slices.Backward(stage.Actions) {
			if action.Status == runner.Failed {
				return fmt.Errorf("pipeline %s, stage %s: %s", e.Pipeline, stage.Name, reason(action.Error))
			}
		}
	}
	return fmt.Errorf("pipeline %s ended %s", e.Pipeline, e.Status)
}

func reason(text string) string {
	var said []string
	for line := range strings.Lines(text) {
		if problem, ok := strings.CutPrefix(line, "relay: error: "); ok {
			said = append(said, strings.TrimRight(problem, "\n"))
		}
	}
	if len(said) == 0 {
		return text
	}
	return strings.Join(said, "\n  ")
}
