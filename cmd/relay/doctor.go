package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/doctor"
	"github.com/tekpossible/ha-devops/internal/terminal"
	"github.com/tekpossible/ha-devops/pipelines"
)

// checkTimeout is for one check. Hashing a tool that was uploaded without a checksum takes the longest.
const checkTimeout = 2 * time.Minute

func newDoctorCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	cmd := &cobra.Command{
		Use:   "doctor [ENV...]",
		Short: "Check what docs/bootstrap.md asks for, and say what to do",
		Long: "doctor checks each step of docs/bootstrap.md for the environments, by default for all: tools, credentials, state, the key of its\n" +
			"secrets, GitHub App, what is pinned, connection, certificate, quotas, locks. For each it says ok, note, problem or not checked, and\n" +
			"what to do. It changes nothing.\n\n" +
			"It reads Pulumi.ENV.yaml in the current folder, a checkout of the devops repository, asks AWS with your credentials (AWS_PROFILE,\n" +
			"AWS_REGION) and GitHub with the token in GITHUB_TOKEN.\n\nExit status: 0 no problem, 1 problems were found, 2 bad usage.",
		Example: "  relay doctor\n  relay doctor qa main --output json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runDoctor(ctx, d, flags.dir, args) })(cmd, args)
		},
	}
	flags.folder(cmd)
	return cmd
}

// examined is what doctor found of one environment.
type examined struct {
	Environment string          `json:"environment"`
	Problems    int             `json:"problems"`
	Checks      []doctor.Result `json:"checks"`
}

func runDoctor(ctx context.Context, d *deps, dir string, names []string) error {
	var profiles []environments.Profile
	for _, name := range names {
		profile, err := environments.ProfileOf(name)
		if err != nil {
			return &inputError{err}
		}
		profiles = append(profiles, profile)
	}
	if len(profiles) == 0 {
		profiles = environments.Profiles()
	}
	var report []examined
	problems := 0
	for _, profile := range profiles {
		results, err := examine(ctx, d, dir, profile)
		if err != nil {
			return err
		}
		found := examined{profile.Environment, doctor.Problems(results), results}
		report, problems = append(report, found), problems+found.Problems
	}
	found := map[string]any{"problems": problems, "environments": report}
	if err := d.ui.show(found, func(p *terminal.Page) { doctorText(p, report) }); err != nil {
		return err
	}
	if problems > 0 {
		return fmt.Errorf("problems found: %d", problems)
	}
	return nil
}

// examine carries the checks of one environment out. Without a configuration that can be read, that is the only problem.
func examine(ctx context.Context, d *deps, dir string, profile environments.Profile) ([]doctor.Result, error) {
	config, err := environments.ReadFile(dir, profile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &inputError{err}
	}
	settings := doctor.Result{Check: "configuration", Step: 5, Status: doctor.OK, Found: "Pulumi." + profile.Environment + ".yaml"}
	if err != nil {
		settings.Status, settings.Found = doctor.Problem, err.Error()
		settings.Fix = "mend Pulumi." + profile.Environment + ".yaml; the other checks need it"
		return []doctor.Result{settings}, nil
	}
	cfg, err := awsconfig.Find(ctx)
	if err != nil {
		return nil, err
	}
	d.ui.progress("looking at %s", profile.Environment)
	return append([]doctor.Result{settings}, doctor.Run(ctx, subject(d, config, profile, cfg).Checks(), checkTimeout)...), nil
}

// subject is the environment as doctor looks at it. The state is reached as the person, everything else with the role that the stack
// takes on, if there is one.
func subject(d *deps, c environments.Config, p environments.Profile, cfg aws.Config) doctor.Subject {
	f := c.Facts(p)
	s := doctor.Subject{
		Product: c.Product, Environment: p.Environment, Upstream: p.Upstream, Project: environments.Project, Backend: c.Backend,
		Account: c.Account, Region: c.Region, SecretsKey: c.SecretsKey, Bucket: f.Bucket(), Connection: f.Connection(), Domain: c.Domain, Certificate: c.Certificate,
		Pulumi: "pulumi", Machine: cfg.Region,
		Hub: doctor.Hub{
			API: c.GitHub.API, Owner: c.GitHub.Owner, App: c.GitHub.App, Secret: c.GitHub.Secret, Token: d.getenv("GITHUB_TOKEN"),
		},
		Tools: []doctor.Tool{{Name: "relay", URI: c.Relay.URI, SHA256: c.Relay.SHA256}},
	}
	if p.Exposure != components.Team {
		// A NAT gateway in each zone.
		s.Addresses = p.Zones
		if c.Zones != nil {
			s.Addresses = *c.Zones
		}
	}
	if c.PulumiCLI != nil {
		s.Tools = append(s.Tools, doctor.Tool{Name: "pulumi", URI: c.PulumiCLI.URI, SHA256: c.PulumiCLI.SHA256})
	}
	for _, plugin := range c.Plugins {
		s.Tools = append(s.Tools, doctor.Tool{Name: plugin.Name, URI: plugin.URI, SHA256: plugin.SHA256})
	}
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure, pipelines.DevOps} {
		r := doctor.Repository{Role: string(role), Name: f.Repositories[role], Branch: p.Environment, Source: true}
		switch role {
		case pipelines.Image, pipelines.Infrastructure:
			r.Handoffs = true
		case pipelines.DevOps:
			r.Branch, r.Source = components.DefaultBranch, false
		}
		s.Hub.Repositories = append(s.Hub.Repositories, r)
	}
	if cfg.Region == "" {
		cfg.Region = c.Region
	}
	s.State = cfg
	s.Cloud = cfg.Copy()
	s.Cloud.Region = c.Region
	if c.AssumeRole != "" {
		s.Cloud.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), c.AssumeRole))
	}
	return s
}

var statusStyles = map[doctor.Status]string{doctor.Note: terminal.Yellow, doctor.Problem: terminal.Red, doctor.NotChecked: terminal.Faint}

// doctorText lays out a row for each check, and below it what to do.
func doctorText(p *terminal.Page, report []examined) {
	const column = 34
	for _, e := range report {
		p.Gap()
		p.Line(0, terminal.As(terminal.Bold, e.Environment))
		for _, r := range e.Checks {
			p.Row(2, column, fmt.Sprintf("%-11s  %s", r.Status, r.Check), terminal.As(statusStyles[r.Status], r.Found))
			if r.Fix != "" {
				p.Row(0, column, "", terminal.Text("→ "+r.Fix))
			}
		}
	}
}
