package components_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/internal/relayfile"
	"github.com/tekpossible/ha-devops/pipelines"
)

const (
	repositoryType = "github:index/repository:Repository"
	rulesetType    = "github:index/repositoryRuleset:RepositoryRuleset"
	branchType     = "github:index/branch:Branch"
	fileType       = "github:index/repositoryFile:RepositoryFile"
)

func repo(args components.RepoArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := components.NewRepo(ctx, string(args.Role), &args)
		return err
	}
}

func TestEveryBranchIsGuardedCompletely(t *testing.T) {
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure, pipelines.DevOps} {
		for _, branch := range []string{"dev", "qa", "main"} {
			t.Run(string(role)+" "+branch, func(t *testing.T) {
				bothWays(t, repo(components.RepoArgs{Role: role, Name: "shop", Product: "shop", Branch: branch, Approvals: 2}), func(t *testing.T, r *mocks.Recorder) {
					set := r.Only(t, rulesetType).Inputs.Mappable()
					assert.Equal(t, "active", set["enforcement"])
					assert.Equal(t, []any{"refs/heads/" + branch}, set["conditions"].(map[string]any)["refName"].(map[string]any)["includes"])
					assert.Empty(t, set["bypassActors"])
					rules := set["rules"].(map[string]any)
					for _, rule := range []string{"creation", "deletion", "nonFastForward"} {
						assert.Equal(t, true, rules[rule], rule)
					}
					assert.Equal(t, map[string]any{
						"requiredApprovingReviewCount": 2.0, "dismissStaleReviewsOnPush": true, "requireCodeOwnerReview": true,
						"requireLastPushApproval": true, "requiredReviewThreadResolution": true,
					}, rules["pullRequest"])
				})
			})
		}
	}
}

func TestARulesetNamesTheChecksThatMustPass(t *testing.T) {
	checks := func(args components.RepoArgs) (found []any) {
		args.Role, args.Name, args.Product = pipelines.Software, "shop", "shop"
		bothWays(t, repo(args), func(t *testing.T, r *mocks.Recorder) {
			rules := r.Only(t, rulesetType).Inputs.Mappable()["rules"].(map[string]any)
			found = nil
			if required, ok := rules["requiredStatusChecks"].(map[string]any); ok {
				found = required["requiredChecks"].([]any)
				assert.Equal(t, false, required["strictRequiredStatusChecksPolicy"], "a promotion is never up to date with what it goes into")
			}
		})
		return found
	}
	assert.Empty(t, checks(components.RepoArgs{Branch: "dev"}))
	assert.Equal(t, []any{map[string]any{"context": "promotion-path-qa", "integrationId": 15.0}, map[string]any{"context": "unit tests"}},
		checks(components.RepoArgs{Branch: "qa", Upstream: "dev", Checks: []string{"unit tests"}, ChecksApp: 15}),
		"only the given App may say that the path is right")
	assert.Equal(t, []any{map[string]any{"context": "promotion-path-main"}}, checks(components.RepoArgs{Branch: "main", Upstream: "qa"}),
		"a check that passed for qa has not passed for main")
}

func TestARepositoryIsKeptAndMergedInOneWay(t *testing.T) {
	for _, linear := range []bool{false, true} {
		bothWays(t, repo(components.RepoArgs{Role: pipelines.DevOps, Name: "shop-devops", Product: "shop", Create: true, Branch: "main", Linear: linear}), func(t *testing.T, r *mocks.Recorder) {
			made := r.Only(t, repositoryType)
			assert.True(t, made.Protect)
			for key, want := range map[string]any{
				"archiveOnDestroy": true, "vulnerabilityAlerts": true, "deleteBranchOnMerge": true, "visibility": "private",
				"allowMergeCommit": !linear, "allowSquashMerge": linear, "allowRebaseMerge": false,
			} {
				assert.Equal(t, want, made.Inputs.Mappable()[key], key)
			}
			assert.Equal(t, []any{"shop", "ha-devops", "devops"}, made.Inputs.Mappable()["topics"])
			assert.True(t, r.Only(t, "github:index/repositoryDependabotSecurityUpdates:RepositoryDependabotSecurityUpdates").Inputs["enabled"].BoolValue())
			assert.Equal(t, "main", r.Only(t, "github:index/branchDefault:BranchDefault").Inputs["branch"].StringValue())
			rules := r.Only(t, rulesetType).Inputs.Mappable()["rules"].(map[string]any)
			assert.Equal(t, linear, rules["requiredLinearHistory"])
			assert.Len(t, r.Of("github:index/issueLabel:IssueLabel"), map[bool]int{false: 1}[linear], "what is not promoted knows no hotfix")
		})
	}
}

func TestABranchOutlivesItsStack(t *testing.T) {
	bothWays(t, repo(components.RepoArgs{Role: pipelines.Image, Name: "shop-image", Product: "shop", Branch: "qa"}), func(t *testing.T, r *mocks.Recorder) {
		branch := r.Only(t, branchType)
		assert.True(t, branch.Protect)
		assert.True(t, branch.Retain)
		assert.Empty(t, r.Of(repositoryType), "only the first environment's stack makes repositories")
		assert.Empty(t, r.Of(fileType), "and writes into them")
	})
}

func TestStarterFilesAreWrittenOnceAndBeforeTheBranches(t *testing.T) {
	args := components.RepoArgs{Role: pipelines.Software, Name: "shop-software", Product: "shop", Create: true, Branch: "dev"}
	bothWays(t, repo(args), func(t *testing.T, r *mocks.Recorder) { assert.Empty(t, r.Of(fileType)) })
	args.Starter, args.CodeOwners = true, []string{"@acme/platform"}
	bothWays(t, repo(args), func(t *testing.T, r *mocks.Recorder) {
		order := map[string]int{}
		for i, file := range components.StarterFiles(pipelines.Software, args.CodeOwners) {
			order[file.Path] = i
		}
		files := r.Of(fileType)
		require.Len(t, files, len(order))
		for _, made := range files {
			path := made.Inputs["file"].StringValue()
			assert.Equal(t, "main", made.Inputs["branch"].StringValue())
			assert.Subset(t, made.Ignores, []string{"content", "commitMessage", "overwriteOnCreate"}, "people own %s from then on", path)
			assert.True(t, made.Retain, path)
			assert.Equal(t, path == "README.md", made.Inputs["overwriteOnCreate"].BoolValue(), "only GitHub's own README is replaced")
			if order[path] > 0 {
				require.NotEmpty(t, made.After, "%s is a commit on the same branch as the file before it", path)
			}
		}
		assert.Equal(t, len(order)-1, order["README.md"], "it comes last, after all that refuse a repository with content")
		assert.Contains(t, strings.Join(r.Only(t, branchType).After, " "), "README.md", "the branch begins with all files")
	})
}

func TestStarterFilesAreWhatTheRelayReads(t *testing.T) {
	files := func(role pipelines.Role, owners ...string) map[string]string {
		found := map[string]string{}
		for _, file := range components.StarterFiles(role, owners) {
			found[file.Path] = file.Content
		}
		return found
	}
	_, err := relayfile.Parse([]byte(files(pipelines.Software)[relayfile.Name]))
	require.NoError(t, err)
	image, err := imageconfig.Parse([]byte(files(pipelines.Image)[imageconfig.Name]))
	require.NoError(t, err)
	assert.Contains(t, files(pipelines.Image), image.Image.Setup)
	spec, err := envspec.Parse([]byte(files(pipelines.Infrastructure)[envspec.File]))
	require.NoError(t, err)
	assert.Equal(t, envspec.Default(), spec)
	assert.NotContains(t, files(pipelines.DevOps), components.PromotionWorkflow, "nothing is promoted in it")
	assert.NotContains(t, files(pipelines.DevOps), ".github/CODEOWNERS")
	assert.Contains(t, files(pipelines.DevOps, "@acme/platform", "@ann")[".github/CODEOWNERS"], "\n* @acme/platform @ann\n")
}

func TestThePromotionWorkflowReportsTheCheckThatTheRulesetsRequire(t *testing.T) {
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure} {
		for _, file := range components.StarterFiles(role, nil) {
			if file.Path != components.PromotionWorkflow {
				continue
			}
			var flow struct {
				On          map[string]any
				Permissions map[string]string
				Jobs        map[string]struct {
					Name  string
					Steps []map[string]any
				}
			}
			require.NoError(t, yaml.Unmarshal([]byte(file.Content), &flow))
			require.Len(t, flow.Jobs, 1)
			for _, job := range flow.Jobs {
				assert.Equal(t, components.PromotionCheck("${{ github.base_ref }}"), job.Name)
				for _, step := range job.Steps {
					assert.NotContains(t, step, "uses", "it runs with the rights of the protected branch, so it runs nothing else")
					assert.NotContains(t, step["run"], "${{", "what a pull request is called must not become a command")
				}
			}
			assert.Contains(t, flow.On, "pull_request_target", "a pull request must not change its own check")
			assert.Len(t, flow.On, 1)
			assert.Empty(t, flow.Permissions)
			assert.Contains(t, file.Content, "'"+components.HotfixLabel+"'")
		}
	}
}
