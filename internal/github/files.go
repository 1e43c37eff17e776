package github

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/google/go-github/v74/github"
)

// File is a file at one commit.
type File struct {
	// Exists is false when there is no such file; the content is then empty.
	Exists  bool
	Content []byte
}

// ReadFile reads a file of at most 1 MiB at a branch, tag or commit. A repository or ref that does not exist looks like a
// missing file to GitHub, and so here.
func (c *Client) ReadFile(ctx context.Context, repository, ref, path string) (File, error) {
	file, err := repeat(ctx, c, func(ctx context.Context) (File, *github.Response, error) {
		content, _, response, err := c.api.Repositories.GetContents(ctx, c.owner, repository, path, &github.RepositoryContentGetOptions{Ref: ref})
		switch {
		case status(response) == http.StatusNotFound:
			return File{}, response, nil
		case err != nil:
			return File{}, response, err
		case content == nil:
			return File{}, response, errors.New("is a directory; expected a file")
		}
		text, err := content.GetContent()
		return File{Exists: true, Content: []byte(text)}, response, err
	})
	if err != nil {
		return File{}, fmt.Errorf("reading %s of %s/%s at %s: %w", path, c.owner, repository, ref, err)
	}
	return file, nil
}

// Head is what a branch is at one moment.
type Head struct {
	// Commit is the branch's commit, Tree the tree of its files.
	Commit, Tree string
}

// ReadHead reads what a branch is now. A branch that does not exist is an error.
func (c *Client) ReadHead(ctx context.Context, repository, branch string) (Head, error) {
	head, err := repeat(ctx, c, func(ctx context.Context) (Head, *github.Response, error) {
		// One file a page: only the commit itself is of interest.
		out, response, err := c.api.Repositories.GetCommit(ctx, c.owner, repository, "heads/"+branch, &github.ListOptions{PerPage: 1})
		return Head{Commit: out.GetSHA(), Tree: out.GetCommit().GetTree().GetSHA()}, response, err
	})
	if err != nil {
		return Head{}, fmt.Errorf("reading branch %s of %s/%s: %w", branch, c.owner, repository, err)
	}
	return head, nil
}

// Edit is what one commit changes: the new content of each file by its path, nil for a file that goes.
type Edit struct {
	Files map[string][]byte
	// Message is the commit's message.
	Message string
}

// MakeCommit makes a commit on top of a head and returns its SHA. No branch has it yet, so that making it has no effect and is tried
// again. GitHub signs it when a GitHub App asks (GitHub Docs, "About commit signature verification").
func (c *Client) MakeCommit(ctx context.Context, repository string, on Head, edit Edit) (string, error) {
	var entries []*github.TreeEntry
	for _, path := range slices.Sorted(maps.Keys(edit.Files)) {
		entry := &github.TreeEntry{Path: &path, Mode: github.Ptr("100644"), Type: github.Ptr("blob")}
		if content := edit.Files[path]; content != nil {
			if !utf8.Valid(content) {
				return "", fmt.Errorf("writing %s of %s/%s: its content is not UTF-8", path, c.owner, repository)
			}
			entry.Content = github.Ptr(string(content))
		}
		entries = append(entries, entry)
	}
	commit, err := repeat(ctx, c, func(ctx context.Context) (string, *github.Response, error) {
		tree, response, err := c.api.Git.CreateTree(ctx, c.owner, repository, on.Tree, entries)
		if err != nil {
			return "", response, err
		}
		commit, response, err := c.api.Git.CreateCommit(ctx, c.owner, repository, &github.Commit{
			Message: &edit.Message, Tree: &github.Tree{SHA: tree.SHA}, Parents: []*github.Commit{{SHA: &on.Commit}},
		}, nil)
		return commit.GetSHA(), response, err
	})
	if err != nil {
		return "", fmt.Errorf("making a commit for %s/%s: %w", c.owner, repository, err)
	}
	return commit, nil
}

// Advance moves a branch forward to a commit that was made on top of its head. It is a compare-and-swap and asks once: its errors are
// ErrConflict when the branch moved, ErrUnsettled when no answer came, ErrProtected when a ruleset refused, one that package retry may
// wait for when a rate limit did, and any other is final.
func (c *Client) Advance(ctx context.Context, repository, branch, commit string) error {
	_, response, err := c.api.Git.UpdateRef(ctx, c.owner, repository, reference(branch, commit), false)
	if err != nil {
		return fmt.Errorf("moving branch %s of %s/%s: %w", branch, c.owner, repository, classified(response, err))
	}
	return nil
}

func reference(branch, commit string) *github.Reference {
	return &github.Reference{Ref: github.Ptr("refs/heads/" + branch), Object: &github.GitObject{SHA: &commit}}
}
