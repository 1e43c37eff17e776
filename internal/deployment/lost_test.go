package deployment_test

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// twice is S3 on a network that loses the answer to each write: the SDK asks again, and gets the second answer.
type twice struct{ *s3.Client }

func (c twice) PutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if _, err := c.Client.PutObject(ctx, in, options...); err != nil {
		return nil, err
	}
	if _, err := in.Body.(io.Seeker).Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return c.Client.PutObject(ctx, in, options...)
}

// TestALostAnswerIsNobodyElsesDeployment: a lease that this very process wrote is its own, whatever S3 says to the second try.
func TestALostAnswerIsNobodyElsesDeployment(t *testing.T) {
	account := awssim.New(awssim.Options{AccountID: "111122223333", Region: "eu-west-1", Dir: t.TempDir()})
	t.Cleanup(account.Close)
	require.NoError(t, account.CreateBucket("records"))
	server := httptest.NewServer(account)
	t.Cleanup(server.Close)
	client := s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(server.URL), UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
	})
	records := deployment.Records{S3: twice{client}, Bucket: "records", Environment: "dev"}
	alive := func(context.Context, deployment.Lease) (bool, error) { return false, nil }
	take := func(mine deployment.Lease) (deployment.Lease, bool) {
		t.Helper()
		lease, ok, err := records.Take(t.Context(), mine, alive)
		require.NoError(t, err)
		return lease, ok
	}
	for _, execution := range []string{"the first ever", "the next"} {
		mine, err := deployment.Mine(execution, "build")
		require.NoError(t, err)
		mine, ok := take(mine)
		require.True(t, ok, "it waits for itself")

		other, err := deployment.Mine("another", "its build")
		require.NoError(t, err)
		holder, ok := take(other)
		assert.False(t, ok)
		assert.Equal(t, execution, holder.Execution)

		start, err := records.Begin(t.Context(), execution, deployment.Start{State: "s"})
		require.NoError(t, err)
		assert.Equal(t, "s", start.State)
		require.NoError(t, records.End(t.Context(), deployment.Result{Review: execution, Outcome: deployment.Deployed}))
		require.NoError(t, records.Release(t.Context(), mine))
		_, held, err := records.Holder(t.Context())
		require.NoError(t, err)
		assert.False(t, held, "what was taken can be given back")
	}
}
