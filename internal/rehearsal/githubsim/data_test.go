package githubsim_test

import (
	"strings"
	"testing"

	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func entry(path, content string) *github.TreeEntry {
	e := &github.TreeEntry{Path: &path, Mode: github.Ptr("100644"), Type: github.Ptr("blob")}
	if content != "" {
		e.Content = &content
	}
	return e
}

// stack makes a commit with the entries on top of another one.
func (w *world) stack(client *github.Client, repository, parent string, entries ...*github.TreeEntry) string {
	w.t.Helper()
	ctx := w.t.Context()
	base, _, err := client.Repositories.GetCommit(ctx, "acme", repository, parent, nil)
	require.NoError(w.t, err)
	tree, _, err := client.Git.CreateTree(ctx, "acme", repository, base.GetCommit().GetTree().GetSHA(), entries)
	require.NoError(w.t, err)
	commit, _, err := client.Git.CreateCommit(ctx, "acme", repository, &github.Commit{
		Message: github.Ptr("stacked"), Tree: tree, Parents: []*github.Commit{{SHA: &parent}},
	}, nil)
	require.NoError(w.t, err)
	return commit.GetSHA()
}

func TestTreesKeepWhatTheyDoNotName(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	client := w.as("bot")
	first := w.stack(client, "image", w.commitOf("image", "dev"), entry("a/b/c", "one"), entry("a/d", "two"), entry("e", "three"))
	second := w.stack(client, "image", first, entry("a/b/c", ""), entry("a/d", "four"))
	for path, want := range map[string]string{"a/b/c": "", "a/d": "four", "e": "three", "README.md": "# image\n\n"} {
		file, ok, err := w.ReadFile(ctx, "image", second, path)
		require.NoError(t, err)
		assert.Equal(t, want != "", ok, path)
		assert.Equal(t, want, string(file.Content), path)
	}
	assert.NotEqual(t, second, w.commitOf("image", "dev"), "no branch has it")
	assert.Empty(t, w.seen())

	_, _, err := client.Git.CreateTree(ctx, "acme", "image", strings.Repeat("1", 40), []*github.TreeEntry{entry("f", "x")})
	refused(t, err, 422, "base_tree is not a valid tree oid")
	_, _, err = client.Git.CreateTree(ctx, "acme", "image", "", []*github.TreeEntry{entry("../f", "x")})
	refused(t, err, 422, "")
	nothing := &github.Tree{SHA: github.Ptr(strings.Repeat("1", 40))}
	_, _, err = client.Git.CreateCommit(ctx, "acme", "image", &github.Commit{Message: github.Ptr("m"), Tree: nothing}, nil)
	refused(t, err, 422, "Tree SHA does not exist")
	_, _, err = client.Git.CreateCommit(ctx, "acme", "image", &github.Commit{
		Message: github.Ptr("m"), Tree: nothing, Parents: []*github.Commit{{SHA: nothing.SHA}},
	}, nil)
	refused(t, err, 422, "Parent SHA does not exist")
}

func TestRefsMoveForwardAlone(t *testing.T) {
	w, ctx := newWorld(t), t.Context()
	w.repository("image")
	client := w.as("bot")
	start := w.commitOf("image", "dev")
	move := func(token, sha string, force bool) error {
		_, _, err := w.as(token).Git.UpdateRef(ctx, "acme", "image", &github.Reference{
			Ref: github.Ptr("refs/heads/dev"), Object: &github.GitObject{SHA: &sha},
		}, force)
		return err
	}
	ours, theirs := w.stack(client, "image", start, entry("f", "ours")), w.stack(client, "image", start, entry("f", "theirs"))
	require.NoError(t, move("bot", ours, false))
	require.NoError(t, move("bot", ours, false), "once more is no harm")
	refused(t, move("bot", theirs, false), 422, "Update is not a fast forward")
	refused(t, move("bot", start, false), 422, "Update is not a fast forward")
	refused(t, move("bot", strings.Repeat("1", 40), false), 422, "Object does not exist")
	assert.Equal(t, ours, w.commitOf("image", "dev"))
	require.Equal(t, []githubsim.Move{{
		Repo: "image", Branch: "dev", Before: start, After: ours, Actor: githubsim.Actor{Login: "relay[bot]", App: app}, Paths: []string{"f"},
	}}, w.seen())
	require.NoError(t, move("bot", theirs, true))

	w.protect("image", "dev", bypass)
	next := w.stack(client, "image", theirs, entry("f", "next"))
	refused(t, move("alice", next, false), 422, "Repository rule violations found")
	require.NoError(t, move("bot", next, false))
	w.protect("image", "dev", func(set *githubsim.Ruleset) { set.Rules.PullRequest = nil })
	refused(t, move("alice", ours, true), 422, "Cannot force-push")
}
