package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// program is the Pulumi program on an environment's stack, as review and deploy run it: with the configuration that the platform
// team applied last, and with the infrastructure repository at the commit that the pipeline runs for.
type program struct {
	cfg   aws.Config
	stack *stack.Stack
	dir   string
}

// openProgram opens the stack. The caller closes the program.
func openProgram(ctx context.Context, d *deps, v vars.Review) (*program, error) {
	var config environments.Config
	if err := json.Unmarshal([]byte(v.Config), &config); err != nil {
		return nil, &inputError{fmt.Errorf("RELAY_CONFIG: %w; the platform team's next pulumi up of stack %s writes it anew", err, v.Environment)}
	}
	config.Commit = v.Commit
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return nil, err
	}
	// The GitHub provider reads the token from its environment.
	token, err := github.Token(ctx, secretsmanager.NewFromConfig(cfg), v.Secret, v.API)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "relay-")
	if err != nil {
		return nil, err
	}
	p := &program{cfg: cfg, dir: dir}
	if p.stack, err = stack.Open(ctx, stack.Options{
		Project: environments.Project, Name: v.Environment, Backend: config.Backend, SecretsKey: config.SecretsKey,
		Config: config.Values(), Env: map[string]string{"GITHUB_TOKEN": token}, Dir: dir,
		Program: environments.Deploy, Progress: d.ui.stderr,
	}); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// planFile is where the plan lies while it is saved or carried out.
func (p *program) planFile() string { return filepath.Join(p.dir, "plan.json") }

func (p *program) close() { _ = os.RemoveAll(p.dir) }
