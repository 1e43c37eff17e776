package rehearsal_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
)

// chaosKinds are the faults that a release must survive.
var chaosKinds = []faults.Kind{faults.KillBefore, faults.KillAfter, faults.ErrorBefore, faults.ErrorAfter, faults.Duplicate, faults.Throttle}

// sampled is how many of all points and kinds `make test` tries.
const sampled = 12

// deadly are the faults that no release can survive without a person, and why.
var deadly = map[string]string{}

// TestChaos releases once for every call that the pipelines make and every kind of fault, retries the stage that failed, and holds what
// is left in the end against a release that nothing disturbed. The calls are those of the release of a change, and those that only
// a product's first release makes.
//
// The environment variable CHAOS is a regular expression for the faults to try, "." for all: make chaos. Without it, a sample is.
func TestChaos(t *testing.T) {
	var tally tally
	t.Run("faults", func(t *testing.T) {
		w := quiet(t)
		changes, firsts := enumerate(t, w)
		for half := range 2 {
			t.Run(fmt.Sprintf("half %d", half+1), func(t *testing.T) {
				t.Parallel()
				changes, firsts := every(changes, half, 2), every(firsts, half, 2)
				changeAfterChange(t, w, changes, &tally)
				productAfterProduct(t, w, firsts, &tally)
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

// enumerate lists the faults to try: at the calls of a change's release, and at those that only a first release makes.
func enumerate(t *testing.T, w world) (changes, firsts []faults.Fault) {
	r := w.start(t, "dev")
	r.Plan()
	require.NoError(t, r.FirstRelease(t.Context()))
	first := r.Calls()
	r.Plan()
	require.NoError(t, change(t.Context(), r))
	known := map[string]bool{}
	for _, call := range r.Calls() {
		known[call.Name] = true
		changes = append(changes, kindsOf(call)...)
	}
	for _, call := range first {
		if !known[call.Name] {
			firsts = append(firsts, kindsOf(call)...)
		}
	}
	if chosen, ok := os.LookupEnv("CHAOS"); ok {
		pattern, err := regexp.Compile(chosen)
		require.NoError(t, err, "CHAOS")
		return matching(changes, pattern), matching(firsts, pattern)
	}
	step := (len(changes) + len(firsts)) / sampled
	return every(changes, step/2, step), every(firsts, step/2, step)
}

func kindsOf(call faults.Call) (list []faults.Fault) {
	for _, kind := range chaosKinds {
		list = append(list, faults.Fault{Kind: kind, Name: call.Name})
	}
	return list
}

func matching(all []faults.Fault, pattern *regexp.Regexp) (list []faults.Fault) {
	for _, f := range all {
		if pattern.MatchString(f.String()) {
			list = append(list, f)
		}
	}
	return list
}

func every(all []faults.Fault, from, step int) (list []faults.Fault) {
	for i := from; i < len(all); i += step {
		list = append(list, all[i])
	}
	return list
}

var changed sync.Mutex

var number int

// change releases a change of the software.
func change(ctx context.Context, r *rehearsal.Rehearsal) error {
	changed.Lock()
	number++
	content := fmt.Sprintf("change %d", number)
	changed.Unlock()
	return r.Change(ctx, map[string]string{"index.html": content})
}

// changeAfterChange tries faults at releases of changes, one after the other in one world. One that a fault has broken is left for a new
// one.
func changeAfterChange(t *testing.T, w world, list []faults.Fault, tally *tally) {
	var r *rehearsal.Rehearsal
	var want []string
	for _, batch := range batches(list) {
		f := batch[0]
		if r == nil {
			r = w.start(t, "dev")
			require.NoError(t, r.FirstRelease(t.Context()))
			want = end(t, r, nil, change)
			require.True(t, assertSame(t, want, end(t, r, nil, change)), "two releases that nothing disturbs end alike")
		}
		ok := t.Run(fmt.Sprint(batch), func(t *testing.T) { assertSame(t, want, end(t, r, batch, change)) })
		for _, f := range batch {
			tally.add(f, ok)
		}
		_ = f
		if !ok {
			r = nil
		}
	}
}

// productAfterProduct tries faults at first releases, each of a product of its own in one world.
func productAfterProduct(t *testing.T, w world, list []faults.Fault, tally *tally) {
	if len(list) == 0 {
		return
	}
	r := w.start(t, "dev")
	release := func(ctx context.Context, r *rehearsal.Rehearsal) error { return r.FirstRelease(ctx) }
	want := end(t, r, nil, release)
	for i, f := range list {
		ok := t.Run(f.String(), func(t *testing.T) {
			other := r.Beside(fmt.Sprintf("shop%d", i))
			require.NoError(t, other.Provision(t.Context(), "dev"))
			assertSame(t, want, end(t, other, []faults.Fault{f}, release))
		})
		tally.add(f, ok)
	}
}

// end releases under a fault and returns what is left of it.
func end(t *testing.T, r *rehearsal.Rehearsal, list []faults.Fault, release func(context.Context, *rehearsal.Rehearsal) error) []string {
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
			differences = append(differences, fmt.Sprintf("%+d %s", -n, fact))
		}
	}
	return assert.Empty(t, differences)
}

// tally counts what was survived.
type tally struct {
	mu              sync.Mutex
	points          map[string]bool
	tried, survived int
}

func (c *tally) add(f faults.Fault, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.points == nil {
		c.points = map[string]bool{}
	}
	c.points[f.Name] = true
	c.tried++
	if ok {
		c.survived++
	}
}

func (c *tally) String() string {
	var kinds []string
	for _, k := range chaosKinds {
		kinds = append(kinds, string(k))
	}
	return fmt.Sprintf("chaos: %d points × %d kinds of fault (%s): %d tried, %d survived, %d excluded", len(c.points), len(chaosKinds),
		strings.Join(kinds, ", "), c.tried, c.survived, len(deadly))
}

func batches(list []faults.Fault) (out [][]faults.Fault) {
	if os.Getenv("CHAOS_BATCH") == "" {
		for _, f := range list {
			out = append(out, []faults.Fault{f})
		}
		return out
	}
	by := map[string][]faults.Fault{}
	for _, f := range list {
		action, _, _ := strings.Cut(f.Name, " ")
		by[action] = append(by[action], f)
	}
	for i := 0; ; i++ {
		var batch []faults.Fault
		for _, l := range by {
			if i < len(l) {
				batch = append(batch, l[i])
			}
		}
		if batch == nil {
			return out
		}
		out = append(out, batch)
	}
}
