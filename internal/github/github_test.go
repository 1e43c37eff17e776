package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func forge(t *testing.T) (*githubsim.Server, *Client) {
	t.Helper()
	server, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"t": {Login: "relay[bot]", App: 7}},
	})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "image", DefaultBranch: "dev", AutoInit: true}))
	return server, client(t, server)
}

func client(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	c, err := New(web.URL+"/api/v3/", "acme", "t")
	require.NoError(t, err)
	c.policy.First = time.Millisecond
	return c
}

// write commits one file on top of a head.
func write(t *testing.T, c *Client, on Head, path, content string) (string, error) {
	t.Helper()
	commit, err := c.MakeCommit(t.Context(), "image", on, Edit{Files: map[string][]byte{path: []byte(content)}, Message: "write " + content})
	require.NoError(t, err)
	return commit, c.Advance(t.Context(), "image", "dev", commit)
}

func TestCommitIsACompareAndSwap(t *testing.T) {
	_, c := forge(t)
	ctx := t.Context()
	file, err := c.ReadFile(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	require.False(t, file.Exists)
	began, err := c.ReadHead(ctx, "image", "dev")
	require.NoError(t, err)

	first, err := write(t, c, began, "dir/f", "one\n")
	require.NoError(t, err)
	_, err = write(t, c, began, "dir/f", "two\n")
	require.ErrorIs(t, fmt.Errorf("wrapped: %w", err), ErrConflict, "the branch moved meanwhile")
	_, err = write(t, c, began, "g", "two\n")
	require.ErrorIs(t, err, ErrConflict, "by whatever file")

	head, err := c.ReadHead(ctx, "image", "dev")
	require.NoError(t, err)
	assert.Equal(t, first, head.Commit)
	file, err = c.ReadFile(ctx, "image", head.Commit, "dir/f")
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(file.Content))
	second, err := write(t, c, head, "dir/f", "two ü\r\n")
	require.NoError(t, err)
	require.NoError(t, c.Advance(ctx, "image", "dev", second), "the same once more is no harm")
	file, err = c.ReadFile(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	assert.Equal(t, "two ü\r\n", string(file.Content))
	file, err = c.ReadFile(ctx, "image", "dev", "README.md")
	require.NoError(t, err)
	assert.True(t, file.Exists, "what is not named stays")

	for _, r := range []struct {
		base, head string
		want       Relation
	}{{first, second, Ahead}, {second, first, Behind}, {first, first, Identical}, {first, began.Tree, Unknown}} {
		relation, err := c.Compare(ctx, "image", r.base, r.head)
		require.NoError(t, err)
		assert.Equal(t, r.want, relation)
	}
	last, err := c.LastCommit(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	assert.Equal(t, second, last.SHA)
	assert.Equal(t, "relay[bot]", last.Author)
	assert.WithinDuration(t, time.Now(), last.Time, time.Minute)
	last, err = c.LastCommit(ctx, "image", first, "dir/f")
	require.NoError(t, err)
	assert.Equal(t, first, last.SHA, "as it was at that commit")
	none, err := c.LastCommit(ctx, "image", "dev", "nothing")
	require.NoError(t, err)
	assert.Zero(t, none)
	between, err := c.Between(ctx, "image", began.Commit, "dev")
	require.NoError(t, err)
	assert.Equal(t, 2, between.Total)
	assert.Equal(t, []string{first, second}, []string{between.Commits[0].SHA, between.Commits[1].SHA})

	_, err = c.ReadHead(ctx, "image", "nowhere")
	require.ErrorContains(t, err, "nowhere")
	assert.NotErrorIs(t, c.Advance(ctx, "image", "nowhere", second), ErrConflict)
}

func TestFileGoes(t *testing.T) {
	_, c := forge(t)
	head, err := c.ReadHead(t.Context(), "image", "dev")
	require.NoError(t, err)
	commit, err := c.MakeCommit(t.Context(), "image", head, Edit{Files: map[string][]byte{"README.md": nil, "f": []byte("x")}, Message: "m"})
	require.NoError(t, err)
	for name, want := range map[string]bool{"README.md": false, "f": true} {
		file, err := c.ReadFile(t.Context(), "image", commit, name)
		require.NoError(t, err)
		assert.Equal(t, want, file.Exists, name)
	}
	_, err = c.MakeCommit(t.Context(), "image", head, Edit{Files: map[string][]byte{"f": {0xff}}, Message: "m"})
	require.ErrorContains(t, err, "is not UTF-8")
}

func TestWrongToken(t *testing.T) {
	server, _ := forge(t)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	c, err := New(web.URL+"/api/v3/", "acme", "wrong-token")
	require.NoError(t, err)
	_, err = c.ReadFile(t.Context(), "image", "dev", "f")
	require.ErrorContains(t, err, "the token in the secret is wrong or expired")
	assert.NotContains(t, err.Error(), "wrong-token")
}

func TestReadsAreTriedAgainAndWritesAreNot(t *testing.T) {
	var calls atomic.Int32
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"status": "ahead"}`)
	}))
	relation, err := c.Compare(t.Context(), "r", "a", "b")
	require.NoError(t, err)
	assert.Equal(t, Ahead, relation)
	assert.Equal(t, int32(3), calls.Load())

	require.ErrorIs(t, c.Advance(t.Context(), "r", "dev", "sha"), ErrUnsettled)
	assert.Equal(t, int32(4), calls.Load())
}

func TestDirectoryIsNoFile(t *testing.T) {
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `[{"type": "file", "name": "f"}]`)
	}))
	_, err := c.ReadFile(t.Context(), "r", "dev", "dir")
	require.ErrorContains(t, err, "is a directory")
}

func TestReadGivesUp(t *testing.T) {
	var calls atomic.Int32
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	_, err := c.LastCommit(t.Context(), "r", "dev", "f")
	require.ErrorContains(t, err, "500")
	assert.Equal(t, int32(c.policy.Tries), calls.Load())

	c.policy.First = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.LastCommit(ctx, "r", "dev", "f")
	require.Error(t, err)
}

func TestRulesetsRefusalIsNoConflict(t *testing.T) {
	for _, code := range []int{http.StatusConflict, http.StatusUnprocessableEntity} {
		c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"message": "Repository rule violations found\n\nChanges must be made through a pull request."}`)
		}))
		err := c.Advance(t.Context(), "r", "dev", "sha")
		require.ErrorIs(t, err, ErrProtected)
		assert.NotErrorIs(t, err, ErrConflict)
	}
}

func TestTokenStaysOnItsServer(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.Host, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	c := client(t, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	c.policy.Tries = 1
	_, err := c.ReadFile(t.Context(), "r", "dev", "f")
	require.ErrorContains(t, err, "redirected")
}

func TestNewRefuses(t *testing.T) {
	for _, api := range []string{"", "api.github.com", "https://api.github.com", "ftp://x/", "https://[/"} {
		_, err := New(api, "acme", "t")
		assert.ErrorContains(t, err, "slash at its end", api)
	}
}
