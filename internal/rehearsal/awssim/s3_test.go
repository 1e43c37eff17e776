package awssim_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestObjectsTravelBetweenGoAndAPI(t *testing.T) {
	w := newWorld(t)
	client := s3.NewFromConfig(w.config)
	require.NoError(t, w.CreateBucket("artifacts"))
	require.Error(t, w.CreateBucket("artifacts"))
	assert.True(t, w.BucketExists("artifacts"))
	assert.False(t, w.BucketExists("other"))

	_, err := client.PutObject(t.Context(), put("artifacts", "software/v1/a.tar.gz", "first"))
	require.NoError(t, err)
	content, err := w.GetObject("artifacts", "software/v1/a.tar.gz")
	require.NoError(t, err)
	assert.Equal(t, "first", string(content))

	// The SDK verifies checksums of what it reads: they must be those of the new content, whoever wrote it.
	require.NoError(t, w.PutObject("artifacts", "software/v1/a.tar.gz", []byte("second, by Go")))
	assert.Equal(t, "second, by Go", read(t, client, "software/v1/a.tar.gz", nil))
	assert.Equal(t, "second", read(t, client, "software/v1/a.tar.gz", aws.String("bytes=0-5")))

	_, err = client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("none")})
	var none *types.NoSuchKey
	require.ErrorAs(t, err, &none)

	require.ErrorContains(t, w.DeleteBucket("artifacts", false), "artifacts")
	require.NoError(t, w.DeleteBucket("artifacts", true))
	assert.False(t, w.BucketExists("artifacts"))
	_, err = w.GetObject("artifacts", "x")
	require.ErrorContains(t, err, "s3://artifacts/x")
}

func put(bucket, key, content string) *s3.PutObjectInput {
	return &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(content)}
}

func read(t *testing.T, client *s3.Client, key string, part *string) string {
	t.Helper()
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: &key, Range: part})
	require.NoError(t, err)
	content, err := io.ReadAll(out.Body)
	require.NoError(t, err)
	return string(content)
}

func TestOnlyOneOfManyWritersCreatesAnObject(t *testing.T) {
	w := newWorld(t)
	client := s3.NewFromConfig(w.config)
	require.NoError(t, w.CreateBucket("artifacts"))
	var created, refused atomic.Int32
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			input := put("artifacts", "software/v1/a.tar.gz", "x")
			input.IfNoneMatch = aws.String("*")
			_, err := client.PutObject(context.WithoutCancel(t.Context()), input)
			switch {
			case err == nil:
				created.Add(1)
			case assert.Equal(t, "PreconditionFailed", code(t, err)):
				refused.Add(1)
			}
		})
	}
	writers.Wait()
	assert.EqualValues(t, 1, created.Load())
	assert.EqualValues(t, 7, refused.Load())
}

func TestS3RefusesWhatItWasNotTaught(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("artifacts"))
	_, err := s3.NewFromConfig(w.config).GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: aws.String("artifacts")})
	assert.Equal(t, "NotImplemented", code(t, err))
	assert.ErrorContains(t, err, "policy")
}

func TestPresignedURL(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("artifacts"))
	require.NoError(t, w.PutObject("artifacts", "report.html", []byte("<html>")))
	signed, err := s3.NewPresignClient(s3.NewFromConfig(w.config)).PresignGetObject(t.Context(),
		&s3.GetObjectInput{Bucket: aws.String("artifacts"), Key: aws.String("report.html")})
	require.NoError(t, err)
	assert.Equal(t, "<html>", get(t, signed.URL))
	response, err := http.Get(w.url + "/artifacts/report.html")
	require.NoError(t, err)
	response.Body.Close()
	assert.Equal(t, http.StatusNotImplemented, response.StatusCode, "a request without a signature is for no service")
}

func TestDumpBuckets(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("one"))
	require.NoError(t, w.CreateBucket("two"))
	require.NoError(t, w.PutObject("one", "a/b/c.txt", []byte("abc")))
	require.NoError(t, w.PutObject("one", "empty/", nil))
	dir := t.TempDir()
	require.NoError(t, w.DumpBuckets(dir))
	content, err := os.ReadFile(filepath.Join(dir, "one/a/b/c.txt"))
	require.NoError(t, err)
	assert.Equal(t, "abc", string(content))
	assert.DirExists(t, filepath.Join(dir, "one/empty"))
	assert.DirExists(t, filepath.Join(dir, "two"))

	require.NoError(t, w.PutObject("two", "../../escaped", []byte("x")))
	require.ErrorContains(t, w.DumpBuckets(dir), "two")
	assert.NoFileExists(t, filepath.Join(filepath.Dir(dir), "escaped"))
}

func TestCommandLineCopies(t *testing.T) {
	needsAWS(t)
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("artifacts"))
	big := bytes.Repeat([]byte("0123456789abcdef"), 600_000) // more than the 8 MiB from which the command copies in parts
	require.NoError(t, w.PutObject("artifacts", "big", big))
	dir := t.TempDir()
	for _, command := range []string{"aws s3 cp s3://artifacts/big big", "aws s3 cp big s3://artifacts/again/big"} {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "AWS_ENDPOINT_URL="+w.url, "AWS_ACCESS_KEY_ID=AK", "AWS_SECRET_ACCESS_KEY=x",
			"AWS_DEFAULT_REGION=eu-central-1", "AWS_CONFIG_FILE=/dev/null")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	again, err := w.GetObject("artifacts", "again/big")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(big, again))
}
