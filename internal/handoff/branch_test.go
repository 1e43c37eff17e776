package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
)

// ancestry is the source repository: the parents of each commit, which are of a lower number.
type ancestry [][]int

// older says whether a is an ancestor of b.
func (g ancestry) older(a, b int) bool {
	for _, parent := range g[b] {
		if parent == a || g.older(a, parent) {
			return true
		}
	}
	return false
}

func (g ancestry) relation(base, head int) github.Relation {
	switch {
	case base == head:
		return github.Identical
	case g.older(base, head):
		return github.Ahead
	case g.older(head, base):
		return github.Behind
	}
	return github.Diverged
}

// faults are how often, in percent, a move of the branch goes wrong in each way.
type faults struct{ conflict, lostBefore, lostAfter, duplicate, down int }

// branch is a simulated branch of a repository that receives hand-offs from the source repository.
type branch struct {
	sources ancestry
	faults  faults
	// latency is how long a call takes at most.
	latency time.Duration

	mu      sync.Mutex
	random  *rand.Rand
	head    string
	parents map[string]string
	files   map[string]map[string]string
	moves   []string // the commits that the branch was at, in order
	calls   int
}

func newBranch(sources ancestry, f faults, latency time.Duration, seed uint64) *branch {
	return &branch{
		sources: sources, faults: f, latency: latency, random: rand.New(rand.NewPCG(seed, 1)), head: "c0",
		parents: map[string]string{}, files: map[string]map[string]string{"c0": {}},
	}
}

// arrive is a call on its way: it takes a while, and then has the branch to itself.
func (b *branch) arrive() func() {
	b.mu.Lock()
	b.calls++
	var wait time.Duration
	if b.latency > 0 {
		wait = time.Duration(b.random.Int64N(int64(b.latency)))
	}
	b.mu.Unlock()
	time.Sleep(wait)
	b.mu.Lock()
	return b.mu.Unlock
}

func (b *branch) ReadHead(context.Context, string, string) (github.Head, error) {
	defer b.arrive()()
	return github.Head{Commit: b.head, Tree: "tree of " + b.head}, nil
}

func (b *branch) ReadFile(_ context.Context, _, ref, path string) (github.File, error) {
	defer b.arrive()()
	content, exists := b.files[ref][path]
	return github.File{Exists: exists, Content: []byte(content)}, nil
}

func (b *branch) MakeCommit(_ context.Context, _ string, on github.Head, edit github.Edit) (string, error) {
	defer b.arrive()()
	commit := fmt.Sprintf("c%d", len(b.files))
	files := maps.Clone(b.files[on.Commit])
	for path, content := range edit.Files {
		files[path] = string(content)
	}
	b.files[commit], b.parents[commit] = files, on.Commit
	return commit, nil
}

func (b *branch) Advance(_ context.Context, _, _, commit string) error {
	defer b.arrive()()
	roll := b.random.IntN(100)
	hit := func(percent int) bool { roll -= percent; return roll < 0 }
	switch {
	case hit(b.faults.conflict):
		return fmt.Errorf("injected: %w", github.ErrConflict)
	case hit(b.faults.lostBefore):
		return fmt.Errorf("injected: %w", github.ErrUnsettled)
	case hit(b.faults.lostAfter):
		_ = b.move(commit)
		return fmt.Errorf("injected: %w", github.ErrUnsettled)
	case hit(b.faults.duplicate):
		// The network delivers the call once more, later.
		delay := time.Duration(b.random.Int64N(int64(5 * time.Second)))
		time.AfterFunc(delay, func() { b.mu.Lock(); defer b.mu.Unlock(); _ = b.move(commit) })
	case hit(b.faults.down):
		return errors.New("injected: refused")
	}
	return b.move(commit)
}

// move is GitHub's: forward only.
func (b *branch) move(commit string) error {
	for at := commit; ; at = b.parents[at] {
		if at == b.head {
			break
		}
		if at == "" {
			return fmt.Errorf("not a fast forward: %w", github.ErrConflict)
		}
	}
	if commit != b.head {
		b.head = commit
		b.moves = append(b.moves, commit)
	}
	return nil
}

// Compare compares commits of the source repository, which are numbers, and of this one.
func (b *branch) Compare(_ context.Context, _, base, head string) (github.Relation, error) {
	defer b.arrive()()
	if !strings.HasPrefix(base, "c") {
		return b.sources.relation(number(base), number(head)), nil
	}
	for at := head; at != ""; at = b.parents[at] {
		if at == base {
			return github.Ahead, nil
		}
	}
	return github.Diverged, nil
}

func number(text string) (n int) {
	_, _ = fmt.Sscan(text, &n)
	return n
}

// handOff hands a source commit off, as the pipelines do.
func handOff(ctx context.Context, hub handoff.Hub, source int) (handoff.Result, error) {
	text := fmt.Sprint(source)
	return handoff.Do(ctx, hub, handoff.Change{
		Repository: "image", Branch: "dev", Path: "recorded",
		Decide: func(ctx context.Context, current handoff.Current) (handoff.Decision, error) {
			recorded := string(current.Content)
			backwards, err := handoff.Backwards(ctx, hub, "software", recorded, text)
			if err != nil || backwards {
				return handoff.Decision{Reason: handoff.Overtaken(text, recorded)}, err
			}
			return handoff.Decision{Content: []byte(text), Message: text}, nil
		},
	})
}
