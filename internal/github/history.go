package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-github/v74/github"
)

// Relation is how a commit relates to a base commit.
type Relation string

// The relations, in GitHub's words but for Unknown.
const (
	// Ahead: the base is an ancestor of the commit.
	Ahead Relation = "ahead"
	// Behind: the commit is an ancestor of the base.
	Behind Relation = "behind"
	// Identical: they are one commit.
	Identical Relation = "identical"
	// Diverged: neither is an ancestor of the other.
	Diverged Relation = "diverged"
	// Unknown: the repository does not know one of them, as after its history was rewritten.
	Unknown Relation = "unknown"
)

// Compare says how head relates to base; both are commits of one repository.
func (c *Client) Compare(ctx context.Context, repository, base, head string) (Relation, error) {
	relation, err := read(ctx, c, func() (Relation, *github.Response, error) {
		// One commit a page: only the status is of interest.
		out, response, err := c.api.Repositories.CompareCommits(ctx, c.owner, repository, base, head, &github.ListOptions{PerPage: 1})
		if status(response) == http.StatusNotFound {
			return Unknown, response, nil
		}
		return Relation(out.GetStatus()), response, explained(response, err)
	})
	if err != nil {
		return "", fmt.Errorf("comparing %s with %s of %s/%s: %w", head, base, c.owner, repository, err)
	}
	switch relation {
	case Ahead, Behind, Identical, Diverged, Unknown:
		return relation, nil
	}
	return "", fmt.Errorf("comparing %s with %s of %s/%s: unknown status %q", head, base, c.owner, repository, relation)
}

// Commit is a commit's SHA and message.
type Commit struct{ SHA, Message string }

// LastCommit returns the last commit of a branch that changed a file; the zero Commit when none did.
func (c *Client) LastCommit(ctx context.Context, repository, branch, path string) (Commit, error) {
	commit, err := read(ctx, c, func() (Commit, *github.Response, error) {
		out, response, err := c.api.Repositories.ListCommits(ctx, c.owner, repository, &github.CommitsListOptions{
			SHA: branch, Path: path, ListOptions: github.ListOptions{PerPage: 1},
		})
		if err != nil || len(out) == 0 {
			return Commit{}, response, explained(response, err)
		}
		return Commit{SHA: out[0].GetSHA(), Message: out[0].GetCommit().GetMessage()}, response, nil
	})
	if err != nil {
		return Commit{}, fmt.Errorf("listing the commits of %s of %s/%s at %s: %w", path, c.owner, repository, branch, err)
	}
	return commit, nil
}
