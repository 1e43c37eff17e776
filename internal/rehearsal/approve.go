package rehearsal

import (
	"context"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/review"
)

// approve has a waiting review decided on, with the report that lies on S3.
func (r *Rehearsal) approve(ctx context.Context, a runner.Approval) (bool, string, error) {
	if r.isByHand(a.Environment) {
		<-ctx.Done()
		return false, "", context.Cause(ctx)
	}
	uri := a.Variables["Review.REVIEW_URI"]
	bucket, folder, ok := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	if !ok {
		return false, "", fmt.Errorf("approval %s of %s: the review's address is %q; expected an s3:// folder in Review.REVIEW_URI", a.Action, a.Pipeline, uri)
	}
	report, err := r.aws.GetObject(bucket, folder+review.MarkdownFile)
	if err != nil {
		return false, "", fmt.Errorf("approval %s of %s: reading the report %s: %w", a.Action, a.Pipeline, uri, err)
	}
	return r.options.Approve(ctx, a, string(report))
}
