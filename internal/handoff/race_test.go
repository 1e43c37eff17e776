package handoff_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/handoff"
)

// outcome is what a writer was told.
type outcome struct {
	source int
	result handoff.Result
	err    error
}

// race lets writers hand off their sources at once, each its own in order, and says what they were told.
func race(t *testing.T, b *branch, writers [][]int) (outcomes []outcome) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for _, sources := range writers {
		group.Go(func() {
			for _, source := range sources {
				result, err := handOff(t.Context(), b, source)
				mu.Lock()
				outcomes = append(outcomes, outcome{source, result, err})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return outcomes
}

// regressions are the moves of the branch to a source that is older than the one before it.
func (b *branch) regressions() (out [][2]int) {
	last := -1
	for _, commit := range b.moves {
		source := number(b.files[commit]["recorded"])
		if last >= 0 && b.sources.older(source, last) {
			out = append(out, [2]int{last, source})
		}
		last = source
	}
	return out
}

// check holds what the writers were told against what the branch went through.
func (b *branch) check(t *testing.T, outcomes []outcome) {
	assert.Empty(t, b.regressions(), "the branch went backwards")
	var recorded []int
	for _, commit := range b.moves {
		recorded = append(recorded, number(b.files[commit]["recorded"]))
	}
	for _, o := range outcomes {
		switch {
		case !assert.NoError(t, o.err, "source %d", o.source):
		case o.result.Changed:
			assert.Contains(t, b.moves, o.result.Commit, "source %d has a commit that the branch never was at", o.source)
		default:
			covered := slices.ContainsFunc(recorded, func(other int) bool { return other == o.source || b.sources.older(o.source, other) })
			assert.True(t, covered, "source %d is lost: %s", o.source, o.result.Reason)
		}
	}
	changed := slices.DeleteFunc(slices.Clone(outcomes), func(o outcome) bool { return !o.result.Changed })
	assert.Len(t, b.moves, len(changed), "each commit belongs to one hand-off")
}

// Whatever the order, the ancestry and the network: every hand-off succeeds or was overtaken, none is lost, and the branch never goes
// back to what is older than what it has.
func TestHandOffsOfAnyAncestryInAnyOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		linear := rapid.Bool().Draw(r, "linear")
		sources := make(ancestry, rapid.IntRange(1, 20).Draw(r, "commits"))
		for i := 1; i < len(sources); i++ {
			sources[i] = []int{i - 1}
			if !linear {
				sources[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, i-1), 0, min(i, 2), rapid.ID).Draw(r, "parents")
			}
		}
		f := faults{
			conflict: rapid.IntRange(0, 20).Draw(r, "conflict"), lostBefore: rapid.IntRange(0, 20).Draw(r, "lost before"),
			lostAfter: rapid.IntRange(0, 20).Draw(r, "lost after"), duplicate: rapid.IntRange(0, 20).Draw(r, "duplicate"),
		}
		// Sources are handed off in any order, more than once, or never.
		writers := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, len(sources)-1), 1, 5), 1, 8).Draw(r, "writers")
		seed := rapid.Uint64().Draw(r, "seed")
		synctest.Test(t, func(t *testing.T) {
			b := newBranch(sources, f, 300*time.Millisecond, seed)
			outcomes := race(t, b, writers)
			time.Sleep(time.Minute) // until the last duplicate came
			b.check(t, outcomes)
			if linear {
				newest := slices.Max(slices.Concat(writers...))
				assert.Equal(t, newest, number(b.files[b.head]["recorded"]), "the newest wins")
			}
		})
	})
}

// 1,000 hand-offs by 64 pipelines at once, over a network that takes its time and loses answers: of one line of commits in any order,
// where most are overtaken, and in order, and of commits that have nothing to do with each other, where each is written.
func Test64WritersAnd1000HandOffs(t *testing.T) {
	const handOffs, writers = 1000, 64
	line, unrelated, inOrder := make(ancestry, handOffs), make(ancestry, handOffs), make([]int, handOffs)
	for i := 1; i < handOffs; i++ {
		line[i], inOrder[i] = []int{i - 1}, i
	}
	for name, c := range map[string]struct {
		sources ancestry
		order   []int
		newest  bool
	}{
		"any order": {line, rand.New(rand.NewPCG(2, 2)).Perm(handOffs), true},
		"in order":  {line, inOrder, true},
		"unrelated": {unrelated, inOrder, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBranch(c.sources, faults{lostBefore: 2, lostAfter: 2, duplicate: 2}, 200*time.Millisecond, 1)
				share := make([][]int, writers)
				for i, source := range c.order {
					share[i%writers] = append(share[i%writers], source)
				}
				began := time.Now()
				outcomes := race(t, b, share)
				t.Logf("%d hand-offs, %d commits, %d calls, %s of simulated time", len(outcomes), len(b.moves), b.calls, time.Since(began))
				time.Sleep(time.Minute) // until the last duplicate came
				require.Len(t, outcomes, handOffs)
				b.check(t, outcomes)
				if c.newest {
					assert.Equal(t, handOffs-1, number(b.files[b.head]["recorded"]))
				} else {
					assert.Len(t, b.moves, handOffs)
				}
			})
		})
	}
}
