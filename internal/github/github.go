// Package github is the little of GitHub's REST API that relay uses: reading and writing one file, and asking how two commits
// relate. A write is a compare-and-swap, and reads are tried again when the network or GitHub stumbles. What is written, and
// whether to try again after a lost race, is for package handoff.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/go-github/v74/github"
)

const (
	// requestTimeout is for one request; a compare of long histories takes GitHub seconds.
	requestTimeout = 30 * time.Second
	// readTries bounds how often a read is tried.
	readTries = 5
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrConflict says that the file or the branch moved since it was read: read again and decide again.
	ErrConflict = errors.New("the file changed since it was read")
	// ErrUnsettled says that no answer came to a write, which may have been carried out: reading again shows.
	ErrUnsettled = errors.New("no answer, the write may have been carried out")
)

// Client talks to the repositories of one owner. It is safe for concurrent use.
type Client struct {
	owner string
	api   *github.Client
	// first is the first pause before a read is tried again.
	first time.Duration
}

// New returns a client. api is the root of the REST API with a slash at its end, https://api.github.com/ for github.com.
func New(api, owner, token string) (*Client, error) {
	root, err := url.Parse(api)
	if err != nil || root.Host == "" || root.Scheme != "https" && root.Scheme != "http" || !strings.HasSuffix(root.Path, "/") {
		return nil, fmt.Errorf("%q is not the root of GitHub's API; expected a URL with a slash at its end, such as https://api.github.com/", api)
	}
	client := github.NewClient(&http.Client{Timeout: requestTimeout}).WithAuthToken(token)
	client.BaseURL = root
	return &Client{owner: owner, api: client, first: 250 * time.Millisecond}, nil
}

// read runs an idempotent call until it succeeds, cannot succeed, or was tried often enough; the pauses grow with jitter.
func read[T any](ctx context.Context, c *Client, call func() (T, *github.Response, error)) (T, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval, pauses.Multiplier = c.first, 10*time.Second, 3
	return backoff.Retry(ctx, func() (T, error) {
		value, response, err := call()
		if err != nil && !passing(response, err) {
			err = backoff.Permanent(err)
		}
		return value, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(readTries))
}

// passing says whether the same request may succeed a little later: no answer at all, or an answer that is GitHub's own
// trouble. Rate limits last too long to wait for them here, and go-github answers those without asking.
func passing(response *github.Response, err error) bool {
	var limit *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	if errors.As(err, &limit) || errors.As(err, &abuse) || errors.Is(err, context.Canceled) {
		return false
	}
	code := status(response)
	return code == 0 || code >= 500 && code != http.StatusNotImplemented
}

func status(response *github.Response) int {
	if response == nil || response.Response == nil {
		return 0
	}
	return response.StatusCode
}

// explained says what to do about an answer, where GitHub's own words do not.
func explained(response *github.Response, err error) error {
	switch status(response) {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w; the token in the secret is wrong or expired, store a new one", err)
	case http.StatusForbidden:
		return fmt.Errorf("%w; the token lacks a permission (contents: write) or hit a rate limit", err)
	case http.StatusNotFound:
		return fmt.Errorf("%w; check the repository's and the branch's name, and that the token's GitHub App is installed there", err)
	}
	return err
}
