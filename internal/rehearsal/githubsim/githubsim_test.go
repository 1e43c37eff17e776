package githubsim_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

const app = 4711 // the ID of the App that belongs to the token "bot"

// world is a server with the organization acme, and everyone's tokens.
type world struct {
	*githubsim.Server
	t   *testing.T
	url string
	dir string

	mu    sync.Mutex
	moves []githubsim.Move
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	server, err := githubsim.New(githubsim.Options{Dir: dir, Owner: "acme", Tokens: map[string]githubsim.Actor{
		"alice": {Login: "alice"}, "bob": {Login: "bob", Teams: []string{"acme/platform"}}, "carol": {Login: "carol"},
		"root": {Login: "root", Admin: true}, "bot": {Login: "relay[bot]", App: app},
	}})
	require.NoError(t, err)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	w := &world{Server: server, t: t, url: web.URL, dir: dir}
	server.OnMove(func(m githubsim.Move) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.moves = append(w.moves, m)
	})
	return w
}

// repository creates a repository with GitHub's initial commit and the branches dev and qa beside main.
func (w *world) repository(name string) {
	w.t.Helper()
	ctx := w.t.Context()
	require.NoError(w.t, w.CreateRepository(ctx, githubsim.Repository{Name: name, AutoInit: true}))
	for _, branch := range []string{"dev", "qa"} {
		_, err := w.CreateBranch(ctx, name, branch, "main")
		require.NoError(w.t, err)
	}
}

// protect puts the ruleset that the program provisions on a branch.
func (w *world) protect(repository, branch string, change func(*githubsim.Ruleset)) {
	w.t.Helper()
	set := githubsim.Ruleset{
		Name: branch, Target: "branch", Enforcement: "active", Conditions: &githubsim.Conditions{},
		Rules: githubsim.Rules{
			Deletion: true, NonFastForward: true,
			PullRequest: &githubsim.PullRequestRule{RequiredApprovingReviewCount: 1, DismissStaleReviewsOnPush: true},
		},
	}
	set.Conditions.RefName.Includes = []string{"refs/heads/" + branch}
	if change != nil {
		change(&set)
	}
	require.NoError(w.t, w.PutRuleset(repository, branch, set))
}

func bypass(set *githubsim.Ruleset) {
	set.BypassActors = []githubsim.BypassActor{{ActorID: app, ActorType: "Integration", BypassMode: "always"}}
}

// seen returns the moves so far.
func (w *world) seen() []githubsim.Move {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]githubsim.Move(nil), w.moves...)
}

// as returns the client of whom a token belongs to.
func (w *world) as(token string) *github.Client {
	w.t.Helper()
	client, err := github.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(w.url, w.url)
	require.NoError(w.t, err)
	return client
}

// commitOf returns the commit of a branch.
func (w *world) commitOf(repository, ref string) string {
	w.t.Helper()
	sha, err := w.CommitOf(w.t.Context(), repository, ref)
	require.NoError(w.t, err)
	return sha
}

// clone clones a repository over HTTP and returns the work tree.
func (w *world) clone(token, repository string) string {
	w.t.Helper()
	address, err := url.Parse(w.url)
	require.NoError(w.t, err)
	address.User, address.Path = url.UserPassword("x-access-token", token), "/acme/"+repository+".git"
	dir := filepath.Join(w.t.TempDir(), repository)
	git(w.t, "", "clone", "--quiet", address.String(), dir)
	return dir
}

// commit writes a file in a work tree and commits it.
func commit(t *testing.T, dir, path, content string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(content), 0o644))
	git(t, dir, "add", path)
	git(t, dir, "commit", "--quiet", "-m", "write "+path)
	return git(t, dir, "rev-parse", "HEAD")
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	require.NoError(t, err, out)
	return out
}

func tryGit(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com",
		"GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com",
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// refused asserts GitHub's status and message.
func refused(t *testing.T, err error, status int, message string) {
	t.Helper()
	var answer *github.ErrorResponse
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, status, answer.Response.StatusCode)
	assert.ErrorContains(t, err, message)
}

func TestOnlyKnownTokensAreServed(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	_, _, err := w.as("mallory").Repositories.Get(t.Context(), "acme", "software")
	refused(t, err, 401, "Bad credentials")
	_, err = tryGit(t, t.TempDir(), "clone", w.url+"/acme/software.git")
	require.Error(t, err)
	_, _, err = w.as("alice").Repositories.Get(t.Context(), "acme", "nothing")
	refused(t, err, 404, "Not Found")
	_, _, err = w.as("alice").Repositories.ListLanguages(t.Context(), "acme", "software")
	refused(t, err, 501, "not simulated")
}

func TestSettingsOfARepository(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	var refusal *githubsim.Error
	require.ErrorAs(t, w.CreateRepository(ctx, githubsim.Repository{Name: "software"}), &refusal)
	assert.Equal(t, 422, refusal.Status)

	got, _, err := w.as("alice").Repositories.Get(ctx, "acme", "software")
	require.NoError(t, err)
	assert.Equal(t, "acme/software", got.GetFullName())
	assert.Equal(t, "main", got.GetDefaultBranch())

	require.NoError(t, w.UpdateRepository(ctx, githubsim.Repository{Name: "software", DefaultBranch: "dev", Description: "it"}))
	got, _, err = w.as("alice").Repositories.Get(ctx, "acme", "software")
	require.NoError(t, err)
	assert.Equal(t, "dev", got.GetDefaultBranch())
	assert.Equal(t, "dev", git(t, w.clone("alice", "software"), "branch", "--show-current"))

	dir := w.clone("alice", "software")
	require.NoError(t, w.ArchiveRepository("software"))
	commit(t, dir, "a", "a")
	_, err = tryGit(t, dir, "push", "origin", "HEAD:topic")
	require.Error(t, err, "an archived repository takes no push")
	_, err = w.WriteFile(ctx, "software", githubsim.FileWrite{Branch: "dev", Path: "a", Message: "m"}, githubsim.Actor{})
	require.ErrorContains(t, err, "archived")

	require.NoError(t, w.DeleteRepository("software"))
	_, found, err := w.ReadFile(ctx, "software", "dev", "README.md")
	require.NoError(t, err)
	assert.False(t, found)
}

func TestACancelledContextIsAnError(t *testing.T) {
	w := newWorld(t)
	w.repository("software")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.CommitOf(ctx, "software", "dev")
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
}
