package githubsim_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func TestPrimaryLimit(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	w.SetLimits(githubsim.Limits{Requests: 2, Window: time.Second})
	for left := 1; left >= 0; left-- {
		_, response, err := w.as("alice").Repositories.Get(ctx, "acme", "image")
		require.NoError(t, err)
		assert.Equal(t, left, response.Rate.Remaining)
	}
	_, _, err := w.as("bob").Repositories.Get(ctx, "acme", "image")
	var limit *github.RateLimitError
	require.ErrorAs(t, err, &limit)
	time.Sleep(time.Until(limit.Rate.Reset.Time) + 10*time.Millisecond)
	_, _, err = w.as("bob").Repositories.Get(ctx, "acme", "image")
	require.NoError(t, err)
}

func TestSecondaryLimitIsOnWrites(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	put := func(path string) error {
		_, _, err := w.as("bot").Repositories.CreateFile(ctx, "acme", "image", path, write("m", "x", "", "dev"))
		return err
	}
	w.SetLimits(githubsim.Limits{Writes: 1, Pause: time.Second})
	require.NoError(t, put("a"))
	var abuse *github.AbuseRateLimitError
	require.ErrorAs(t, put("b"), &abuse)
	assert.Equal(t, time.Second, abuse.GetRetryAfter())
	_, _, err := w.as("bot").Repositories.Get(ctx, "acme", "image")
	require.NoError(t, err)
	time.Sleep(time.Second + 10*time.Millisecond)
	require.NoError(t, put("b"))

	w.SetLimits(githubsim.Limits{Writes: 1, Silent: true})
	require.NoError(t, put("c"))
	err = put("d")
	require.ErrorAs(t, err, &abuse)
	assert.Nil(t, abuse.RetryAfter)
	assert.Equal(t, http.StatusForbidden, abuse.Response.StatusCode)
	w.SetLimits(githubsim.Limits{})
	require.NoError(t, errors.Join(put("d"), put("e")))
}
