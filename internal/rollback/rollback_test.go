package rollback_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/rollback"
)

// world is an infrastructure repository whose branch main takes pull requests, and commits of the App.
type world struct {
	*testing.T
	server   *githubsim.Server
	app, kim *github.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"app": {Login: "relay[bot]", App: 7}, "kim": {Login: "kim"}},
	})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "infra", AutoInit: true}))
	set := githubsim.Ruleset{
		Name: "main", Target: "branch", Enforcement: "active", Conditions: &githubsim.Conditions{},
		BypassActors: []githubsim.BypassActor{{ActorID: 7, ActorType: "Integration", BypassMode: "always"}},
		Rules:        githubsim.Rules{PullRequest: &githubsim.PullRequestRule{RequiredApprovingReviewCount: 1}},
	}
	set.Conditions.RefName.Includes = []string{"refs/heads/main"}
	require.NoError(t, server.PutRuleset("infra", "r", set))
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	w := &world{T: t, server: server}
	for token, client := range map[string]**github.Client{"app": &w.app, "kim": &w.kim} {
		*client, err = github.New(web.URL+"/api/v3/", "acme", token)
		require.NoError(t, err)
	}
	return w
}

func ami(n int) string { return fmt.Sprintf("ami-%08d", n) }

// release hands AMI n off, as tag vn of software commit nnn….
func (w *world) release(n int) error {
	w.Helper()
	known := release.Release{ArtifactTag: fmt.Sprintf("v%d", n), SoftwareCommit: strings.Repeat(fmt.Sprint(n), 40)}
	_, err := handoff.Do(w.Context(), w.app, handoff.Change{
		Repository: "infra", Branch: "main", Path: release.AMIFile,
		Decide: func(context.Context, handoff.Current) (handoff.Decision, error) {
			return handoff.Decision{Content: []byte(release.FormatAMI(ami(n))), Message: handoff.Message("ami-id", known)}, nil
		},
	})
	return err
}

func (w *world) now(ref string) string {
	w.Helper()
	file, err := w.app.ReadFile(w.Context(), "infra", ref, release.AMIFile)
	require.NoError(w, err)
	return strings.TrimSpace(string(file.Content))
}

func request(to string) rollback.Request {
	return rollback.Request{
		Repository: "infra", Environment: "main", To: to,
		Hold: rollback.Hold{Reason: "carts\nare lost", By: "kim", At: time.Unix(0, 0)},
	}
}

func TestRollbackIsOneCommitThatHolds(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		require.NoError(t, w.release(n+1))
	}
	before, err := w.app.ReadHead(t.Context(), "infra", "main")
	require.NoError(t, err)
	result, err := rollback.Run(t.Context(), w.app, request(""))
	require.NoError(t, err)
	assert.Equal(t, ami(2), result.To.AMI)
	assert.Equal(t, ami(2), w.now("main"))
	news, err := w.app.Between(t.Context(), "infra", before.Commit, "main")
	require.NoError(t, err)
	require.Equal(t, 1, news.Total)
	assert.Equal(t, "v2", release.FromMessage(news.Commits[0].Message).ArtifactTag)

	var held *handoff.HeldError
	require.ErrorAs(t, w.release(4), &held)
	require.ErrorContains(t, held, "carts are lost held by kim since 1970-01-01T00:00:00Z")
	again, err := rollback.Run(t.Context(), w.app, request(""))
	require.NoError(t, err)
	assert.False(t, again.Changed)
	_, err = rollback.Lift(t.Context(), w.app, "infra", "main", false)
	require.NoError(t, err)
	require.NoError(t, w.release(4))

	// From there, the release before is the one that was rolled back to.
	result, err = rollback.Run(t.Context(), w.app, request(""))
	require.NoError(t, err)
	assert.Equal(t, ami(2), result.To.AMI)
}

func TestWhatToGoBackTo(t *testing.T) {
	w := newWorld(t)
	_, err := rollback.Run(t.Context(), w.app, request(""))
	require.ErrorContains(t, err, "has no release yet")
	require.NoError(t, w.release(1))
	_, err = rollback.Run(t.Context(), w.app, request(""))
	require.ErrorContains(t, err, "has no release before v1")
	require.NoError(t, w.release(2))
	commits, err := w.app.ListCommits(t.Context(), "infra", "main", release.AMIFile, 1, 10)
	require.NoError(t, err)
	for _, to := range []string{ami(1), "v1", strings.Repeat("1", 7), commits[1].SHA[:10]} {
		result, err := rollback.Run(t.Context(), w.app, request(to))
		require.NoError(t, err)
		assert.Equal(t, ami(1), result.To.AMI, to)
	}
	var missing *rollback.NotFoundError
	for _, to := range []string{ami(9), "v9", "111111", "v"} {
		_, err := rollback.Run(t.Context(), w.app, request(to))
		require.ErrorAs(t, err, &missing, to)
	}
}

// dying is a client whose owner is killed before its nth write.
type dying struct {
	*github.Client
	left int
}

var errKilled = errors.New("killed")

func (d *dying) live() error {
	if d.left--; d.left < 0 {
		return errKilled
	}
	return nil
}

func (d *dying) MakeCommit(ctx context.Context, repository string, on github.Head, edit github.Edit) (string, error) {
	if err := d.live(); err != nil {
		return "", err
	}
	return d.Client.MakeCommit(ctx, repository, on, edit)
}

func (d *dying) Advance(ctx context.Context, repository, branch, commit string) error {
	if err := d.live(); err != nil {
		return err
	}
	return d.Client.Advance(ctx, repository, branch, commit)
}

func (d *dying) PutBranch(ctx context.Context, repository, branch, commit string) error {
	if err := d.live(); err != nil {
		return err
	}
	return d.Client.PutBranch(ctx, repository, branch, commit)
}

func (d *dying) OpenPull(ctx context.Context, p github.PullRequest) (github.Pull, error) {
	if err := d.live(); err != nil {
		return github.Pull{}, err
	}
	return d.Client.OpenPull(ctx, p)
}

func TestKilledAnywhereAndRunAgain(t *testing.T) {
	for _, person := range []bool{false, true} {
		for writes := range 6 {
			t.Run(fmt.Sprintf("person=%v/writes=%d", person, writes), func(t *testing.T) {
				w := newWorld(t)
				require.NoError(t, w.release(1))
				require.NoError(t, w.release(2))
				client := w.app
				if person {
					client = w.kim
				}
				if _, err := rollback.Run(t.Context(), &dying{client, writes}, request("")); err != nil {
					require.ErrorIs(t, err, errKilled)
				}
				result, err := rollback.Run(t.Context(), client, request(""))
				require.NoError(t, err)
				if person {
					require.NotNil(t, result.Pull)
					assert.Equal(t, 1, result.Pull.Number)
					assert.Equal(t, ami(2), w.now("main"))
				} else {
					assert.Equal(t, ami(1), w.now("main"))
				}
				commits, err := w.app.ListCommits(t.Context(), "infra", "main", release.AMIFile, 1, 10)
				require.NoError(t, err)
				assert.Len(t, commits, map[bool]int{false: 3, true: 2}[person])
			})
		}
	}
}

func TestProposalIsKeptAndBroughtUpToDate(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.release(1))
	require.NoError(t, w.release(2))
	first, err := rollback.Run(t.Context(), w.kim, request("v1"))
	require.NoError(t, err)
	require.True(t, first.Pull.Created)
	second, err := rollback.Run(t.Context(), w.kim, request("v1"))
	require.NoError(t, err)
	assert.Equal(t, first.Commit, second.Commit, "a new commit would dismiss reviews")
	assert.Equal(t, first.Pull.URL, second.Pull.URL)
	assert.False(t, second.Pull.Created)

	require.NoError(t, w.release(3)) // nothing is held before the merge
	third, err := rollback.Run(t.Context(), w.kim, request("v1"))
	require.NoError(t, err)
	assert.NotEqual(t, first.Commit, third.Commit)
	assert.Equal(t, first.Pull.URL, third.Pull.URL)
	relation, err := w.app.Compare(t.Context(), "infra", "main", third.Commit)
	require.NoError(t, err)
	assert.Equal(t, github.Ahead, relation, "it can be merged")
	assert.Equal(t, ami(1), w.now(third.Commit))
}
