// Package deployment keeps the records of an environment's deployments on S3, beside the reviews: which deployment runs now, from which
// state one started, and how it ended, with who approved it. Review and deployment find out from them whether to wait, to go on where
// a killed run stopped, or to leave it alone. It deploys nothing.
package deployment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/tekpossible/ha-devops/internal/report"
)

// Folder is where the records lie in the environment's bucket. Deployments write there and nowhere among the reviews.
const Folder = "deployments"

// resultFile is the name of a record of how a deployment ended.
const resultFile = "result.json"

// Objects is the part of S3 that records need.
type Objects interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Records are those of one environment.
type Records struct {
	S3                  Objects
	Bucket, Environment string
}

// Start is what a deployment found when it began to change things.
type Start struct {
	// State is the digest of the state that it started from, Update when the last finished update had begun. A later finished update
	// was somebody else's.
	State  string    `json:"state"`
	Update string    `json:"update"`
	At     time.Time `json:"at"`
}

// Outcome says how a deployment ended.
type Outcome string

// The outcomes that end a deployment for good. One that failed in another way can be run again.
const (
	Deployed   Outcome = "deployed"
	RolledBack Outcome = "rolled-back"
)

// Result is how a deployment ended, and who answered for it.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Review is the digest that was approved, ApprovedBy the ARN of who approved it, ApprovedAt when, and Comment what they said; all
	// three are empty when nothing changed and nobody was asked.
	Review     string     `json:"review"`
	ApprovedBy string     `json:"approvedBy,omitempty"`
	ApprovedAt *time.Time `json:"approvedAt,omitempty"`
	Comment    string     `json:"comment,omitempty"`
	// Commit and Execution say what was deployed by which run.
	Commit    string `json:"commit"`
	Execution string `json:"execution"`
	// From is what ran before, To what runs now.
	From report.Release `json:"from"`
	To   report.Release `json:"to"`
	// Reason says why it was rolled back.
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Begin records the start of a review's deployment and returns the first one that was ever recorded: its own, or that of an earlier
// run of the same review.
func (r Records) Begin(ctx context.Context, review string, now Start) (Start, error) {
	key := r.key(review, "started.json")
	err := r.put(ctx, key, now, &s3.PutObjectInput{IfNoneMatch: aws.String("*")})
	if !taken(err) {
		return now, err
	}
	var first Start
	_, _, err = r.get(ctx, key, &first)
	return first, err
}

// Began returns the recorded start of a review's deployment, if there is one.
func (r Records) Began(ctx context.Context, review string) (Start, bool, error) {
	var first Start
	_, found, err := r.get(ctx, r.key(review, "started.json"), &first)
	return first, found, err
}

// Fail records why a review's deployment is rolled back, before anything is. The first record stays.
func (r Records) Fail(ctx context.Context, review, reason string) error {
	err := r.put(ctx, r.key(review, "failed.json"), failure{reason}, &s3.PutObjectInput{IfNoneMatch: aws.String("*")})
	if taken(err) {
		return nil
	}
	return err
}

// Failed returns why a review's deployment is rolled back, if it is.
func (r Records) Failed(ctx context.Context, review string) (reason string, failed bool, err error) {
	var f failure
	_, failed, err = r.get(ctx, r.key(review, "failed.json"), &f)
	return f.Reason, failed, err
}

type failure struct {
	Reason string `json:"reason"`
}

// End records how a review's deployment ended. The first record stays.
func (r Records) End(ctx context.Context, result Result) error {
	err := r.put(ctx, r.key(result.Review, resultFile), result, &s3.PutObjectInput{IfNoneMatch: aws.String("*")})
	if taken(err) {
		return nil
	}
	return err
}

// Ended returns how a review's deployment ended, if it did.
func (r Records) Ended(ctx context.Context, review string) (Result, bool, error) {
	var result Result
	_, found, err := r.get(ctx, r.key(review, resultFile), &result)
	return result, found, err
}

func (r Records) key(parts ...string) string {
	key := Folder + "/" + r.Environment
	for _, part := range parts {
		key += "/" + part
	}
	return key
}

func (r Records) put(ctx context.Context, key string, value any, in *s3.PutObjectInput) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	in.Bucket, in.Key, in.Body, in.ContentType = &r.Bucket, &key, bytes.NewReader(content), aws.String("application/json")
	in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256
	if _, err := r.S3.PutObject(ctx, in); err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", r.Bucket, key, err)
	}
	return nil
}

// get reads a record and returns its entity tag.
func (r Records) get(ctx context.Context, key string, into any) (tag string, found bool, err error) {
	out, err := r.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &r.Bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("reading s3://%s/%s: %w", r.Bucket, key, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return "", false, fmt.Errorf("reading s3://%s/%s: %w", r.Bucket, key, err)
	}
	return aws.ToString(out.ETag), true, nil
}

// taken says that S3 refused a write because the object is there, or is another one (Amazon S3 User Guide, "Conditional writes").
func taken(err error) bool {
	var problem smithy.APIError
	return errors.As(err, &problem) && (problem.ErrorCode() == "PreconditionFailed" || problem.ErrorCode() == "ConditionalRequestConflict")
}
