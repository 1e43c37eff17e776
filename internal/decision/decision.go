// Package decision approves or rejects a review by its digest, as a person asks for it: exactly that one, or nothing. It finds the review
// in the pipeline's history, checks what a deployment would refuse all the same, and gives CodePipeline the answer.
package decision

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/review"
)

// Pipeline is what is asked of the infrastructure pipeline.
type Pipeline interface {
	Reviews(ctx context.Context) ([]approval.Review, error)
	Newer(ctx context.Context, execution string) (string, error)
	Waiting(ctx context.Context) (approval.Waiting, bool, error)
	Decide(ctx context.Context, w approval.Waiting, approve bool, comment string) error
}

// Desk is where an environment's reviews are decided on.
type Desk struct {
	Environment string
	Pipeline    Pipeline
	Store       review.Store
	// By is the ARN of who decides. SeparateApprover refuses an approval by an author of the change.
	By               string
	SeparateApprover bool
}

// Case is a review and what is to be done with it.
type Case struct {
	approval.Review
	// Manifest is what the review binds; zero for a review that was decided before.
	Manifest review.Manifest
	// Decided says that the review was decided before, in the sense that was asked for.
	Decided bool
}

// DigestError is a digest that names no review, or more than one.
type DigestError struct{ text string }

// Error says what is expected.
func (e *DigestError) Error() string { return e.text }

// least is how many digits of a digest are needed: 48 bits, which nobody hits by chance.
const least = 12

var digits = regexp.MustCompile(fmt.Sprintf(`^[0-9a-f]{%d,64}$`, least))

// Open finds the review with a digest, or with the only digest that begins so, and says whether it can be decided. Its error is a
// *DigestError, or wraps a *review.Refusal: another review waits, it was decided otherwise, it has expired, or who asks may not.
func (d Desk) Open(ctx context.Context, digest string, approve bool) (Case, error) {
	if !digits.MatchString(digest) {
		return Case{}, &DigestError{fmt.Sprintf("%q is not a review's digest; expected its %d to 64 hex digits, as relay status shows them", digest, least)}
	}
	reviews, err := d.Pipeline.Reviews(ctx)
	if err != nil {
		return Case{}, err
	}
	found, err := d.choose(reviews, digest)
	if err != nil {
		return Case{}, err
	}
	c := Case{Review: found}
	wanted := map[bool]approval.Decision{true: approval.Approved, false: approval.Rejected}[approve]
	switch found.Decision {
	case wanted:
		c.Decided = true
		return c, nil
	case approval.Undecided:
	default:
		return c, d.over(found, wanted)
	}
	if c.Manifest, err = d.Store.Manifest(ctx, found.URI, found.Digest); err != nil {
		return c, err
	}
	if approve {
		return c, d.allowed(ctx, c)
	}
	return c, nil
}

// choose is the newest review with the digest; a stage that was retried asks for the same digest again.
func (d Desk) choose(reviews []approval.Review, digest string) (approval.Review, error) {
	var found approval.Review
	for _, r := range reviews {
		switch {
		case !strings.HasPrefix(r.Digest, digest):
		case found.Digest == "":
			found = r
		case found.Digest != r.Digest:
			return found, &DigestError{fmt.Sprintf("%s begins the digests of several reviews, %s and %s; give more digits", digest, found.Digest, r.Digest)}
		}
	}
	if found.Digest != "" {
		return found, nil
	}
	refusal := &review.Refusal{
		What: "review " + digest + " of " + d.Environment, Expected: "that it waits for its approval", Found: "no such review, and none that waits",
		Remedy: "relay status " + d.Environment + " shows what waits",
	}
	for _, r := range reviews {
		if r.Decision == approval.Undecided {
			refusal.Found = fmt.Sprintf("that another one waits: %s, %s", r.Digest, r.Summary)
			refusal.Remedy = "look at " + r.Report + " and decide on that one"
		}
	}
	return found, refusal
}

// over refuses a review that does not wait any more.
func (d Desk) over(r approval.Review, wanted approval.Decision) error {
	refusal := &review.Refusal{
		What: fmt.Sprintf("review %.12s of %s", r.Digest, d.Environment), Expected: fmt.Sprintf("that it waits, or is %s already", wanted),
		Found: fmt.Sprintf("that it was %s by %s at %s", r.Decision, r.By, r.At.Format(time.RFC3339)), Remedy: "start the infrastructure pipeline again: it makes a new review",
	}
	if r.Decision == approval.Ended {
		refusal.Found = "that it ended without a decision at " + r.At.Format(time.RFC3339)
	}
	if r.Comment != "" {
		refusal.Found += ": " + r.Comment
	}
	return refusal
}

// allowed refuses what a deployment would refuse after the approval.
func (d Desk) allowed(ctx context.Context, c Case) error {
	newer, err := d.Pipeline.Newer(ctx, c.Execution)
	if err != nil {
		return err
	}
	problems := []error{c.Manifest.Expired(time.Now()), c.Manifest.Overtaken(newer)}
	if c.Manifest.Environment != d.Environment {
		problems = append(problems, &review.Refusal{
			What: "environment of review " + c.Digest, Expected: d.Environment, Found: c.Manifest.Environment, Remedy: "approve it where it belongs",
		})
	}
	if d.SeparateApprover {
		problems = append(problems, c.Manifest.Authored(d.By))
	}
	return errors.Join(problems...)
}

// Decide gives the answer. Somebody who was faster counts: their decision is returned when it is the same, and refused when it is not.
func (d Desk) Decide(ctx context.Context, c Case, approve bool, comment string) (Case, error) {
	waiting, found, err := d.Pipeline.Waiting(ctx)
	if err != nil {
		return c, err
	}
	if !found || waiting.Execution != c.Execution {
		return d.again(ctx, c, approve)
	}
	err = d.Pipeline.Decide(ctx, waiting, approve, comment)
	if errors.Is(err, approval.ErrDecided) {
		return d.again(ctx, c, approve)
	}
	if err != nil {
		return c, err
	}
	c.Decision, c.By, c.Comment, c.At = approval.Rejected, d.By, comment, time.Now().UTC().Truncate(time.Second)
	if approve {
		c.Decision = approval.Approved
	}
	return c, nil
}

// again looks at what became of a review that waited a moment ago.
func (d Desk) again(ctx context.Context, c Case, approve bool) (Case, error) {
	now, err := d.Open(ctx, c.Digest, approve)
	if err == nil && !now.Decided {
		return now, fmt.Errorf("review %.12s of %s: it waits and cannot be decided on now; run again", c.Digest, d.Environment)
	}
	return now, err
}
