package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

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
	// One commit a page: only the status is of interest.
	out, err := c.compare(ctx, repository, base, head, 1)
	return out.Relation, err
}

// Comparison is what a commit or branch has that a base has not.
type Comparison struct {
	Relation Relation
	// Total is the number of commits that the base has not; Commits are the first of them, at most 250, the oldest first.
	Total   int
	Commits []Commit
}

// Between compares two branches, tags or commits of one repository, and lists the commits.
func (c *Client) Between(ctx context.Context, repository, base, head string) (Comparison, error) {
	return c.compare(ctx, repository, base, head, 250)
}

func (c *Client) compare(ctx context.Context, repository, base, head string, page int) (Comparison, error) {
	comparison, err := repeat(ctx, c, func(ctx context.Context) (Comparison, *github.Response, error) {
		out, response, err := c.api.Repositories.CompareCommits(ctx, c.owner, repository, base, head, &github.ListOptions{PerPage: page})
		if status(response) == http.StatusNotFound {
			return Comparison{Relation: Unknown}, response, nil
		}
		if err != nil {
			return Comparison{}, response, err
		}
		comparison := Comparison{Relation: Relation(out.GetStatus()), Total: out.GetTotalCommits()}
		switch comparison.Relation {
		case Ahead, Behind, Identical, Diverged:
		default:
			return Comparison{}, response, fmt.Errorf("unknown status %q", comparison.Relation)
		}
		for _, commit := range out.Commits {
			comparison.Commits = append(comparison.Commits, commitOf(commit))
		}
		return comparison, response, nil
	})
	if err != nil {
		return Comparison{}, fmt.Errorf("comparing %s with %s of %s/%s: %w", head, base, c.owner, repository, err)
	}
	return comparison, nil
}

// Commit is a commit as its repository shows it.
type Commit struct {
	SHA, Message string
	// Author is the login of who made it, or the name in the commit where GitHub knows no login.
	Author string
	// Email is the author's address in the commit.
	Email string
	// Time is when it was committed.
	Time time.Time
}

func commitOf(c *github.RepositoryCommit) Commit {
	author := c.GetAuthor().GetLogin()
	if author == "" {
		author = c.GetCommit().GetAuthor().GetName()
	}
	return Commit{
		SHA: c.GetSHA(), Message: c.GetCommit().GetMessage(), Author: author, Email: c.GetCommit().GetAuthor().GetEmail(), Time: c.GetCommit().GetCommitter().GetDate().UTC(),
	}
}

// LastCommit returns the last commit up to a branch, tag or commit that changed a file; the zero Commit when none did.
func (c *Client) LastCommit(ctx context.Context, repository, ref, path string) (Commit, error) {
	commits, err := c.ListCommits(ctx, repository, ref, path, 1, 1)
	if err != nil || len(commits) == 0 {
		return Commit{}, err
	}
	return commits[0], nil
}

// ListCommits lists the commits up to a branch, tag or commit that changed a file, the newest first: a page, counted from 1, of at most
// size, which GitHub limits to 100.
func (c *Client) ListCommits(ctx context.Context, repository, ref, path string, page, size int) ([]Commit, error) {
	commits, err := repeat(ctx, c, func(ctx context.Context) ([]Commit, *github.Response, error) {
		out, response, err := c.api.Repositories.ListCommits(ctx, c.owner, repository, &github.CommitsListOptions{
			SHA: ref, Path: path, ListOptions: github.ListOptions{Page: page, PerPage: size},
		})
		var commits []Commit
		for _, commit := range out {
			commits = append(commits, commitOf(commit))
		}
		return commits, response, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the commits of %s of %s/%s at %s: %w", path, c.owner, repository, ref, err)
	}
	return commits, nil
}
