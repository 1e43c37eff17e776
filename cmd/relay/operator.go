package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/pipelines"
)

// operator is one environment, as a person at a terminal knows it: what Pulumi.<environment>.yaml says of it, and the person's own
// credentials. All commands for operators begin with it.
type operator struct {
	d       *deps
	profile environments.Profile
	config  environments.Config
	app     bool
}

// operatorFlags are the flags of every command for operators.
type operatorFlags struct {
	dir string
	app bool
}

const operatorHelp = "The environment's repositories are those of Pulumi.ENV.yaml in the current folder, a checkout of the devops repository. GitHub is\n" +
	"asked with the token in GITHUB_TOKEN, or with --app as the pipelines' GitHub App.\n\n"

func (f *operatorFlags) add(cmd *cobra.Command) {
	f.folder(cmd)
	cmd.Flags().BoolVar(&f.app, "app", false, "work as the pipelines' GitHub App, with the configured secret from Secrets Manager (needs AWS credentials)")
}

// folder adds the flag of a command that does not ask GitHub.
func (f *operatorFlags) folder(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "config", ".", "the folder with Pulumi.ENV.yaml, a checkout of the devops repository")
	cmd.ValidArgsFunction = completeEnvironments
}

func environmentNames() []string {
	var names []string
	for _, p := range environments.Profiles() {
		names = append(names, p.Environment)
	}
	return names
}

// completeEnvironments offers the shell as many environments as the command takes, which its usage says.
func completeEnvironments(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if most := strings.Count(cmd.Use, "ENV"); len(args) >= most && !strings.Contains(cmd.Use, "...") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	left := slices.DeleteFunc(environmentNames(), func(name string) bool { return slices.Contains(args, name) })
	return left, cobra.ShellCompDirectiveNoFileComp
}

// open reads an environment's configuration.
func (f operatorFlags) open(d *deps, environment string) (*operator, error) {
	profile, err := environments.ProfileOf(environment)
	if err != nil {
		return nil, &inputError{err}
	}
	config, err := environments.ReadFile(f.dir, profile)
	if err != nil {
		return nil, &inputError{err}
	}
	return &operator{d: d, profile: profile, config: config, app: f.app}, nil
}

// github connects with the person's token, or as the App.
func (o *operator) github(ctx context.Context) (*github.Client, error) {
	where := o.config.GitHub
	if !o.app {
		token := o.d.getenv("GITHUB_TOKEN")
		if token == "" {
			return nil, &inputError{errors.New("GITHUB_TOKEN: not set; set it to a token of yours that may write contents and pull requests, or give --app")}
		}
		return github.New(where.API, where.Owner, token)
	}
	cfg, err := awsconfig.In(ctx, o.config.Region)
	if err != nil {
		return nil, err
	}
	credentials, err := github.Fetch(ctx, secretsmanager.NewFromConfig(cfg), where.Secret)
	if err != nil {
		return nil, err
	}
	return credentials.Client(where.API, where.Owner)
}

// repository is the name of the repository with a role.
func (o *operator) repository(role pipelines.Role) string {
	return map[pipelines.Role]string{
		pipelines.Software: o.config.GitHub.Software, pipelines.Image: o.config.GitHub.Image,
		pipelines.Infrastructure: o.config.GitHub.Infrastructure, pipelines.DevOps: o.config.GitHub.DevOps,
	}[role]
}

// who is the person, for what is written down: the login on GitHub, or on this machine while working as the App.
func (o *operator) who(ctx context.Context, client *github.Client) (string, error) {
	login, err := client.Login(ctx)
	if err != nil || login != "" {
		return login, err
	}
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return fmt.Sprintf("%s, through the pipelines' GitHub App", name), nil
}

// role is the value of a flag that names one of several repositories.
type role struct {
	value   pipelines.Role
	allowed []pipelines.Role
}

// String, Set and Type make it a flag.
func (r *role) String() string { return string(r.value) }

// Set refuses roles that the command does not work on.
func (r *role) Set(s string) error {
	for _, allowed := range r.allowed {
		if s == string(allowed) {
			r.value = allowed
			return nil
		}
	}
	return fmt.Errorf("must be one of %v", r.allowed)
}

// Type names the value in the help.
func (r *role) Type() string { return "role" }
