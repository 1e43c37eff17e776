// Package github is the little of GitHub's REST API that relay uses: reading files and commits, asking how two commits relate, one
// commit on top of what a branch is, and pull requests. A commit is a compare-and-swap. What has no effect is tried again when the
// network or GitHub stumbles, by the policy of package retry; what has one is asked once. What is written, and whether to try again
// after a lost race, is for package handoff.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v74/github"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrConflict says that the branch moved since it was read: read again and decide again.
	ErrConflict = errors.New("the branch moved since it was read")
	// ErrUnsettled says that no answer came to a write, which may have been carried out: reading again shows.
	ErrUnsettled = errors.New("no answer, the write may have been carried out")
	// ErrProtected says that a ruleset lets only pull requests change the branch.
	ErrProtected = errors.New("only pull requests may change this branch")
)

// Client talks to the repositories of one owner. It is safe for concurrent use.
type Client struct {
	owner, root string
	api         *github.Client
	policy      retry.Policy
}

// New returns a client with a plain token. root is the root of the REST API with a slash at its end, https://api.github.com/ for
// github.com.
func New(root, owner, token string) (*Client, error) {
	return Credentials{token: token}.Client(root, owner)
}

// Client returns a client with these credentials; a GitHub App's token is renewed as long as the client is used. root is as in New.
func (c Credentials) Client(root, owner string) (*Client, error) {
	address, err := parseRoot(root)
	if err != nil {
		return nil, err
	}
	transport, err := c.transport(root)
	if err != nil {
		return nil, err
	}
	api := github.NewClient(&http.Client{Transport: transport, Timeout: retry.RequestTimeout, CheckRedirect: stayOn(address.Host)})
	api.BaseURL = address
	return &Client{owner: owner, root: root, api: api, policy: retry.Call()}, nil
}

func parseRoot(root string) (*url.URL, error) {
	address, err := url.Parse(root)
	if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" || !strings.HasSuffix(address.Path, "/") {
		return nil, fmt.Errorf("%q is not the root of GitHub's API; expected a URL with a slash at its end, such as https://api.github.com/", root)
	}
	return address, nil
}

// stayOn refuses redirects to other servers, to whom the token would go too.
func stayOn(host string) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, made []*http.Request) error {
		if next.URL.Host != host || len(made) > 5 {
			return fmt.Errorf("redirected to %s, which is not %s", next.URL.Host, host)
		}
		return nil
	}
}

// Web is the address of a repository for people.
func (c *Client) Web(repository string) string { return Web(c.root, c.owner, repository) }

// repeat runs a call that may be made twice until it succeeds, cannot succeed, or was tried often enough.
func repeat[T any](ctx context.Context, c *Client, call func(ctx context.Context) (T, *github.Response, error)) (T, error) {
	return retry.Do(ctx, c.policy, func(ctx context.Context) (T, error) {
		value, response, err := call(ctx)
		return value, judged(response, err)
	})
}

func status(response *github.Response) int {
	if response == nil || response.Response == nil {
		return 0
	}
	return response.StatusCode
}
