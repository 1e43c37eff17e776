package environments

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/pipelines"
)

// repos makes the environment's part of the repositories. The first environment of the chain owns the repositories themselves, and
// the devops repository, whose only branch is guarded like production's.
func (s *stack) repos(ctx *pulumi.Context, p Profile, c Config, f pipelines.Facts, with pulumi.ResourceOption) error {
	owner := p.Upstream == ""
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure, pipelines.DevOps} {
		args := &components.RepoArgs{
			Role: role, Name: f.Repositories[role], Product: c.Product, Create: owner, Branch: p.Environment, Upstream: p.Upstream,
			Approvals: p.Approvals, Checks: c.GitHub.Checks[string(role)], ChecksApp: c.GitHub.ChecksApp,
			Starter: c.GitHub.Starter, CodeOwners: c.GitHub.CodeOwners,
		}
		switch role {
		case pipelines.Image, pipelines.Infrastructure:
			args.Writer = c.GitHub.App
		case pipelines.DevOps:
			if !owner {
				continue
			}
			args.Branch, args.Linear = components.DefaultBranch, true
		}
		repo, err := components.NewRepo(ctx, string(role), args, with)
		if err != nil {
			return err
		}
		s.repositories[role] = repo
	}
	return nil
}

// check makes what the checks of the environment's pull requests use, those of the devops repository among them: each stack is previewed.
func (s *stack) check(ctx *pulumi.Context, c Config, f pipelines.Facts, with pulumi.ResourceOption) error {
	repositories := map[pipelines.Role]pulumi.StringInput{pipelines.DevOps: pulumi.String(f.Repositories[pipelines.DevOps])}
	for role, repo := range s.repositories {
		repositories[role] = repo.Name
	}
	var err error
	s.checks, err = components.NewChecks(ctx, "checks", &components.ChecksArgs{
		Facts: f, Backend: c.Backend, Issuer: c.GitHub.Issuer, TrustIssuer: c.GitHub.TrustIssuer,
		Repositories: repositories, Reviewers: c.GitHub.Reviewers,
	}, with)
	return err
}
