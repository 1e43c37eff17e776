package awsconfig_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/awsconfig"
)

func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func TestWithoutRegionTheErrorSaysWhatToSet(t *testing.T) {
	isolate(t)
	_, err := awsconfig.Load(t.Context())
	require.ErrorContains(t, err, "set AWS_REGION")
}

// The SDK's own warnings reach neither a terminal nor what --quiet leaves of the output.
func TestTheSDKIsSilent(t *testing.T) {
	isolate(t)
	stderr := os.Stderr
	t.Cleanup(func() { os.Stderr = stderr })
	read, write, err := os.Pipe()
	require.NoError(t, err)
	os.Stderr = write
	cfg, err := awsconfig.In(t.Context(), "eu-west-3")
	require.NoError(t, err)
	cfg.Logger.Logf(logging.Warn, "failed to discard remaining HTTP response body")
	require.NoError(t, write.Close())
	said, err := io.ReadAll(read)
	require.NoError(t, err)
	assert.Empty(t, string(said))
}

func TestRegionOfTheMachine(t *testing.T) {
	isolate(t)
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		if r.Method == http.MethodPut {
			_, _ = w.Write([]byte("token"))
			return
		}
		_, _ = w.Write([]byte(`{"region": "eu-west-3"}`))
	}))
	t.Cleanup(metadata.Close)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	cfg, err := awsconfig.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "eu-west-3", cfg.Region)
}

func TestEndpointAndRetries(t *testing.T) {
	isolate(t)
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		assert.Equal(t, "/shop-dev", r.URL.Path, "an endpoint with an IP address is addressed by path")
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	cfg, err := awsconfig.Load(t.Context())
	require.NoError(t, err)
	_, err = s3.NewFromConfig(cfg).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: aws.String("shop-dev")})
	require.NoError(t, err)
	assert.Equal(t, int32(2), calls.Load())
}
