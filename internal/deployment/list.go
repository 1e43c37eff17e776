package deployment

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Results goes through how the environment's deployments ended, the newest first. It lists all of them at once and reads each only as
// far as it is followed.
func (r Records) Results(ctx context.Context, lister s3.ListObjectsV2APIClient) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		type record struct {
			key string
			at  time.Time
		}
		var records []record
		prefix := r.key() + "/"
		pages := s3.NewListObjectsV2Paginator(lister, &s3.ListObjectsV2Input{Bucket: &r.Bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Result{}, fmt.Errorf("listing s3://%s/%s: %w", r.Bucket, prefix, err))
				return
			}
			for _, object := range page.Contents {
				if strings.HasSuffix(*object.Key, "/"+resultFile) {
					records = append(records, record{*object.Key, aws.ToTime(object.LastModified)})
				}
			}
		}
		slices.SortStableFunc(records, func(a, b record) int { return b.at.Compare(a.at) })
		for _, one := range records {
			var result Result
			if _, _, err := r.get(ctx, one.key, &result); err != nil {
				yield(Result{}, err)
				return
			}
			if !yield(result, nil) {
				return
			}
		}
	}
}

// Tried is the release that was to be deployed, also where it was rolled back.
func (r Result) Tried() string {
	if r.Outcome == RolledBack {
		return r.From.AMI
	}
	return r.To.AMI
}
