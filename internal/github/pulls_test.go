package github

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPullRequestIsOpenedOnce(t *testing.T) {
	server, _ := forge(t)
	var lost atomic.Int32
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/pulls") && lost.Add(1) == 1 {
			// Carried out, and its answer lost.
			server.ServeHTTP(discard{http.Header{}}, r)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		server.ServeHTTP(w, r)
	}))
	ctx := t.Context()
	head, err := c.ReadHead(ctx, "image", "dev")
	require.NoError(t, err)
	commit, err := c.MakeCommit(ctx, "image", head, Edit{Files: map[string][]byte{"f": []byte("x")}, Message: "m"})
	require.NoError(t, err)
	require.NoError(t, c.PutBranch(ctx, "image", "rollback/dev-1", commit))
	p := PullRequest{Repository: "image", Head: "rollback/dev-1", Base: "dev", Title: "t", Body: "b"}
	first, err := c.OpenPull(ctx, p)
	require.NoError(t, err)
	assert.Equal(t, 1, first.Number)
	assert.Contains(t, first.URL, "/acme/image/pull/1")
	second, err := c.OpenPull(ctx, p)
	require.NoError(t, err)
	assert.Equal(t, Pull{Number: 1, URL: first.URL}, second)

	// A branch of ours is set anew, to whatever commit.
	other, err := c.MakeCommit(ctx, "image", head, Edit{Files: map[string][]byte{"f": []byte("y")}, Message: "m"})
	require.NoError(t, err)
	require.NoError(t, c.PutBranch(ctx, "image", "rollback/dev-1", other))
	now, err := c.ReadHead(ctx, "image", "rollback/dev-1")
	require.NoError(t, err)
	assert.Equal(t, other, now.Commit)

	// A label that it has not is added to the one that is open, too.
	p.Label = "hotfix"
	for range 2 {
		third, err := c.OpenPull(ctx, p)
		require.NoError(t, err)
		assert.Equal(t, second, third)
	}
	open, _, err := c.api.PullRequests.Get(ctx, "acme", "image", 1)
	require.NoError(t, err)
	require.Len(t, open.Labels, 1)
	assert.Equal(t, "hotfix", open.Labels[0].GetName())

	_, err = c.OpenPull(ctx, PullRequest{Repository: "image", Head: "dev", Base: "dev", Title: "t"})
	require.ErrorContains(t, err, "No commits between")
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
