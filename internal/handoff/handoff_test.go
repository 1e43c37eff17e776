package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/release"
)

func forge(t *testing.T) (*githubsim.Server, *github.Client) {
	t.Helper()
	server, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"t": {Login: "relay[bot]", App: 7}},
	})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "image", DefaultBranch: "dev", AutoInit: true}))
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	client, err := github.New(web.URL+"/api/v3/", "acme", "t")
	require.NoError(t, err)
	return server, client
}

func say(content string) func(context.Context, handoff.Current) (handoff.Decision, error) {
	return func(context.Context, handoff.Current) (handoff.Decision, error) {
		return handoff.Decision{Content: []byte(content), Message: "say so"}, nil
	}
}

func TestOnceMoreIsNoCommit(t *testing.T) {
	server, client := forge(t)
	change := handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say("one\n")}
	first, err := handoff.Do(t.Context(), client, change)
	require.NoError(t, err)
	assert.True(t, first.Changed)
	head, err := server.CommitOf(t.Context(), "image", "dev")
	require.NoError(t, err)
	assert.Equal(t, head, first.Commit)

	second, err := handoff.Do(t.Context(), client, change)
	require.NoError(t, err)
	assert.Equal(t, handoff.Result{Reason: "it is already there"}, second)
	after, err := server.CommitOf(t.Context(), "image", "dev")
	require.NoError(t, err)
	assert.Equal(t, head, after)
}

func TestHoldRefusesWithItsText(t *testing.T) {
	_, client := forge(t)
	hold := handoff.Change{Repository: "image", Branch: "dev", Path: release.HoldFile, Decide: say("v1.2 loses carts,\nask Kim\n")}
	_, err := handoff.Do(t.Context(), client, hold)
	require.NoError(t, err)
	_, err = handoff.Do(t.Context(), client, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say("x")})
	var held *handoff.HeldError
	require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &held)
	assert.ErrorContains(t, err, "image at dev is held: v1.2 loses carts, ask Kim")
	assert.Contains(t, held.Hint(), "remove the file hold")
	file, err := client.ReadFile(t.Context(), "image", "dev", "f")
	require.NoError(t, err)
	assert.False(t, file.Exists)
}

func TestRacersLoseNothing(t *testing.T) {
	_, client := forge(t)
	var group sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		group.Go(func() {
			_, results[i] = handoff.Do(t.Context(), client, handoff.Change{
				Repository: "image", Branch: "dev", Path: "f",
				Decide: func(_ context.Context, current handoff.Current) (handoff.Decision, error) {
					return handoff.Decision{Content: fmt.Appendf(current.Content, "%d\n", i), Message: "append"}, nil
				},
			})
		})
	}
	group.Wait()
	for _, err := range results {
		require.NoError(t, err)
	}
	file, err := client.ReadFile(t.Context(), "image", "dev", "f")
	require.NoError(t, err)
	assert.Len(t, strings.Fields(string(file.Content)), len(results))
}

func TestRefusalIsNotTriedAgain(t *testing.T) {
	server, client := forge(t)
	binds := &githubsim.Conditions{}
	binds.RefName.Includes = []string{"refs/heads/dev"}
	require.NoError(t, server.PutRuleset("image", "r", githubsim.Ruleset{
		Name: "dev", Target: "branch", Enforcement: "active", Conditions: binds,
		Rules: githubsim.Rules{PullRequest: &githubsim.PullRequestRule{RequiredApprovingReviewCount: 1}},
	}))
	_, err := handoff.Do(t.Context(), client, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say("x")})
	require.ErrorIs(t, err, github.ErrProtected)
	require.ErrorContains(t, err, "bypass its ruleset")
	assert.NotErrorIs(t, err, github.ErrConflict)
}

// flaky carries a write out and then loses the answer, or loses the call before it gets there, once.
type flaky struct {
	*github.Client
	before, after bool
}

func (f *flaky) Advance(ctx context.Context, repository, branch, commit string) error {
	if f.before {
		f.before = false
		return fmt.Errorf("write: %w", github.ErrUnsettled)
	}
	err := f.Client.Advance(ctx, repository, branch, commit)
	if err == nil && f.after {
		f.after = false
		return fmt.Errorf("write: %w", github.ErrUnsettled)
	}
	return err
}

func TestWriteWithoutAnswerIsSettledByReading(t *testing.T) {
	server, client := forge(t)
	for i, hub := range []*flaky{{Client: client, before: true}, {Client: client, after: true}, {Client: client, before: true, after: true}} {
		before, err := server.CommitOf(t.Context(), "image", "dev")
		require.NoError(t, err)
		result, err := handoff.Do(t.Context(), hub, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say(fmt.Sprint(i))})
		require.NoError(t, err)
		assert.True(t, result.Changed, "the run knows that its commit is there")
		relation, err := client.Between(t.Context(), "image", before, "dev")
		require.NoError(t, err)
		require.Len(t, relation.Commits, 1, "and made no second one")
		assert.Equal(t, result.Commit, relation.Commits[0].SHA)
	}
}

// late carries out something between a hand-off's last look and its write.
type late struct {
	*github.Client
	act func()
}

func (l *late) Advance(ctx context.Context, repository, branch, commit string) error {
	if act := l.act; act != nil {
		l.act = nil
		act()
	}
	return l.Client.Advance(ctx, repository, branch, commit)
}

func TestHoldThatComesLateHolds(t *testing.T) {
	_, client := forge(t)
	_, err := handoff.Do(t.Context(), &late{client, func() {
		_, err := handoff.Do(t.Context(), client, handoff.Change{Repository: "image", Branch: "dev", Path: release.HoldFile, Decide: say("wait\n")})
		assert.NoError(t, err)
	}}, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say("x")})
	var held *handoff.HeldError
	require.ErrorAs(t, err, &held)
}

// A branch that went from A to B and back to A is another one: a run that decided on the first A decides again.
func TestThereAndBackIsSeen(t *testing.T) {
	_, client := forge(t)
	put := func(content string) {
		_, err := handoff.Do(t.Context(), client, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say(content)})
		require.NoError(t, err)
	}
	put("A")
	decided := 0
	_, err := handoff.Do(t.Context(), &late{client, func() { put("B"); put("A") }}, handoff.Change{
		Repository: "image", Branch: "dev", Path: "f", Decide: func(context.Context, handoff.Current) (handoff.Decision, error) {
			decided++
			return handoff.Decision{Content: []byte("C"), Message: "C"}, nil
		},
	})
	require.NoError(t, err)
	assert.Equal(t, 2, decided)
}

type fixed struct {
	relation github.Relation
	err      error
}

func (f fixed) Compare(context.Context, string, string, string) (github.Relation, error) {
	return f.relation, f.err
}

func TestBackwards(t *testing.T) {
	for relation, want := range map[github.Relation]bool{
		github.Ahead: false, github.Behind: true, github.Identical: false, github.Diverged: false, github.Unknown: false,
	} {
		got, err := handoff.Backwards(t.Context(), fixed{relation: relation}, "r", "recorded", "source")
		require.NoError(t, err)
		assert.Equal(t, want, got, relation)
	}
	_, err := handoff.Backwards(t.Context(), fixed{err: errors.New("down")}, "r", "recorded", "source")
	require.Error(t, err)
	for _, recorded := range []string{"", "source"} {
		got, err := handoff.Backwards(t.Context(), fixed{err: errors.New("not asked")}, "r", recorded, "source")
		require.NoError(t, err)
		assert.False(t, got)
	}
}

func TestMessageCarriesWhatIsKnown(t *testing.T) {
	known := release.Release{ArtifactTag: "v1", SoftwareCommit: "c", Execution: "e"}
	text := handoff.Message("software: v1", known)
	assert.Equal(t, known, release.FromMessage(text))
	assert.NotContains(t, text, "Image-Commit")
}

// Three of a hand-off's calls are writes; a limit of four lets the first one through and stops the second in its middle.
func TestRateLimitIsWaitedForAndDecidedAnew(t *testing.T) {
	server, client := forge(t)
	server.SetLimits(githubsim.Limits{Writes: 4, Pause: time.Second})
	for i, content := range []string{"one", "two"} {
		result, err := handoff.Do(t.Context(), client, handoff.Change{Repository: "image", Branch: "dev", Path: "f", Decide: say(content)})
		require.NoError(t, err, i)
		assert.True(t, result.Changed)
	}
}
