package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v74/github"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// secondaryPause is how long to wait after a secondary rate limit that comes without a time (GitHub Docs, "Best practices for using
// the REST API": at least one minute).
const secondaryPause = time.Minute

// judged marks an error by what may follow it: a call that a rate limit refused has had no effect and may be made again when GitHub
// says so; one that got no answer, or GitHub's own trouble for one, may be made again if it has no effect; any other is final, and
// says what to do where GitHub's own words do not.
func judged(response *github.Response, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	}
	if at, limited := limitedUntil(response, err); limited {
		return retry.After(fmt.Errorf("GitHub's rate limit: %w", err), at)
	}
	var mint *ghinstallation.HTTPError
	if errors.As(err, &mint) && mint.Response != nil {
		return judgedMint(mint, err)
	}
	if unanswered(response) {
		return retry.Again(err)
	}
	return explained(response, err)
}

// unanswered says that nothing is known of a call: there was no answer, or one of GitHub's own trouble.
func unanswered(response *github.Response) bool {
	code := status(response)
	return code == 0 || code >= 500 && code != http.StatusNotImplemented
}

// judgedMint is for a call that was never made, because the App got no token.
func judgedMint(mint *ghinstallation.HTTPError, err error) error {
	_ = mint.Response.Body.Close() // the library leaves it to us
	switch code := mint.Response.StatusCode; {
	case code >= 500, code == http.StatusTooManyRequests:
		return retry.Again(err)
	case code == http.StatusNotFound:
		return fmt.Errorf("%w; check the installationId in the secret, and that the GitHub App is installed on the organization", err)
	}
	return fmt.Errorf("%w; check the appId and the privateKey in the secret, and this machine's clock", err)
}

// limitedUntil says whether a rate limit refused the call, and when GitHub takes it again. go-github answers some of these calls by
// itself, from what it was told before; it knows 403 and not 429, which GitHub's documentation names beside it.
func limitedUntil(response *github.Response, err error) (time.Time, bool) {
	var primary *github.RateLimitError
	var secondary *github.AbuseRateLimitError
	switch {
	case errors.As(err, &secondary):
		if secondary.RetryAfter != nil {
			return time.Now().Add(*secondary.RetryAfter), true
		}
		return time.Now().Add(secondaryPause), true
	case errors.As(err, &primary):
		// Clocks differ a little, and the reset has whole seconds.
		return primary.Rate.Reset.Add(time.Second), true
	}
	code := status(response)
	if code != http.StatusForbidden && code != http.StatusTooManyRequests {
		return time.Time{}, false
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		return time.Now().Add(time.Duration(seconds) * time.Second), true
	}
	if reset, err := strconv.ParseInt(response.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil && response.Header.Get("X-Ratelimit-Remaining") == "0" {
		return time.Unix(reset, 0).Add(time.Second), true
	}
	if code == http.StatusTooManyRequests || strings.Contains(message(err), "secondary rate limit") {
		return time.Now().Add(secondaryPause), true
	}
	return time.Time{}, false
}

// message is what GitHub says in its answer, without the address of the call.
func message(err error) string {
	var answer *github.ErrorResponse
	if !errors.As(err, &answer) {
		return ""
	}
	text := answer.Message
	for _, e := range answer.Errors {
		text += "; " + e.Message
	}
	return text
}

// classified tells what became of a write. A lost race is 422 "Update is not a fast forward", or 409 while GitHub carries out another
// one; a ruleset's refusal comes with the same codes and "Repository rule violations found".
func classified(response *github.Response, err error) error {
	text := message(err)
	var mint *ghinstallation.HTTPError
	_, limited := limitedUntil(response, err)
	switch {
	case err == nil:
		return nil
	case strings.Contains(text, "rule violations"):
		return fmt.Errorf("%w: %w; let the pipelines' GitHub App bypass its ruleset", ErrProtected, err)
	case status(response) == http.StatusConflict,
		status(response) == http.StatusUnprocessableEntity && strings.Contains(text, "not a fast forward"):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case unanswered(response) && !limited && !errors.As(err, &mint):
		return fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return judged(response, err)
}

// explained says what to do about an answer, where GitHub's own words do not.
func explained(response *github.Response, err error) error {
	switch status(response) {
	case http.StatusUnauthorized:
		return fmt.Errorf("%w; the token in the secret is wrong or expired, store a new one", err)
	case http.StatusForbidden:
		return fmt.Errorf("%w; the token lacks a permission (contents: write, and for pull requests pull requests: write)", err)
	case http.StatusNotFound:
		return fmt.Errorf("%w; check the repository's and the branch's name, and that the token's GitHub App is installed there", err)
	}
	return err
}

// StatusOf is the HTTP status of the answer that an error of this package stands for, 0 when there was none.
func StatusOf(err error) int {
	var answer *github.ErrorResponse
	var mint *ghinstallation.HTTPError
	switch {
	case errors.As(err, &answer) && answer.Response != nil:
		return answer.Response.StatusCode
	case errors.As(err, &mint) && mint.Response != nil:
		return mint.Response.StatusCode
	}
	return 0
}
