package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v74/github"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// Pull is an open pull request.
type Pull struct {
	Number int    `json:"number"`
	URL    string `json:"url"`
	// Created says that this call opened it.
	Created bool `json:"created"`
}

// PullRequest is a pull request to be opened between two branches of one repository.
type PullRequest struct {
	Repository, Head, Base string
	Title, Body            string
	// Label is put on it; none when empty. GitHub makes one that the repository does not have.
	Label string
}

// OpenPull opens a pull request, or finds the one that is open between the same branches, and labels it. It is safe to repeat.
func (c *Client) OpenPull(ctx context.Context, p PullRequest) (Pull, error) {
	pull, err := retry.Do(ctx, c.policy, func(ctx context.Context) (Pull, error) {
		found, err := c.findPull(ctx, p)
		if err != nil || found.Number != 0 {
			return found, err
		}
		out, response, err := c.api.PullRequests.Create(ctx, c.owner, p.Repository, &github.NewPullRequest{
			Title: &p.Title, Head: &p.Head, Base: &p.Base, Body: &p.Body,
		})
		// Somebody may have been faster, and an answer may have been lost: then it is found in the next round.
		if err != nil && strings.Contains(message(err), "already exists") {
			return Pull{}, retry.Again(err)
		}
		return Pull{Number: out.GetNumber(), URL: out.GetHTMLURL(), Created: true}, judged(response, err)
	})
	if err == nil && p.Label != "" {
		_, err = repeat(ctx, c, func(ctx context.Context) ([]*github.Label, *github.Response, error) {
			return c.api.Issues.AddLabelsToIssue(ctx, c.owner, p.Repository, pull.Number, []string{p.Label})
		})
	}
	if err != nil {
		return Pull{}, fmt.Errorf("opening a pull request from %s into %s of %s/%s: %w", p.Head, p.Base, c.owner, p.Repository, err)
	}
	return pull, nil
}

func (c *Client) findPull(ctx context.Context, p PullRequest) (Pull, error) {
	return repeat(ctx, c, func(ctx context.Context) (Pull, *github.Response, error) {
		out, response, err := c.api.PullRequests.List(ctx, c.owner, p.Repository, &github.PullRequestListOptions{
			State: "open", Head: c.owner + ":" + p.Head, Base: p.Base,
		})
		if err != nil || len(out) == 0 {
			return Pull{}, response, err
		}
		return Pull{Number: out[0].GetNumber(), URL: out[0].GetHTMLURL()}, response, nil
	})
}

// PutBranch makes a branch name a commit, whatever it named before. It is for branches that relay alone writes to, and safe to repeat.
func (c *Client) PutBranch(ctx context.Context, repository, branch, commit string) error {
	_, err := repeat(ctx, c, func(ctx context.Context) (*github.Reference, *github.Response, error) {
		ref := reference(branch, commit)
		out, response, err := c.api.Git.CreateRef(ctx, c.owner, repository, ref)
		if status(response) == http.StatusUnprocessableEntity && strings.Contains(message(err), "already exists") {
			out, response, err = c.api.Git.UpdateRef(ctx, c.owner, repository, ref, true)
		}
		return out, response, err
	})
	if err != nil {
		return fmt.Errorf("setting branch %s of %s/%s to %s: %w", branch, c.owner, repository, commit, err)
	}
	return nil
}

// Login returns the login of the person whose token it is, empty when it is a GitHub App's.
func (c *Client) Login(ctx context.Context) (string, error) {
	login, err := repeat(ctx, c, func(ctx context.Context) (string, *github.Response, error) {
		user, response, err := c.api.Users.Get(ctx, "")
		if status(response) == http.StatusForbidden && strings.Contains(message(err), "not accessible by integration") {
			return "", response, nil
		}
		return user.GetLogin(), response, err
	})
	if err != nil {
		return "", fmt.Errorf("asking GitHub whose token it is: %w", err)
	}
	return login, nil
}
