package decision_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/decision"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/review"
)

// pipeline is an infrastructure pipeline with the reviews that asked for an approval, the newest first.
type pipeline struct {
	reviews []approval.Review
	newer   string
	// overtake decides first, as another person does.
	overtake func(*approval.Review)
}

func (p *pipeline) Reviews(context.Context) ([]approval.Review, error) {
	return append([]approval.Review{}, p.reviews...), nil
}

func (p *pipeline) Newer(context.Context, string) (string, error) { return p.newer, nil }

func (p *pipeline) Waiting(context.Context) (approval.Waiting, bool, error) {
	for _, r := range p.reviews {
		if r.Decision == approval.Undecided {
			return approval.Waiting{Execution: r.Execution}, true, nil
		}
	}
	return approval.Waiting{}, false, nil
}

func (p *pipeline) Decide(_ context.Context, w approval.Waiting, approve bool, comment string) error {
	for i := range p.reviews {
		r := &p.reviews[i]
		if r.Execution != w.Execution {
			continue
		}
		if p.overtake != nil {
			p.overtake(r)
			return approval.ErrDecided
		}
		r.Decision, r.Comment = approval.Rejected, comment
		if approve {
			r.Decision = approval.Approved
		}
		return nil
	}
	return approval.ErrDecided
}

const kim = "arn:aws:sts::1:assumed-role/Approver/kim@example.com"

// desk has one review that waits.
func desk(t *testing.T) (decision.Desk, *pipeline, string) {
	t.Helper()
	account := awssim.New(awssim.Options{AccountID: "123456789012", Region: "r", Dir: t.TempDir()})
	t.Cleanup(account.Close)
	require.NoError(t, account.CreateBucket("reviews-dev"))
	server := httptest.NewServer(account)
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{BaseEndpoint: &server.URL, Region: "r", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	contents := map[string][]byte{}
	for _, name := range []string{review.PlanFile, review.PreviewFile, review.MarkdownFile, review.PageFile, review.ReportFile, review.JUnitFile, review.SARIFFile} {
		contents[name] = []byte(name)
	}
	store := review.Store{S3: client, Bucket: "reviews-dev"}
	uri, digest, err := store.Save(t.Context(), review.New(review.Manifest{
		Environment: "dev", Commit: "c", Execution: "e-1", State: strings.Repeat("a", 64), Relay: strings.Repeat("b", 64),
		Authors: []string{"kim@example.com"}, Expires: time.Now().Add(time.Hour),
	}, contents))
	require.NoError(t, err)
	p := &pipeline{reviews: []approval.Review{{Digest: digest, Execution: "e-1", URI: uri, Decision: approval.Undecided}}}
	return decision.Desk{Environment: "dev", Pipeline: p, Store: store, By: kim}, p, digest
}

func TestExactlyTheReviewThatWaitsIsApproved(t *testing.T) {
	d, p, digest := desk(t)
	c, err := d.Open(t.Context(), digest[:12], true)
	require.NoError(t, err)
	assert.False(t, c.Decided)
	c, err = d.Decide(t.Context(), c, true, "yes")
	require.NoError(t, err)
	assert.Equal(t, approval.Approved, c.Decision)
	assert.Equal(t, kim, c.By)
	assert.Equal(t, "yes", p.reviews[0].Comment)
	c, err = d.Open(t.Context(), digest, true)
	require.NoError(t, err)
	assert.True(t, c.Decided, "again, it is a success")
	_, err = d.Open(t.Context(), digest, false)
	assert.True(t, review.Refused(err))
}

func TestDigestsMustNameOneReview(t *testing.T) {
	d, p, digest := desk(t)
	for _, wrong := range []string{"", digest[:11], strings.ToUpper(digest[:12]) + "X", digest + "0"} {
		_, err := d.Open(t.Context(), wrong, true)
		var bad *decision.DigestError
		require.ErrorAs(t, err, &bad, wrong)
	}
	_, err := d.Open(t.Context(), strings.Repeat("0", 12), true)
	assert.True(t, review.Refused(err))
	assert.ErrorContains(t, err, "another one waits: "+digest)
	p.reviews = append(p.reviews, approval.Review{Digest: digest[:20] + strings.Repeat("0", 44), Decision: approval.Ended})
	_, err = d.Open(t.Context(), digest[:12], true)
	require.ErrorContains(t, err, "give more digits")
	_, err = d.Open(t.Context(), digest, true)
	require.NoError(t, err)
}

func TestWhatADeploymentWouldRefuseIsRefused(t *testing.T) {
	d, p, digest := desk(t)
	p.newer = "e-2"
	_, err := d.Open(t.Context(), digest, true)
	require.ErrorContains(t, err, "found that of execution e-2")
	_, err = d.Open(t.Context(), digest, false)
	require.NoError(t, err, "what nobody can approve can still be rejected")
	p.newer = ""
	d.SeparateApprover = true
	_, err = d.Open(t.Context(), digest, true)
	require.ErrorContains(t, err, "found kim@example.com among its authors")
	d.SeparateApprover, d.Environment = false, "main"
	_, err = d.Open(t.Context(), digest, true)
	require.ErrorContains(t, err, "expected main, found dev")
	p.reviews[0].Decision = approval.Ended
	_, err = d.Open(t.Context(), digest, true)
	require.ErrorContains(t, err, "ended without a decision")
}

func TestWhoeverWasFasterCounts(t *testing.T) {
	for _, first := range []approval.Decision{approval.Approved, approval.Rejected} {
		d, p, digest := desk(t)
		c, err := d.Open(t.Context(), digest, true)
		require.NoError(t, err)
		p.overtake = func(r *approval.Review) { r.Decision, r.By = first, "lee" }
		c, err = d.Decide(t.Context(), c, true, "yes")
		if first == approval.Rejected {
			assert.True(t, review.Refused(err))
			assert.ErrorContains(t, err, "rejected by lee")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, "lee", c.By)
		assert.True(t, c.Decided)
	}
}
