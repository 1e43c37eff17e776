package components

import (
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/handoff"
)

// PromotionCheck is the status check which says that a pull request into a branch comes from the branch before it. Statuses belong
// to commits and not to pull requests, so that each branch has a check of its own: what passed on its way into qa has not passed
// into main.
func PromotionCheck(branch string) string { return "promotion-path-" + branch }

// HotfixLabel is the label with which a pull request passes PromotionCheck from any branch of the repository.
const HotfixLabel = handoff.HotfixLabel

// guard makes the environment's branch and its ruleset. The branch begins with the content, so that it has the starter files too.
func (r *Repo) guard(ctx *pulumi.Context, name string, args *RepoArgs, repository pulumi.StringOutput, content []pulumi.Resource) (*github.RepositoryRuleset, error) {
	if args.Branch != DefaultBranch {
		branch, err := github.NewBranch(ctx, name, &github.BranchArgs{
			Repository: repository, Branch: pulumi.String(args.Branch), SourceBranch: pulumi.String(DefaultBranch),
		}, pulumi.Parent(r), pulumi.Protect(true), pulumi.RetainOnDelete(true), pulumi.DependsOn(content))
		if err != nil {
			return nil, err
		}
		content = append(content, branch)
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
		Rules:        args.rules(),
	}, pulumi.Parent(r), pulumi.DependsOn(content))
}

// rules are what holds on the branch (GitHub Docs, "Available rules for rulesets").
func (args *RepoArgs) rules() github.RepositoryRulesetRulesArgs {
	rules := github.RepositoryRulesetRulesArgs{
		// A branch that somebody with the power to do so deleted does not come back with another history.
		Creation:              pulumi.Bool(true),
		Deletion:              pulumi.Bool(true),
		NonFastForward:        pulumi.Bool(true),
		RequiredLinearHistory: pulumi.Bool(args.Linear),
		PullRequest: github.RepositoryRulesetRulesPullRequestArgs{
			RequiredApprovingReviewCount:   pulumi.Int(args.Approvals),
			DismissStaleReviewsOnPush:      pulumi.Bool(true),
			RequireCodeOwnerReview:         pulumi.Bool(true),
			RequireLastPushApproval:        pulumi.Bool(args.Approvals > 0),
			RequiredReviewThreadResolution: pulumi.Bool(true),
		},
	}
	var checks github.RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArray
	if args.Upstream != "" {
		check := github.RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArgs{Context: pulumi.String(PromotionCheck(args.Branch))}
		if args.ChecksApp != 0 {
			check.IntegrationId = pulumi.Int(args.ChecksApp)
		}
		checks = append(checks, check)
	}
	for _, name := range args.Checks {
		checks = append(checks, github.RepositoryRulesetRulesRequiredStatusChecksRequiredCheckArgs{Context: pulumi.String(name)})
	}
	if checks != nil {
		rules.RequiredStatusChecks = github.RepositoryRulesetRulesRequiredStatusChecksArgs{
			RequiredChecks: checks, DoNotEnforceOnCreate: pulumi.Bool(true),
			// A promotion never contains the merge commits of the branch it goes into.
			StrictRequiredStatusChecksPolicy: pulumi.Bool(false),
		}
	}
	return rules
}
