package githubsim_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func write(message, content, sha, branch string) *github.RepositoryContentFileOptions {
	options := &github.RepositoryContentFileOptions{
		Message: github.Ptr(message), Content: []byte(content), Branch: github.Ptr(branch),
	}
	if sha != "" {
		options.SHA = github.Ptr(sha)
	}
	return options
}

func TestContentsFollowGitHubsPreconditions(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	repositories := w.as("bot").Repositories
	const path = "conf/config.json"
	made, _, err := repositories.CreateFile(ctx, "acme", "image", path, write("one\n\nKey: value\n", "{}\n", "", "dev"))
	require.NoError(t, err)
	blob := made.Content.GetSHA()
	assert.Equal(t, "relay[bot]", made.Commit.GetAuthor().GetName())
	assert.WithinDuration(t, time.Now(), made.Commit.GetCommitter().GetDate().Time, time.Minute)
	assert.Equal(t, w.commitOf("image", "dev"), made.Commit.GetSHA())

	_, _, err = repositories.CreateFile(ctx, "acme", "image", path, write("two", "x", "", "dev"))
	refused(t, err, 422, `"sha" wasn't supplied`)
	wrong := strings.Repeat("1", 40)
	_, _, err = repositories.UpdateFile(ctx, "acme", "image", path, write("two", "x", wrong, "dev"))
	refused(t, err, 409, path+" does not match "+wrong)
	_, _, err = repositories.UpdateFile(ctx, "acme", "image", path, write("two", "x", blob, "nowhere"))
	refused(t, err, 404, "Branch nowhere not found")
	_, _, err = repositories.UpdateFile(ctx, "acme", "image", "conf", write("two", "x", blob, "dev"))
	refused(t, err, 422, "not a file")
	_, _, err = repositories.CreateFile(ctx, "acme", "image", ".git/config", write("two", "x", "", "dev"))
	refused(t, err, 422, "malformed path")

	second := write("two", "", blob, "dev")
	second.Author = &github.CommitAuthor{Name: github.Ptr("A <b>"), Email: github.Ptr("a@example.com")}
	_, _, err = repositories.UpdateFile(ctx, "acme", "image", path, second)
	require.NoError(t, err)
	file, _, _, err := repositories.GetContents(ctx, "acme", "image", path, &github.RepositoryContentGetOptions{Ref: "dev"})
	require.NoError(t, err)
	content, err := file.GetContent()
	require.NoError(t, err)
	assert.Empty(t, content)
	_, _, _, err = repositories.GetContents(ctx, "acme", "image", path, nil)
	refused(t, err, 404, "Not Found")

	read, found, err := w.ReadFile(ctx, "image", made.Commit.GetSHA(), path)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, "{}\n", string(read.Content))
	assert.Equal(t, "one\n\nKey: value", read.Commit.Message)

	commits, _, err := repositories.ListCommits(ctx, "acme", "image", &github.CommitsListOptions{SHA: "dev", Path: path})
	require.NoError(t, err)
	require.Len(t, commits, 2)
	assert.Equal(t, "A b", commits[0].GetCommit().GetAuthor().GetName())
	first, answer, err := repositories.ListCommits(ctx, "acme", "image", &github.CommitsListOptions{
		SHA: "dev", ListOptions: github.ListOptions{PerPage: 1},
	})
	require.NoError(t, err)
	assert.Equal(t, commits[0].GetSHA(), first[0].GetSHA())
	assert.Equal(t, 2, answer.NextPage)
}

func TestAnExecutableStaysOne(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	dir := w.clone("alice", "image")
	commit(t, dir, "setup.sh", "one")
	git(t, dir, "update-index", "--chmod=+x", "setup.sh")
	git(t, dir, "commit", "--quiet", "--amend", "-m", "setup")
	git(t, dir, "push", "--quiet", "origin", "HEAD:dev")
	file, _, err := w.ReadFile(ctx, "image", "dev", "setup.sh")
	require.NoError(t, err)
	_, err = w.WriteFile(ctx, "image", githubsim.FileWrite{
		Branch: "dev", Path: "setup.sh", Content: []byte("two"), Message: "two", SHA: file.SHA,
	}, githubsim.Actor{Login: "alice"})
	require.NoError(t, err)
	git(t, dir, "fetch", "--quiet")
	assert.Contains(t, git(t, dir, "ls-tree", "origin/dev", "setup.sh"), "100755 blob")
}

func TestTheFirstFileOfAnEmptyRepository(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	require.NoError(t, w.CreateRepository(ctx, githubsim.Repository{Name: "empty"}))
	_, found, err := w.ReadFile(ctx, "empty", "main", "a")
	require.NoError(t, err)
	require.False(t, found)
	_, _, err = w.as("alice").Repositories.CreateFile(ctx, "acme", "empty", "a", write("first", "a", "", "main"))
	require.NoError(t, err)
	_, found, err = w.ReadFile(ctx, "empty", "main", "a")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Empty(t, w.seen(), "a new branch is no move")
}

func TestRulesetBindsTheContentsAPI(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	w.protect("image", "dev", bypass)
	_, _, err := w.as("alice").Repositories.CreateFile(ctx, "acme", "image", "a", write("m", "a", "", "dev"))
	refused(t, err, 409, "Repository rule violations found\n\nChanges must be made through a pull request.")
	_, _, err = w.as("bot").Repositories.CreateFile(ctx, "acme", "image", "a", write("m", "a", "", "dev"))
	require.NoError(t, err)
	require.Len(t, w.seen(), 1)
	assert.Equal(t, []string{"a"}, w.seen()[0].Paths)
}

// Sixteen writers each add a line of their own to one file, as hand-offs do: read, write with the blob read, start over
// on 409.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	_, _, err := w.as("bot").Repositories.CreateFile(ctx, "acme", "image", "log", write("start", "", "", "dev"))
	require.NoError(t, err)
	const writers = 16
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		client := w.as("bot").Repositories
		all.Go(func() {
			for {
				file, _, _, err := client.GetContents(ctx, "acme", "image", "log", &github.RepositoryContentGetOptions{Ref: "dev"})
				if err != nil {
					errs[i] = err
					return
				}
				text, _ := file.GetContent()
				options := write(fmt.Sprint("writer ", i), fmt.Sprintf("%s%d\n", text, i), file.GetSHA(), "dev")
				_, _, err = client.UpdateFile(ctx, "acme", "image", "log", options)
				var answer *github.ErrorResponse
				if errors.As(err, &answer) && answer.Response.StatusCode == 409 {
					continue
				}
				errs[i] = err
				return
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	file, _, err := w.ReadFile(ctx, "image", "dev", "log")
	require.NoError(t, err)
	lines := strings.Fields(string(file.Content))
	assert.Len(t, lines, writers)
	require.Eventually(t, func() bool { return len(w.seen()) == writers+1 }, 5*time.Second, time.Millisecond)
	for i, m := range w.seen()[1:] {
		assert.Equal(t, w.seen()[i].After, m.Before, "moves come in order, none is lost")
	}
}

func TestCompare(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	dir := w.clone("alice", "software")
	base := w.commitOf("software", "main")
	head := commit(t, dir, "a", "a")
	git(t, dir, "push", "--quiet", "origin", "HEAD:dev", "HEAD:feature/x")
	git(t, dir, "reset", "--quiet", "--hard", base)
	commit(t, dir, "b", "b")
	git(t, dir, "push", "--quiet", "origin", "HEAD:qa")

	repositories := w.as("alice").Repositories
	for _, c := range []struct {
		base, head, status string
		ahead, behind      int
	}{
		{"main", "dev", "ahead", 1, 0},
		{head, base, "behind", 0, 1},
		{"dev", "feature/x", "identical", 0, 0},
		{"dev", "qa", "diverged", 1, 1},
	} {
		got, _, err := repositories.CompareCommits(ctx, "acme", "software", c.base, c.head, nil)
		require.NoError(t, err)
		assert.Equal(t, c.status, got.GetStatus())
		assert.Equal(t, []int{c.ahead, c.behind, c.ahead}, []int{got.GetAheadBy(), got.GetBehindBy(), got.GetTotalCommits()})
		assert.Len(t, got.Commits, c.ahead)
		if c.status != "identical" {
			assert.Equal(t, base, got.GetMergeBaseCommit().GetSHA())
		}
	}
	_, _, err := repositories.CompareCommits(ctx, "acme", "software", "main", strings.Repeat("1", 40), nil)
	refused(t, err, 404, "")
}

func TestCommitsAndReferences(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("software")
	client, sha := w.as("alice"), w.commitOf("software", "main")
	got, _, err := client.Repositories.GetCommit(ctx, "acme", "software", "dev", nil)
	require.NoError(t, err)
	assert.Equal(t, sha, got.GetSHA())
	assert.Equal(t, "Initial commit", got.GetCommit().GetMessage())
	plain, _, err := client.Repositories.GetCommitSHA1(ctx, "acme", "software", sha[:10], "")
	require.NoError(t, err)
	assert.Equal(t, sha, plain)
	for _, unknown := range []string{"nowhere", "--all", "dev@{0}", "dev^"} {
		_, _, err = client.Repositories.GetCommit(ctx, "acme", "software", unknown, nil)
		refused(t, err, 422, "No commit found")
	}

	ref, _, err := client.Git.GetRef(ctx, "acme", "software", "heads/dev")
	require.NoError(t, err)
	assert.Equal(t, sha, ref.GetObject().GetSHA())
	branch := &github.Reference{Ref: github.Ptr("refs/heads/promote/x"), Object: &github.GitObject{SHA: &sha}}
	_, _, err = client.Git.CreateRef(ctx, "acme", "software", branch)
	require.NoError(t, err)
	_, _, err = client.Git.CreateRef(ctx, "acme", "software", branch)
	refused(t, err, 422, "Reference already exists")
	branch.Object.SHA = github.Ptr(strings.Repeat("1", 40))
	_, _, err = client.Git.CreateRef(ctx, "acme", "software", branch)
	refused(t, err, 422, "Object does not exist")
	found, _, err := client.Repositories.GetBranch(ctx, "acme", "software", "promote/x", 0)
	require.NoError(t, err)
	assert.Equal(t, sha, found.GetCommit().GetSHA())
	require.NoError(t, w.DeleteBranch(ctx, "software", "promote/x"))
	_, _, err = client.Git.GetRef(ctx, "acme", "software", "heads/promote/x")
	refused(t, err, 404, "Not Found")
	assert.Empty(t, w.seen())
}
