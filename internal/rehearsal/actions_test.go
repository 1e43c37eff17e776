package rehearsal

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/environments"
	hubclient "github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
	"github.com/tekpossible/ha-devops/internal/rollback"
)

func TestThePromotionWorkflowFollowsTheProfiles(t *testing.T) {
	flow, err := promotionWorkflow()
	require.NoError(t, err)
	upstream := map[string]string{}
	for _, profile := range environments.Profiles() {
		if profile.Upstream != "" {
			upstream[profile.Environment] = profile.Upstream
		}
	}
	assert.Len(t, flow.On.PullRequestTarget.Branches, len(upstream))
	step := flow.Jobs["promotion-path"].Steps[0]
	for _, base := range flow.On.PullRequestTarget.Branches {
		for _, head := range []string{"dev", "qa", "main", "feature", "dev; exit 0", "$(exit 0)"} {
			for _, fork := range []bool{false, true} {
				for _, hotfix := range []bool{false, true} {
					owner := map[bool]string{false: Owner, true: "somebody"}[fork]
					pull := &github.PullRequest{
						Base: &github.PullRequestBranch{Ref: &base, Repo: &github.Repository{FullName: github.Ptr(Owner + "/x")}},
						Head: &github.PullRequestBranch{Ref: &head, Repo: &github.Repository{FullName: github.Ptr(owner + "/x")}},
					}
					if hotfix {
						pull.Labels = []*github.Label{{Name: github.Ptr(components.HotfixLabel)}}
					}
					said, err := runStep(t.Context(), step.Run, step.Env, expressions(pull))
					assert.Equal(t, !fork && (head == upstream[base] || hotfix), err == nil,
						"%s into %s, fork %t, hotfix %t: %s", head, base, fork, hotfix, said)
				}
			}
		}
	}
}

// hub is a simulated GitHub with one repository that has the branches dev and qa, and the people who work with it.
func hub(t *testing.T) (*Rehearsal, string) {
	t.Helper()
	const repository = "shop-software"
	server, err := githubsim.New(githubsim.Options{Dir: t.TempDir(), Owner: Owner, Tokens: map[string]githubsim.Actor{
		DeveloperToken: {Login: "developer"}, ReviewerToken: {Login: "reviewer", Owner: true},
		actionsToken: {Login: "github-actions[bot]", App: actionsID},
	}})
	require.NoError(t, err)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: repository, AutoInit: true}))
	for _, branch := range []string{"dev", "qa"} {
		_, err := server.CreateBranch(t.Context(), repository, branch, "main")
		require.NoError(t, err)
	}
	return &Rehearsal{github: server, people: newPeople(web.URL)}, repository
}

func TestAPullRequestThatLeavesThePathIsRefusedUntilItIsAHotfix(t *testing.T) {
	r, repository := hub(t)
	ctx := t.Context()
	set := githubsim.Ruleset{Target: "branch", Enforcement: "active", Conditions: &githubsim.Conditions{}}
	set.Conditions.RefName.Includes = []string{"refs/heads/qa"}
	set.Rules.RequiredStatusChecks = &githubsim.RequiredStatusChecks{
		RequiredChecks: []githubsim.RequiredCheck{{Context: components.PromotionCheck("qa"), IntegrationID: actionsID}},
	}
	require.NoError(t, r.github.PutRuleset(repository, "1", set))
	scratch := t.TempDir()
	require.NoError(t, r.people.push(ctx, scratch, repository, "dev", "fix", map[string]string{"fix": "1"}))
	_, err := r.people.merge(ctx, repository, "fix", "qa", "A fix")
	require.ErrorContains(t, err, `Required status check "promotion-path-qa" is expected`)

	// What relay opens by itself can be merged: a hold, as a rollback, comes from no environment.
	relay, err := hubclient.New(r.people.url+"/api/v3/", Owner, DeveloperToken)
	require.NoError(t, err)
	held, err := rollback.Set(ctx, relay, repository, "qa", rollback.Hold{Reason: "not today", By: "kim"}, true)
	require.NoError(t, err)
	_, err = r.people.land(ctx, repository, held.Pull.Number)
	require.NoError(t, err)

	_, _, err = r.people.developer.Issues.AddLabelsToIssue(ctx, Owner, repository, 1, []string{components.HotfixLabel})
	require.NoError(t, err)
	require.NoError(t, r.people.check(ctx, repository, 1))
	_, _, err = r.people.developer.PullRequests.Merge(ctx, Owner, repository, 1, "", nil)
	require.NoError(t, err)

	require.NoError(t, r.people.push(ctx, scratch, repository, "dev", "dev", map[string]string{"feature": "1"}))
	_, err = r.people.merge(ctx, repository, "dev", "qa", "Promote dev to qa")
	require.NoError(t, err)
}

func TestStarterFilesReachARepositoryOnceAndNeverReplaceContent(t *testing.T) {
	r, repository := hub(t)
	put := func(path, content string, overwrite bool) error {
		return r.putFile(context.Background(), provider.Resource{Properties: map[string]any{
			"repository": repository, "branch": "main", "file": path, "content": content, "commitMessage": "Add " + path, "overwriteOnCreate": overwrite,
		}})
	}
	for i, file := range components.StarterFiles("software", []string{"@acme/platform"}) {
		require.NoError(t, put(file.Path, file.Content, file.Path == "README.md"), strconv.Itoa(i))
		found, _, err := r.github.ReadFile(t.Context(), repository, "main", file.Path)
		require.NoError(t, err)
		assert.Equal(t, file.Content, string(found.Content))
	}
	assert.ErrorContains(t, put(components.PromotionWorkflow, "", false), "refusing to overwrite existing file")
	assert.ErrorContains(t, put("README.md", "", false), fmt.Sprintf("README.md of %s", repository))
}
