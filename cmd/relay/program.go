package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/internal/statelock"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// program is the Pulumi program on an environment's stack, as review and deploy run it: with the configuration that the platform
// team applied last, and with the infrastructure repository at one commit.
type program struct {
	cfg     aws.Config
	config  environments.Config
	profile environments.Profile
	hub     *github.Client
	token   string
	dir     string
	output  io.Writer
}

// openProgram connects to AWS and GitHub. The caller closes the program. A dry run brings its token along; a pipeline's comes
// from Secrets Manager.
func openProgram(ctx context.Context, d *deps, run vars.DryRun) (*program, error) {
	p := &program{output: d.ui.stderr}
	if err := json.Unmarshal([]byte(run.Config), &p.config); err != nil {
		return nil, &inputError{fmt.Errorf("RELAY_CONFIG: %w; the platform team's next pulumi up of stack %s writes it anew", err, run.Environment)}
	}
	var err error
	if p.profile, err = environments.ProfileOf(run.Environment); err != nil {
		return nil, &inputError{err}
	}
	if p.cfg, err = awsconfig.Load(ctx); err != nil {
		return nil, err
	}
	if p.token = run.Token; p.token != "" {
		p.config.AssumeRole = "" // whoever previews has read access of their own
		p.hub, err = github.New(p.config.GitHub.API, p.config.GitHub.Owner, p.token)
	} else {
		err = p.authenticate(ctx)
	}
	if err != nil {
		return nil, err
	}
	p.dir, err = os.MkdirTemp("", "relay-")
	return p, err
}

// authenticate takes the pipelines' credentials. The GitHub provider reads a token from its environment.
func (p *program) authenticate(ctx context.Context) error {
	credentials, err := github.Fetch(ctx, secretsmanager.NewFromConfig(p.cfg), p.config.GitHub.Secret)
	if err != nil {
		return err
	}
	if p.token, err = credentials.Token(ctx, p.config.GitHub.API); err != nil {
		return err
	}
	p.hub, err = credentials.Client(p.config.GitHub.API, p.config.GitHub.Owner)
	return err
}

// at opens the stack with the infrastructure repository at a commit.
func (p *program) at(ctx context.Context, commit string) (*stack.Stack, error) {
	config := p.config
	config.Commit = commit
	dir := filepath.Join(p.dir, commit)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return stack.Open(ctx, stack.Options{
		Project: environments.Project, Name: p.profile.Environment, Backend: config.Backend, SecretsKey: config.SecretsKey,
		Config: config.Values(), Env: map[string]string{"GITHUB_TOKEN": p.token}, Dir: dir, Program: environments.Deploy, Progress: p.output,
	})
}

func (p *program) facts() pipelines.Facts { return p.config.Facts(p.profile) }

func (p *program) approvals() approval.Pipeline {
	return approval.Pipeline{
		API: codepipeline.NewFromConfig(p.cfg), Name: p.facts().Pipeline(pipelines.Infrastructure), Review: pipelines.ReviewAction, Approve: pipelines.ApproveAction,
	}
}

func (p *program) records() deployment.Records {
	return deployment.Records{S3: s3.NewFromConfig(p.cfg), Bucket: p.facts().Bucket(), Environment: p.profile.Environment}
}

func (p *program) locks() (statelock.Locks, error) {
	return statelock.Of(p.config.Backend, environments.Project, p.profile.Environment, s3.NewFromConfig(p.cfg))
}

func (p *program) owners() owner.Owners { return owner.Owners{Builds: codebuild.NewFromConfig(p.cfg)} }

// standing says that a deployment's process still runs, as far as one can tell.
func (p *program) standing(ctx context.Context, lease deployment.Lease) (bool, error) {
	gone, err := p.owners().Gone(ctx, lease)
	return !gone, err
}

func (p *program) planFile() string { return filepath.Join(p.dir, "plan.json") }

func (p *program) close() { _ = os.RemoveAll(p.dir) }

// self is the SHA-256 of the running relay binary, in hex.
func self() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding the relay binary: %w", err)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the relay binary: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading the relay binary: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
