package github

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/retry"
)

func TestPrimaryLimitIsWaitedFor(t *testing.T) {
	server, c := forge(t)
	server.SetLimits(githubsim.Limits{Requests: 2, Window: time.Second})
	var told []string
	ctx := retry.Tell(t.Context(), func(text string) { told = append(told, text) })
	began := time.Now()
	for range 4 {
		_, err := c.ReadFile(ctx, "image", "dev", "README.md")
		require.NoError(t, err)
	}
	assert.Greater(t, time.Since(began), time.Second)
	for _, text := range told {
		assert.Contains(t, text, "GitHub's rate limit")
	}
}

func TestLimitBeyondPatienceIsAnErrorThatSaysWhen(t *testing.T) {
	server, c := forge(t)
	server.SetLimits(githubsim.Limits{Requests: 1})
	_, err := c.ReadHead(t.Context(), "image", "dev")
	require.NoError(t, err)
	began := time.Now()
	_, err = c.ReadHead(t.Context(), "image", "dev")
	require.ErrorContains(t, err, "GitHub's rate limit")
	require.ErrorContains(t, err, "possible again at "+began.UTC().Add(time.Hour).Format("2006-01-02T15:"))
	assert.Less(t, time.Since(began), time.Second)
}

func TestWriteThatALimitRefusedMayBeMadeAgain(t *testing.T) {
	server, c := forge(t)
	server.SetLimits(githubsim.Limits{Writes: 2, Pause: time.Second})
	head, err := c.ReadHead(t.Context(), "image", "dev")
	require.NoError(t, err)
	_, err = write(t, c, head, "f", "x") // the tree, the commit and the branch are three writes
	require.ErrorContains(t, err, "secondary rate limit")
	assert.NotErrorIs(t, err, ErrUnsettled)
	assert.NotErrorIs(t, err, ErrConflict)
}

// What GitHub's documentation says of its answers, whichever of them go-github knows.
func TestAnswersOfRateLimits(t *testing.T) {
	reset := strconv.FormatInt(time.Now().Add(5*time.Minute).Unix(), 10)
	for name, answer := range map[string]struct {
		code   int
		header map[string]string
		body   string
		wait   time.Duration // 0: no rate limit
	}{
		"primary":                  {403, map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}, `{"message": "API rate limit exceeded"}`, 5 * time.Minute},
		"primary, 429":             {429, map[string]string{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": reset}, `{"message": "API rate limit exceeded"}`, 5 * time.Minute},
		"secondary":                {403, map[string]string{"Retry-After": "30"}, `{"documentation_url": "https://docs.github.com/x#about-secondary-rate-limits"}`, 30 * time.Second},
		"secondary, 429":           {429, map[string]string{"Retry-After": "30"}, `{}`, 30 * time.Second},
		"secondary, other page":    {403, map[string]string{"Retry-After": "30"}, `{"message": "You have exceeded a secondary rate limit"}`, 30 * time.Second},
		"secondary without a time": {403, nil, `{"message": "You have exceeded a secondary rate limit"}`, time.Minute},
		"429 without a time":       {429, nil, `{}`, time.Minute},
		"no permission":            {403, map[string]string{"X-Ratelimit-Remaining": "4999"}, `{"message": "Resource not accessible by integration"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				for key, value := range answer.header {
					w.Header().Set(key, value)
				}
				w.WriteHeader(answer.code)
				_, _ = io.WriteString(w, answer.body)
			}))
			c.policy.Elapsed = time.Second
			for range 2 {
				_, err := c.ReadFile(t.Context(), "r", "dev", "f")
				if answer.wait == 0 {
					require.ErrorContains(t, err, "lacks a permission")
					continue
				}
				said := regexp.MustCompile(`possible again at \S+, in (\S+),`).FindStringSubmatch(err.Error())
				require.Len(t, said, 2, "%s", err)
				wait, err := time.ParseDuration(said[1])
				require.NoError(t, err)
				assert.InDelta(t, answer.wait, wait, float64(2*time.Second))
			}
			err := c.Advance(t.Context(), "r", "dev", "sha")
			assert.NotErrorIs(t, err, ErrUnsettled)
			assert.Error(t, errors.Unwrap(err))
		})
	}
}
