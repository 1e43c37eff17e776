package rehearsal_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
)

// chaosKinds are the faults that a release must survive.
var chaosKinds = []faults.Kind{
	faults.KillBefore, faults.KillAfter, faults.ErrorBefore, faults.ErrorAfter, faults.Duplicate, faults.Throttle,
}

// sampled is about how many of all faults are tried without CHAOS.
const sampled = 8

// mostParts are how many go through the faults side by side, as far as -parallel lets them.
const mostParts = 4

// perWorld is how many faults are tried in one world: each leaves an image, and a world's files are removed when it ends.
const perWorld = 25

// TestChaos releases once for every call that the pipelines make and every kind of fault, retries the stage that failed, and holds what
// is left in the end against a release that nothing disturbed. The calls are those of the release of a change, and those that only
// a product's first release makes.
//
// The environment variable CHAOS is a regular expression for the faults to try, "." for all: make chaos. Without it, a sample is.
func TestChaos(t *testing.T) {
	var tally tally
	t.Run("faults", func(t *testing.T) {
		w := quiet(t)
		trials := trials(t, w, &tally)
		parts := min(mostParts, 1+len(trials)/5)
		for part := range parts { // the worlds of some run side by side
			t.Run(fmt.Sprintf("part %d", part+1), func(t *testing.T) {
				t.Parallel()
				number := 0
				for some := range slices.Chunk(every(trials, part, parts), perWorld) {
					number++
					t.Run(fmt.Sprintf("world %d", number), func(t *testing.T) { try(t, w, some, &tally) })
				}
			})
		}
	})
	t.Log(tally.String())
}

// quiet is the smallest world that has all that a release needs.
func quiet(t *testing.T) world {
	return world{
		software: files(t, map[string]string{"index.html": "hello"}), image: files(t, map[string]string{"motd": "hello\n"}),
		infrastructure: files(t, map[string]string{"README.md": "empty\n"}),
	}
}

// trial is one fault, at a product's first release or at that of a change, and what is to be left in the end.
type trial struct {
	fault faults.Fault
	first bool
	want  []string
}

// trials lists the calls of releases that nothing disturbs, and the faults to try at them.
func trials(t *testing.T, w world, tally *tally) (list []trial) {
	r := w.start(t, "dev")
	first := end(t, r, firstRelease)
	firstCalls := r.Calls()
	second := end(t, r, change)
	known := map[string]bool{}
	add := func(call faults.Call, one trial) {
		tally.points++
		for _, kind := range chaosKinds {
			one.fault = faults.Fault{Kind: kind, Name: call.Name}
			list = append(list, one)
		}
	}
	for _, call := range r.Calls() {
		known[call.Name] = true
		add(call, trial{want: second})
	}
	for _, call := range firstCalls {
		if !known[call.Name] {
			add(call, trial{first: true, want: first})
		}
	}
	require.True(t, assertSame(t, second, end(t, r, change)), "two releases that nothing disturbs end alike")
	if chosen, ok := os.LookupEnv("CHAOS"); ok {
		pattern, err := regexp.Compile(chosen)
		require.NoError(t, err, "CHAOS")
		return slices.DeleteFunc(list, func(one trial) bool { return !pattern.MatchString(one.fault.String()) })
	}
	step := len(list)/sampled | 1 // odd, so that all kinds have their turn
	return every(list, step/2, step)
}

func every[T any](all []T, from, step int) (list []T) {
	for i := from; i < len(all); i += step {
		list = append(list, all[i])
	}
	return list
}

var changes atomic.Int32

func firstRelease(ctx context.Context, r *rehearsal.Rehearsal) error { return r.FirstRelease(ctx) }

// change releases a change of the software.
func change(ctx context.Context, r *rehearsal.Rehearsal) error {
	return r.Change(ctx, map[string]string{"index.html": fmt.Sprintf("change %d", changes.Add(1))})
}

// try tries one fault after the other in one world: at changes of one product, and at first releases of others. A world that a fault
// has broken is left for a new one.
func try(t *testing.T, w world, list []trial, tally *tally) {
	var r *rehearsal.Rehearsal
	for i, one := range list {
		if r == nil {
			r = w.start(t, "dev")
			require.NoError(t, r.FirstRelease(t.Context()))
		}
		ok := t.Run(one.fault.String(), func(t *testing.T) {
			product, release := r, change
			if one.first {
				product, release = r.Beside(fmt.Sprintf("p%03d", i)), firstRelease
				require.NoError(t, product.Provision(t.Context(), "dev"))
			}
			assertSame(t, one.want, end(t, product, release, one.fault))
		})
		if tally.add(ok); !ok {
			r = nil
		}
		t.Logf("chaos: %s: survived is %t", one.fault, ok)
	}
}

// end releases under faults and returns what is left of it.
func end(t *testing.T, r *rehearsal.Rehearsal, release func(context.Context, *rehearsal.Rehearsal) error, list ...faults.Fault) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	before, err := r.Marks(ctx, "software", "image", "infrastructure")
	require.NoError(t, err)
	r.Plan(list...)
	require.NoError(t, release(ctx, r))
	require.Equal(t, len(list), r.Struck(), "the call was not made")
	facts, err := r.End(ctx, before)
	require.NoError(t, err)
	return facts
}

// assertSame shows only what differs.
func assertSame(t *testing.T, want, got []string) bool {
	t.Helper()
	count := map[string]int{}
	for _, fact := range want {
		count[fact]++
	}
	for _, fact := range got {
		count[fact]--
	}
	var differences []string
	for fact, n := range count {
		if n != 0 {
			differences = append(differences, fmt.Sprintf("%+d %.600s", -n, fact))
		}
	}
	return assert.Empty(t, differences)
}

// tally counts what was survived.
type tally struct {
	mu                      sync.Mutex
	points, tried, survived int
}

func (c *tally) add(ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tried++; ok {
		c.survived++
	}
}

func (c *tally) String() string {
	return fmt.Sprintf("chaos: %d points × %d faults = %d: %d tried, %d survived",
		c.points, len(chaosKinds), c.points*len(chaosKinds), c.tried, c.survived)
}
