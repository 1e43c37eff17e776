package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/retry"
)

var errDown = errors.New("down")

// after answers with the errors in turn, and then with success.
func after(errs ...error) (func(context.Context) (int, error), *int) {
	calls := 0
	return func(context.Context) (int, error) {
		calls++
		if calls <= len(errs) {
			return 0, errs[calls-1]
		}
		return calls, nil
	}, &calls
}

func TestWithoutMarkThereIsNoSecondTry(t *testing.T) {
	call, calls := after(errDown)
	_, err := retry.Do(t.Context(), retry.Call(), call)
	require.ErrorIs(t, err, errDown)
	assert.Equal(t, 1, *calls)
	assert.Equal(t, "down", err.Error())
}

func TestMarkedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call, _ := after(retry.Again(errDown), fmt.Errorf("wrapped: %w", retry.Again(errDown)))
		began := time.Now()
		got, err := retry.Do(t.Context(), retry.Call(), call)
		require.NoError(t, err)
		assert.Equal(t, 3, got)
		assert.LessOrEqual(t, time.Since(began), 3*retry.Call().First)
	})
}

func TestTriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		_, err := retry.Do(t.Context(), retry.Call(), func(context.Context) (int, error) {
			calls++
			return 0, retry.Again(errDown)
		})
		require.ErrorIs(t, err, errDown)
		require.EqualError(t, err, "down; tried 6 times")
		assert.Equal(t, 6, calls)
	})
}

func TestWhatOnePolicyGaveUpNoOtherTakesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		_, err := retry.Do(t.Context(), retry.Race(), func(ctx context.Context) (int, error) {
			n, err := retry.Do(ctx, retry.Call(), func(context.Context) (int, error) {
				calls++
				return 0, retry.Again(errDown)
			})
			return n, fmt.Errorf("outer: %w", err)
		})
		require.ErrorIs(t, err, errDown)
		assert.Equal(t, 6, calls)
	})
}

func TestToldPauseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var told []string
		ctx := retry.Tell(t.Context(), func(text string) { told = append(told, text) })
		call, _ := after(retry.After(errDown, began.Add(3*time.Minute)))
		_, err := retry.Do(ctx, retry.Call(), call)
		require.NoError(t, err)
		assert.Equal(t, 3*time.Minute, time.Since(began))
		assert.Equal(t, []string{"waiting 3m0s before trying again: down"}, told)
	})
}

func TestTooLongAPauseIsAnErrorAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		call, calls := after(retry.After(errDown, began.Add(time.Hour)))
		_, err := retry.Do(t.Context(), retry.Call(), call)
		require.ErrorIs(t, err, errDown)
		require.ErrorContains(t, err, "possible again at "+began.Add(time.Hour).UTC().Format(time.RFC3339)+", in 1h0m0s")
		assert.Zero(t, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		*calls = 0
		call, _ = after(retry.After(errDown, began.Add(2*time.Minute)))
		_, err = retry.Do(ctx, retry.Call(), call)
		require.ErrorContains(t, err, "in 2m0s", "the context's deadline counts too")
		assert.Zero(t, time.Since(began))
	})
}

func TestCancelledPauseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		call, _ := after(retry.After(errDown, began.Add(time.Minute)))
		_, err := retry.Do(ctx, retry.Call(), call)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errDown, "what was waited for is not lost")
		assert.Equal(t, time.Second, time.Since(began))
	})
}

// Whatever the policy, it ends in time, and no pause is longer than its bound.
func TestEveryPolicyEnds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := retry.Policy{
			Tries:   rapid.IntRange(0, 8).Draw(r, "tries"),
			Elapsed: time.Duration(rapid.IntRange(0, 300).Draw(r, "elapsed")) * time.Second,
			First:   time.Duration(rapid.IntRange(1, 2000).Draw(r, "first")) * time.Millisecond,
			Most:    time.Duration(rapid.IntRange(2000, 20000).Draw(r, "most")) * time.Millisecond,
		}
		synctest.Test(t, func(t *testing.T) {
			began, last := time.Now(), time.Now()
			var longest time.Duration
			_, err := retry.Do(t.Context(), p, func(context.Context) (int, error) {
				longest, last = max(longest, time.Since(last)), time.Now()
				return 0, retry.Again(errDown)
			})
			assert.ErrorIs(t, err, errDown)
			assert.LessOrEqual(t, longest, p.Most+time.Millisecond)
			assert.LessOrEqual(t, time.Since(began), p.Elapsed)
		})
	})
}
