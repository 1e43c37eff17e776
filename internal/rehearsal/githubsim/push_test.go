package githubsim_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func TestPushMovesABranchOnceAndSaysWhichFiles(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	dir := w.clone("alice", "software")
	before := git(t, dir, "rev-parse", "HEAD")
	commit(t, dir, "src/a file.go", "a")
	after := commit(t, dir, "b.go", strings.Repeat("a large file makes git send chunks\n", 100_000))

	git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/dev", "HEAD:refs/heads/new")
	assert.Equal(t, []githubsim.Move{{
		Repo: "software", Branch: "dev", Before: before, After: after, Actor: githubsim.Actor{Login: "alice"},
		Paths: []string{"b.go", "src/a file.go"},
	}}, w.seen(), "a new branch is no move")
	assert.Equal(t, after, w.commitOf("software", "new"))

	git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/dev")
	assert.Len(t, w.seen(), 1, "nothing moved")
	git(t, dir, "push", "--quiet", "origin", ":new")
	assert.Len(t, w.seen(), 1, "a deletion is no move")
}

func TestALargePackArrivesInChunks(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	dir := w.clone("alice", "software")
	noise := make([]byte, 4<<20) // which do not compress away
	_, err := rand.NewChaCha8([32]byte{}).Read(noise)
	require.NoError(t, err)
	after := commit(t, dir, "noise", string(noise))
	git(t, dir, "push", "--quiet", "origin", "HEAD:dev")
	assert.Equal(t, after, w.commitOf("software", "dev"))
}

func TestRulesetRefusesADirectPushAndNamesTheRule(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	w.protect("software", "dev", bypass)
	dir := w.clone("alice", "software")
	before := w.commitOf("software", "dev")
	commit(t, dir, "a", "a")

	out, err := tryGit(t, dir, "push", "origin", "HEAD:dev", "HEAD:topic")
	require.Error(t, err)
	assert.Contains(t, out, "remote: error: GH013: Repository rule violations found for refs/heads/dev.")
	assert.Contains(t, out, "/acme/software/rules?ref=refs%2Fheads%2Fdev")
	assert.Contains(t, out, "remote: - Changes must be made through a pull request.")
	assert.Equal(t, before, w.commitOf("software", "dev"))
	assert.NotEqual(t, before, w.commitOf("software", "topic"), "the other branch is not bound")
	assert.Empty(t, w.seen())
}

func TestTheAppPassesOnlyWhereItIsOnTheBypassList(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*githubsim.Ruleset){"image": bypass, "software": nil} {
		w.repository(name)
		w.protect(name, "dev", change)
		dir := w.clone("bot", name)
		commit(t, dir, "a", "a")
		out, err := tryGit(t, dir, "push", "origin", "HEAD:dev")
		if change == nil {
			require.Error(t, err)
			assert.Contains(t, out, "GH013")
		} else {
			require.NoError(t, err, out)
		}
	}
	require.Len(t, w.seen(), 1)
	assert.Equal(t, "image", w.seen()[0].Repo)
}

func TestForcePushAndDeletionAreRefused(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	w.protect("software", "dev", func(set *githubsim.Ruleset) { set.Rules.PullRequest = nil })
	dir := w.clone("alice", "software")
	commit(t, dir, "a", "a")
	git(t, dir, "push", "origin", "HEAD:dev")
	kept := w.commitOf("software", "dev")

	git(t, dir, "reset", "--quiet", "--hard", "HEAD^")
	commit(t, dir, "b", "b")
	out, err := tryGit(t, dir, "push", "--force", "origin", "HEAD:dev")
	require.Error(t, err)
	assert.Contains(t, out, "Cannot force-push to this branch")
	out, err = tryGit(t, dir, "push", "origin", ":dev")
	require.Error(t, err)
	assert.Contains(t, out, "Cannot delete this branch")
	assert.Equal(t, kept, w.commitOf("software", "dev"))

	git(t, dir, "push", "--force", "origin", "HEAD:qa")
	assert.Len(t, w.seen(), 2, "another branch may be forced")
	require.NoError(t, w.DeleteRuleset("software", "dev"))
	git(t, dir, "push", "origin", ":dev")
}

func TestMoreRulesOfAPush(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	w.protect("software", "dev", func(set *githubsim.Ruleset) {
		set.Conditions.RefName.Includes = []string{"refs/heads/release/**/*", "~DEFAULT_BRANCH"}
		set.Conditions.RefName.Excludes = []string{"refs/heads/release/free"}
		set.Rules = githubsim.Rules{Creation: true, RequiredLinearHistory: true}
	})
	dir := w.clone("alice", "software")
	commit(t, dir, "a", "a")
	git(t, dir, "push", "origin", "HEAD:main", "HEAD:release/free")
	out, err := tryGit(t, dir, "push", "origin", "HEAD:release/1/x")
	require.Error(t, err)
	assert.Contains(t, out, "Cannot create ref due to creations being restricted.")

	git(t, dir, "checkout", "--quiet", "-b", "side", "HEAD^")
	commit(t, dir, "b", "b")
	git(t, dir, "checkout", "--quiet", "main")
	git(t, dir, "merge", "--quiet", "--no-ff", "-m", "merge", "side")
	out, err = tryGit(t, dir, "push", "origin", "HEAD:main")
	require.Error(t, err)
	assert.Contains(t, out, "must not contain merge commits")
}

func TestARulesetThatCannotBeEnforcedIsRefused(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	for name, set := range map[string]githubsim.Ruleset{
		"target":      {Target: "push", Enforcement: "active"},
		"enforcement": {Target: "branch", Enforcement: "on"},
		"bypass actor": {
			Target: "branch", Enforcement: "active",
			BypassActors: []githubsim.BypassActor{{ActorID: 3, ActorType: "Team", BypassMode: "always"}},
		},
		"bypass mode": {
			Target: "branch", Enforcement: "active",
			BypassActors: []githubsim.BypassActor{{ActorID: 3, ActorType: "Integration", BypassMode: "often"}},
		},
	} {
		require.ErrorContains(t, w.PutRuleset("software", "x", set), name)
	}
}

func TestAPushPastTheServerIsRefused(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	dir := w.clone("alice", "software")
	commit(t, dir, "a", "a")
	_, err := tryGit(t, dir, "push", filepath.Join(w.dir, "acme", "software.git"), "HEAD:dev")
	require.Error(t, err)
}

func TestImportBringsHistoryAndTags(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	local := filepath.Join(t.TempDir(), "local")
	git(t, "", "init", "--quiet", "-b", "trunk", local)
	commit(t, local, "a", "1")
	git(t, local, "tag", "-a", "v1.0.0", "-m", "one")
	head := commit(t, local, "a", "2")
	git(t, local, "checkout", "--quiet", "-b", "other")
	commit(t, local, "secret", "not asked for")
	git(t, local, "tag", "other-tag")

	w.Import("software", local, head)
	require.NoError(t, w.CreateRepository(ctx, githubsim.Repository{Name: "software", AutoInit: true}))
	dir := w.clone("alice", "software")
	assert.Equal(t, head, git(t, dir, "rev-parse", "HEAD"))
	assert.Equal(t, "main", git(t, dir, "branch", "--show-current"))
	assert.Equal(t, "v1.0.0", git(t, dir, "tag", "--list"))
	assert.Equal(t, fmt.Sprintf("v1.0.0-1-g%s", head[:7]), git(t, dir, "describe", "--abbrev=7"))

	_, err := w.CreateBranch(ctx, "software", "dev", head)
	require.NoError(t, err)
	w.protect("software", "dev", nil)
	git(t, local, "checkout", "--quiet", "trunk")
	next := commit(t, local, "b", "3")
	git(t, local, "tag", "v1.1.0")
	for range 2 {
		require.NoError(t, w.Push(ctx, "software", "dev", next, local))
	}
	assert.Equal(t, next, w.commitOf("software", "v1.1.0"))
	require.Len(t, w.seen(), 1, "creation is no move, the same commit again neither")
	assert.Equal(t, []string{"b"}, w.seen()[0].Paths)

	require.ErrorContains(t, w.Push(ctx, "software", "dev", strings.Repeat("1", 40), local), local)
	require.ErrorContains(t, w.Push(ctx, "software", "dev", "trunk", local), "40 hex digits")
}

func TestAListenerMayMoveBranchesItself(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	w.OnMove(func(m githubsim.Move) {
		if m.Branch == "dev" {
			_, err := w.WriteFile(t.Context(), "software", githubsim.FileWrite{
				Branch: "qa", Path: "seen", Content: []byte(m.After), Message: "seen",
			}, m.Actor)
			assert.NoError(t, err)
		}
	})
	dir := w.clone("alice", "software")
	commit(t, dir, "a", "a")
	git(t, dir, "push", "--quiet", "origin", "HEAD:dev")
	moves := w.seen()
	require.Len(t, moves, 2)
	assert.Equal(t, "dev", moves[0].Branch)
	assert.Equal(t, "qa", moves[1].Branch)
}

func TestAShallowCloneCanBeImported(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	full, shallow := filepath.Join(t.TempDir(), "full"), filepath.Join(t.TempDir(), "shallow")
	git(t, "", "init", "--quiet", "-b", "main", full)
	commit(t, full, "a", "1")
	head := commit(t, full, "a", "2")
	git(t, "", "clone", "--quiet", "--depth=1", "file://"+full, shallow)
	w.Import("software", shallow, head)
	require.NoError(t, w.CreateRepository(ctx, githubsim.Repository{Name: "software"}))
	assert.Equal(t, head, git(t, w.clone("alice", "software"), "rev-parse", "HEAD"))
}

// A push and writes through the API at the same time: whichever loses is told so, and the branch holds every write that
// was not refused.
func TestPushesAndWritesDoNotLoseEachOther(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	dir := w.clone("alice", "software")
	commit(t, dir, "pushed", "a")
	written := make(chan error, 1)
	go func() {
		_, err := w.WriteFile(t.Context(), "software", githubsim.FileWrite{
			Branch: "dev", Path: "written", Content: []byte("b"), Message: "m",
		}, githubsim.Actor{Login: "bob"})
		written <- err
	}()
	_, pushed := tryGit(t, dir, "push", "--quiet", "origin", "HEAD:dev")
	require.NoError(t, <-written)
	_, found, err := w.ReadFile(t.Context(), "software", "dev", "written")
	require.NoError(t, err)
	assert.True(t, found)
	_, found, err = w.ReadFile(t.Context(), "software", "dev", "pushed")
	require.NoError(t, err)
	assert.Equal(t, pushed == nil, found)
}
