package promotion_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/promotion"
)

// hub knows one comparison, and keeps the pull request.
type hub struct {
	news github.Comparison
	ami  []github.Commit
	pull github.PullRequest
}

func (h *hub) Between(context.Context, string, string, string) (github.Comparison, error) {
	return h.news, nil
}

func (h *hub) ListCommits(context.Context, string, string, string, int, int) ([]github.Commit, error) {
	return h.ami, nil
}

func (h *hub) ReadFile(context.Context, string, string, string) (github.File, error) {
	return github.File{Exists: true, Content: []byte("ami-00000001\n")}, nil
}

func (h *hub) OpenPull(_ context.Context, p github.PullRequest) (github.Pull, error) {
	h.pull = p
	return github.Pull{Number: 1, Created: true}, nil
}

func (h *hub) Web(repository string) string { return "https://github.com/acme/" + repository }

var request = promotion.Request{Repository: "software", Infrastructure: "infra", From: "dev", To: "qa"}

func TestBodyListsCommitsAndRelease(t *testing.T) {
	h := &hub{
		news: github.Comparison{Relation: github.Diverged, Total: 300},
		ami:  []github.Commit{{SHA: "i", Message: "ami-id\n\nArtifact-Tag: v1\n", Time: time.Unix(0, 0).UTC()}},
	}
	for i := range 250 {
		h.news.Commits = append(h.news.Commits, github.Commit{SHA: fmt.Sprintf("%040d", i), Message: fmt.Sprintf("change %d\n\nbody", i), Author: "kim"})
	}
	h.news.Commits[0].Message = "`@everyone` | <img src=x> [x](javascript:y)"
	result, err := promotion.Open(t.Context(), h, request)
	require.NoError(t, err)
	assert.Equal(t, 300, result.Commits)
	assert.Equal(t, "Promote dev to qa: v1", h.pull.Title)
	assert.Equal(t, "dev", h.pull.Head)
	assert.Equal(t, "qa", h.pull.Base)
	assert.Contains(t, h.pull.Body, "dev is at `v1 (ami-00000001)` since 1970-01-01 00:00 UTC.")
	assert.Contains(t, h.pull.Body, "| [`000000000000`](https://github.com/acme/software/commit/"+fmt.Sprintf("%040d", 1)+") | `change 1` `kim` |")
	assert.Contains(t, h.pull.Body, "| `'@everyone' \\| <img src=x> [x](javascript:y)` `kim` |", "it mentions nobody and stays in its cell")
	assert.Contains(t, h.pull.Body, "and 250 more.")
	assert.NotContains(t, h.pull.Body, "body")
}

func TestNothingToPromote(t *testing.T) {
	for _, relation := range []github.Relation{github.Identical, github.Behind} {
		h := &hub{news: github.Comparison{Relation: relation}}
		result, err := promotion.Open(t.Context(), h, request)
		require.NoError(t, err)
		assert.Nil(t, result.Pull)
		assert.Equal(t, "qa has all that dev has", result.Reason)
		assert.Zero(t, h.pull)
	}
	_, err := promotion.Open(t.Context(), &hub{news: github.Comparison{Relation: github.Unknown}}, request)
	require.ErrorContains(t, err, "no branches dev and qa")
}

func TestEnvironmentWithoutARelease(t *testing.T) {
	h := &hub{news: github.Comparison{Relation: github.Ahead, Total: 1, Commits: []github.Commit{{SHA: "s", Message: "m"}}}}
	_, err := promotion.Open(t.Context(), h, request)
	require.NoError(t, err)
	assert.Equal(t, "Promote dev to qa", h.pull.Title)
	assert.Contains(t, h.pull.Body, "dev has no release yet.")
}
