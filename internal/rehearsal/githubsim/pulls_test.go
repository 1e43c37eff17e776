package githubsim_test

import (
	"testing"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

// propose writes a file on dev as alice and opens her pull request from there to qa.
func (w *world) propose(path, content string) *github.PullRequest {
	w.t.Helper()
	ctx := w.t.Context()
	w.writeDev(path, content)
	p, _, err := w.as("alice").PullRequests.Create(ctx, "acme", "software", &github.NewPullRequest{
		Title: github.Ptr("Promote"), Body: github.Ptr("why"), Head: github.Ptr("dev"), Base: github.Ptr("qa"),
	})
	require.NoError(w.t, err)
	return p
}

func (w *world) writeDev(path, content string) {
	w.t.Helper()
	old, _, err := w.ReadFile(w.t.Context(), "software", "dev", path)
	require.NoError(w.t, err)
	_, err = w.WriteFile(w.t.Context(), "software", githubsim.FileWrite{
		Branch: "dev", Path: path, Content: []byte(content), Message: "write " + path, SHA: old.SHA,
	}, githubsim.Actor{Login: "alice"})
	require.NoError(w.t, err)
}

func (w *world) review(token, event string, number int) error {
	_, _, err := w.as(token).PullRequests.CreateReview(w.t.Context(), "acme", "software", number,
		&github.PullRequestReviewRequest{Event: github.Ptr(event)})
	return err
}

func (w *world) merge(token string, number int, options *github.PullRequestOptions) error {
	_, _, err := w.as(token).PullRequests.Merge(w.t.Context(), "acme", "software", number, "", options)
	return err
}

func TestAnApprovedPullRequestPassesTheRuleset(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	w.protect("software", "qa", nil)
	pulls := w.as("alice").PullRequests
	empty := &github.NewPullRequest{Title: github.Ptr("Promote"), Head: github.Ptr("dev"), Base: github.Ptr("qa")}
	_, _, err := pulls.Create(ctx, "acme", "software", empty)
	refused(t, err, 422, "No commits between qa and dev")
	p := w.propose("a", "a")
	_, _, err = pulls.Create(ctx, "acme", "software", empty)
	refused(t, err, 422, "A pull request already exists for acme:dev.")

	got, _, err := pulls.Get(ctx, "acme", "software", p.GetNumber())
	require.NoError(t, err)
	assert.True(t, got.GetMergeable())
	assert.Equal(t, "blocked", got.GetMergeableState())
	refused(t, w.merge("alice", 1, nil), 405, "At least 1 approving review is required by reviewers with write access.")
	refused(t, w.review("alice", "APPROVE", 1), 422, "Can not approve your own pull request")
	require.NoError(t, w.review("bob", "APPROVE", 1))
	w.writeDev("a", "changed after the approval")
	refused(t, w.merge("alice", 1, nil), 405, "approving review is required")
	require.NoError(t, w.review("bob", "APPROVE", 1))
	require.NoError(t, w.review("carol", "REQUEST_CHANGES", 1))
	refused(t, w.merge("alice", 1, nil), 405, "1 review requesting changes")
	require.NoError(t, w.review("carol", "APPROVE", 1))
	refused(t, w.merge("alice", 1, &github.PullRequestOptions{SHA: p.GetBase().GetSHA()}), 409, "Head branch was modified")

	before := w.commitOf("software", "qa")
	require.NoError(t, w.merge("alice", 1, &github.PullRequestOptions{SHA: w.commitOf("software", "dev")}))
	moves := w.seen()
	last := moves[len(moves)-1]
	assert.Equal(t, githubsim.Move{
		Repo: "software", Branch: "qa", Before: before, After: w.commitOf("software", "qa"),
		Actor: githubsim.Actor{Login: "alice"}, Paths: []string{"a"},
	}, last)
	merged, _, err := w.as("alice").Repositories.GetCommit(ctx, "acme", "software", "qa", nil)
	require.NoError(t, err)
	assert.Equal(t, "Merge pull request #1 from acme/dev\n\nPromote", merged.GetCommit().GetMessage())
	require.Len(t, merged.Parents, 2)
	got, _, err = pulls.Get(ctx, "acme", "software", 1)
	require.NoError(t, err)
	assert.Equal(t, "closed", got.GetState())
	assert.True(t, got.GetMerged())
	assert.Equal(t, last.After, got.GetMergeCommitSHA())
	refused(t, w.merge("alice", 1, nil), 405, "not mergeable")

	list, _, err := pulls.List(ctx, "acme", "software", &github.PullRequestListOptions{Head: "acme:dev", Base: "qa"})
	require.NoError(t, err)
	assert.Empty(t, list, "open ones only")
	list, _, err = pulls.List(ctx, "acme", "software", &github.PullRequestListOptions{State: "all", Base: "qa"})
	require.NoError(t, err)
	assert.Len(t, list, 1)
}

func TestStatusChecks(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	w.protect("software", "qa", func(set *githubsim.Ruleset) {
		set.Rules.PullRequest = &githubsim.PullRequestRule{}
		set.Rules.RequiredStatusChecks = &githubsim.RequiredStatusChecks{
			RequiredChecks: []githubsim.RequiredCheck{{Context: "build", IntegrationID: app}, {Context: "lint"}},
		}
	})
	p := w.propose("a", "a")
	set := func(token, context, state string) {
		t.Helper()
		_, _, err := w.as(token).Repositories.CreateStatus(ctx, "acme", "software", p.GetHead().GetSHA(),
			&github.RepoStatus{Context: github.Ptr(context), State: github.Ptr(state)})
		require.NoError(t, err)
	}
	refused(t, w.merge("alice", 1, nil), 405, "2 of 2 required status checks are expected.")
	set("alice", "lint", "success")
	set("alice", "build", "success")
	refused(t, w.merge("alice", 1, nil), 405, `Required status check "build" is expected.`)
	set("bot", "build", "failure")
	refused(t, w.merge("alice", 1, nil), 405, "build")
	set("bot", "build", "success")
	require.NoError(t, w.merge("alice", 1, nil))
}

func TestSquashConflictAndDeletedHead(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	require.NoError(t, w.UpdateRepository(ctx, githubsim.Repository{Name: "software", DeleteBranchOnMerge: true}))
	w.protect("software", "dev", func(set *githubsim.Ruleset) { set.Rules.PullRequest = nil })
	w.propose("a", "a")
	require.NoError(t, w.merge("bob", 1, &github.PullRequestOptions{MergeMethod: "squash"}))
	squashed, _, err := w.as("bob").Repositories.GetCommit(ctx, "acme", "software", "qa", nil)
	require.NoError(t, err)
	assert.Len(t, squashed.Parents, 1)
	assert.Equal(t, "Promote (#1)\n\nwhy", squashed.GetCommit().GetMessage())
	assert.Equal(t, "alice", squashed.GetCommit().GetAuthor().GetName())
	assert.NotEmpty(t, w.commitOf("software", "dev"), "the ruleset against deletion keeps it")

	p := w.propose("a", "b") // both branches added the file since their common commit
	refused(t, w.merge("bob", p.GetNumber(), nil), 405, "Merge conflict")
	got, _, err := w.as("bob").PullRequests.Get(ctx, "acme", "software", p.GetNumber())
	require.NoError(t, err)
	assert.Equal(t, "dirty", got.GetMergeableState())

	sha := w.commitOf("software", "main")
	_, err = w.CreateBranch(ctx, "software", "topic", sha)
	require.NoError(t, err)
	_, err = w.WriteFile(ctx, "software", githubsim.FileWrite{Branch: "topic", Path: "t", Message: "t"}, githubsim.Actor{Login: "a"})
	require.NoError(t, err)
	topic, _, err := w.as("alice").PullRequests.Create(ctx, "acme", "software", &github.NewPullRequest{
		Title: github.Ptr("Topic"), Head: github.Ptr("acme:topic"), Base: github.Ptr("qa"),
	})
	require.NoError(t, err)
	require.NoError(t, w.merge("bob", topic.GetNumber(), nil))
	_, err = w.CommitOf(ctx, "software", "topic")
	assert.True(t, githubsim.NotFound(err), "%v", err)
}

func TestStricterReviewRules(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	_, err := w.WriteFile(ctx, "software", githubsim.FileWrite{
		Branch: "qa", Path: ".github/CODEOWNERS", Content: []byte("/policy/ @acme/platform\n"), Message: "owners",
	}, githubsim.Actor{Login: "root"})
	require.NoError(t, err)
	w.protect("software", "qa", func(set *githubsim.Ruleset) {
		set.Rules.PullRequest = &githubsim.PullRequestRule{RequireCodeOwnerReview: true, RequireLastPushApproval: true}
		set.Rules.RequiredLinearHistory = true
		set.BypassActors = []githubsim.BypassActor{{ActorType: "OrganizationAdmin", ActorID: 1, BypassMode: "pull_request"}}
	})
	squash := &github.PullRequestOptions{MergeMethod: "squash"}
	w.propose("policy/a.rego", "a")
	refused(t, w.merge("carol", 1, nil), 405, "must not contain merge commits")
	refused(t, w.merge("carol", 1, squash), 405, "someone other than the last pusher")
	require.NoError(t, w.review("carol", "APPROVE", 1))
	refused(t, w.merge("carol", 1, squash), 405, "Waiting on code owner review from acme/platform.")
	require.NoError(t, w.review("bob", "APPROVE", 1))
	require.NoError(t, w.merge("carol", 1, squash))

	w.propose("policy/b.rego", "b")
	_, _, err = w.as("root").Repositories.CreateFile(ctx, "acme", "software", "x", write("m", "x", "", "qa"))
	refused(t, err, 409, "Changes must be made through a pull request.")
	require.NoError(t, w.merge("root", 2, nil), "the bypass is for pull requests only")
}
