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
	// Approvals is the number of approving reviews that a pull request into the branch needs.
	Approvals int
	// Writer is the ID of the GitHub App whose commits may skip the pull request, 0 where no pipeline commits.
	Writer int
}

// Repo is a GitHub repository's part in an environment: the environment's branch and the ruleset that guards it, and in the
// first environment the repository itself. A repository is archived rather than deleted.
type Repo struct {
	pulumi.ResourceState

	// Name is the repository's name, known once the branch exists and is guarded.
	Name pulumi.StringOutput `pulumi:"name"`
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
	if args.Create {
		made, err := repo.create(ctx, name, args)
		if err != nil {
			return nil, err
		}
		repository = made.Name
	}
	ruleset, err := repo.guard(ctx, name, args, repository)
	if err != nil {
		return nil, err
	}
	repo.Name = pulumi.All(repository, ruleset.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput)
	return repo, ctx.RegisterResourceOutputs(repo, pulumi.Map{"name": repo.Name})
}

func (r *Repo) create(ctx *pulumi.Context, name string, args *RepoArgs) (*github.Repository, error) {
	return github.NewRepository(ctx, name, &github.RepositoryArgs{
		Name:                pulumi.String(args.Name),
		Description:         pulumi.Sprintf("%s: %s repository, managed by ha-devops", args.Product, args.Role),
		Visibility:          pulumi.String("private"),
		AutoInit:            pulumi.Bool(true),
		AllowMergeCommit:    pulumi.Bool(true),
		AllowSquashMerge:    pulumi.Bool(true),
		AllowRebaseMerge:    pulumi.Bool(false),
		DeleteBranchOnMerge: pulumi.Bool(false),
		HasIssues:           pulumi.Bool(true),
		VulnerabilityAlerts: pulumi.Bool(true),
		ArchiveOnDestroy:    pulumi.Bool(true),
		Topics:              pulumi.ToStringArray([]string{args.Product, "ha-devops", string(args.Role)}),
	}, pulumi.Parent(r), pulumi.Protect(true))
}

func (r *Repo) guard(ctx *pulumi.Context, name string, args *RepoArgs, repository pulumi.StringOutput) (*github.RepositoryRuleset, error) {
	parent := []pulumi.ResourceOption{pulumi.Parent(r)}
	if args.Branch != DefaultBranch {
		branch, err := github.NewBranch(ctx, name, &github.BranchArgs{
			Repository: repository, Branch: pulumi.String(args.Branch), SourceBranch: pulumi.String(DefaultBranch),
		}, pulumi.Parent(r), pulumi.Protect(true))
		if err != nil {
			return nil, err
		}
		parent = append(parent, pulumi.DependsOn([]pulumi.Resource{branch}))
	}
	var bypass github.RepositoryRulesetBypassActorArray
	if args.Writer != 0 {
		bypass = append(bypass, github.RepositoryRulesetBypassActorArgs{
			ActorId: pulumi.Int(args.Writer), ActorType: pulumi.String("Integration"), BypassMode: pulumi.String("always"),
		})
	}
	return github.NewRepositoryRuleset(ctx, name, &github.RepositoryRulesetArgs{
		Name:        pulumi.String("ha-devops " + args.Branch),
		Repository:  repository,
		Target:      pulumi.String("branch"),
		Enforcement: pulumi.String("active"),
		Conditions: github.RepositoryRulesetConditionsArgs{RefName: github.RepositoryRulesetConditionsRefNameArgs{
			Includes: pulumi.ToStringArray([]string{"refs/heads/" + args.Branch}), Excludes: pulumi.StringArray{},
		}},
		BypassActors: bypass,
		Rules: github.RepositoryRulesetRulesArgs{
			Deletion:       pulumi.Bool(true),
			NonFastForward: pulumi.Bool(true),
			PullRequest: github.RepositoryRulesetRulesPullRequestArgs{
				RequiredApprovingReviewCount: pulumi.Int(args.Approvals),
				DismissStaleReviewsOnPush:    pulumi.Bool(true),
				RequireLastPushApproval:      pulumi.Bool(args.Approvals > 0),
			},
		},
	}, parent...)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
