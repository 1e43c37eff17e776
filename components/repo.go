package components

import (
	"slices"

	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// DefaultBranch is the default branch of every repository, and the branch of the production environment.
const DefaultBranch = "main"

// RepoArgs says what a Repo is.
type RepoArgs struct {
	// Role is what the repository is for.
	Role pipelines.Role
	// Name is the repository's name without its owner.
	Name string
	// Product is named in the description.
	Product string
	// Create makes the repository itself. Only the first environment's stack does; the others add their branch.
	Create bool
	// Branch is the environment's branch.
	Branch string
	// Upstream is the branch that pull requests into Branch come from, checked by PromotionCheck. Empty: they come from anywhere.
	Upstream string
	// Linear keeps the history a line: pull requests are squashed. By default they are merged with a merge commit, and only so: a
	// squashed promotion would have no ancestor in common with its next one, and a hand-off could not tell which commit is newer.
	Linear bool
	// Approvals is the number of approving reviews that a pull request into the branch needs.
	Approvals int
	// Checks are the status checks that a pull request needs beside PromotionCheck, by the names under which the repository's own
	// CI reports them. None by default.
	Checks []string
	// ChecksApp is the ID of the GitHub App that must report PromotionCheck, so that nobody else's status passes for it. 0: any may.
	ChecksApp int
	// Writer is the ID of the GitHub App whose commits may skip the pull request, 0 where no pipeline commits.
	Writer int
	// Starter writes starter files into the repository that is created. They are written once; from then on git owns them.
	Starter bool
	// CodeOwners are the owners in the starter file CODEOWNERS, such as "@acme/platform". None by default, and then no such file.
	CodeOwners []string
}

// Repo is a GitHub repository's part in an environment: the environment's branch and the ruleset that guards it, and in the
// first environment the repository itself. A repository is archived rather than deleted, and a branch stays: both are the record of
// what ran.
type Repo struct {
	pulumi.ResourceState

	// Name is the repository's name, known once the branch exists and is guarded.
	Name pulumi.StringOutput `pulumi:"name"`
	// Guard is the ruleset, what comes last of it: to depend on the component would mean whatever of it is registered by then, which
	// differs from run to run, and with it the plan.
	Guard pulumi.Resource
}

// NewRepo registers a Repo.
func NewRepo(ctx *pulumi.Context, name string, args *RepoArgs, opts ...pulumi.ResourceOption) (*Repo, error) {
	if args == nil {
		args = &RepoArgs{}
	}
	if err := require(TypeRepo, name, map[string]bool{"Role": args.Role != "", "Name": args.Name != "", "Branch": args.Branch != ""}); err != nil {
		return nil, err
	}
	repo := &Repo{}
	inputs := pulumi.Map{"repository": pulumi.String(args.Name), "branch": pulumi.String(args.Branch)}
	if err := ctx.RegisterComponentResourceV2(TypeRepo, name, inputs, repo, opts...); err != nil {
		return nil, err
	}
	repository := pulumi.String(args.Name).ToStringOutput()
	var content []pulumi.Resource
	if args.Create {
		made, err := repo.create(ctx, name, args)
		if err != nil {
			return nil, err
		}
		repository = made.Name
		if content, err = repo.begin(ctx, name, args, repository); err != nil {
			return nil, err
		}
	}
	ruleset, err := repo.guard(ctx, name, args, repository, content)
	if err != nil {
		return nil, err
	}
	repo.Guard = ruleset
	repo.Name = pulumi.All(repository, ruleset.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput)
	return repo, ctx.RegisterResourceOutputs(repo, pulumi.Map{"name": repo.Name})
}

// create makes the repository and what is set once for all its branches.
func (r *Repo) create(ctx *pulumi.Context, name string, args *RepoArgs) (*github.Repository, error) {
	made, err := github.NewRepository(ctx, name, &github.RepositoryArgs{
		Name:             pulumi.String(args.Name),
		Description:      pulumi.Sprintf("%s: %s repository, managed by ha-devops", args.Product, args.Role),
		Visibility:       pulumi.String("private"),
		AutoInit:         pulumi.Bool(true),
		AllowMergeCommit: pulumi.Bool(!args.Linear),
		AllowSquashMerge: pulumi.Bool(args.Linear),
		AllowRebaseMerge: pulumi.Bool(false),
		AllowAutoMerge:   pulumi.Bool(false),
		// The environments' branches stay: their rulesets forbid deletion.
		DeleteBranchOnMerge: pulumi.Bool(true),
		AllowUpdateBranch:   pulumi.Bool(true),
		HasIssues:           pulumi.Bool(true),
		HasProjects:         pulumi.Bool(false),
		HasWiki:             pulumi.Bool(false),
		VulnerabilityAlerts: pulumi.Bool(true),
		ArchiveOnDestroy:    pulumi.Bool(true),
		Topics:              pulumi.ToStringArray([]string{args.Product, "ha-devops", string(args.Role)}),
	}, pulumi.Parent(r), pulumi.Protect(true))
	if err != nil {
		return nil, err
	}
	_, err = github.NewRepositoryDependabotSecurityUpdates(ctx, name, &github.RepositoryDependabotSecurityUpdatesArgs{
		Repository: made.Name, Enabled: pulumi.Bool(true),
	}, pulumi.Parent(r))
	return made, err
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
