package rehearsal

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-github/v74/github"

	"github.com/tekpossible/ha-devops/internal/git"
)

// people are a developer, who opens pull requests and merges them, and a reviewer, who approves them; actions is who checks them.
type people struct {
	url                          string
	developer, reviewer, actions *github.Client
}

func newPeople(url string) people {
	client := func(token string) *github.Client {
		// The URL is our own server's.
		c, _ := github.NewClient(&http.Client{Timeout: time.Minute}).WithAuthToken(token).WithEnterpriseURLs(url, url)
		return c
	}
	return people{url: url, developer: client(DeveloperToken), reviewer: client(ReviewerToken), actions: client(actionsToken)}
}

// merge opens a pull request, has it approved and merges it, and returns the merge commit.
func (p people) merge(ctx context.Context, repository, from, into, title string) (string, error) {
	number, err := p.open(ctx, repository, from, into, title)
	if err != nil {
		return "", err
	}
	return p.land(ctx, repository, number)
}

// open opens a pull request, and returns its number.
func (p people) open(ctx context.Context, repository, from, into, title string) (int, error) {
	pull, _, err := p.developer.PullRequests.Create(ctx, Owner, repository, &github.NewPullRequest{
		Title: &title, Head: &from, Base: &into,
	})
	if err != nil {
		return 0, fmt.Errorf("opening a pull request of %s into %s of %s: %w", from, into, repository, err)
	}
	return pull.GetNumber(), nil
}

// land has an open pull request checked and approved, merges it, and returns the merge commit. It is the developer who merges: the
// rulesets want the approval of somebody else than who pushed last, and a merge into dev is the last push of its promotion.
func (p people) land(ctx context.Context, repository string, number int) (string, error) {
	if err := p.check(ctx, repository, number); err != nil {
		return "", fmt.Errorf("checking pull request %d of %s: %w", number, repository, err)
	}
	approve := "APPROVE"
	if _, _, err := p.reviewer.PullRequests.CreateReview(ctx, Owner, repository, number, &github.PullRequestReviewRequest{Event: &approve}); err != nil {
		return "", fmt.Errorf("approving pull request %d of %s: %w", number, repository, err)
	}
	merged, _, err := p.developer.PullRequests.Merge(ctx, Owner, repository, number, "", &github.PullRequestOptions{MergeMethod: "merge"})
	if err != nil {
		return "", fmt.Errorf("merging pull request %d of %s: %w", number, repository, err)
	}
	return merged.GetSHA(), nil
}

// push commits files on top of a branch, as a developer would, and pushes them to another branch over HTTP.
func (p people) push(ctx context.Context, scratch, repository, from, to string, files map[string]string) error {
	dir, err := os.MkdirTemp(scratch, "work-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	remote := p.remote(repository, DeveloperToken)
	if _, err := git.Run(ctx, scratch, "clone", "--quiet", "--depth=1", "--branch", from, remote, dir); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"add", "--all"},
		{"-c", "user.name=" + developerName, "-c", "user.email=" + developerEmail, "commit", "--quiet", "--allow-empty", "--message=Change " + from},
		{"push", "--quiet", "origin", "HEAD:refs/heads/" + to},
	} {
		if _, err := git.Run(ctx, dir, args...); err != nil {
			return err
		}
	}
	return nil
}

// remote is a repository's address for somebody's token.
func (p people) remote(repository, token string) string {
	return "http://x-access-token:" + token + "@" + strings.TrimPrefix(p.url, "http://") + "/" + Owner + "/" + repository + ".git"
}
