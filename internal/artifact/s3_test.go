package artifact_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

func store(t *testing.T) *s3.Client {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server())
	t.Cleanup(server.Close)
	return s3.New(s3.Options{
		BaseEndpoint: &server.URL, Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
}

func object(key, body string) artifact.Object {
	sum := sha256.Sum256([]byte(body))
	return artifact.Object{
		Bucket: "shop-dev", Key: key, ContentType: "application/gzip", Body: bytes.NewReader([]byte(body)),
		Digest: artifact.Digest{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body))},
	}
}

func TestUploadNeverOverwrites(t *testing.T) {
	client := store(t)
	key := artifact.SoftwareKey("shop", "v1")
	one, two := object(key, "one"), object(key, "two")
	require.NoError(t, artifact.Upload(t.Context(), client, one))
	require.NoError(t, artifact.Upload(t.Context(), client, one), "a second run of the same build is a success")

	var conflict *artifact.ConflictError
	require.ErrorAs(t, artifact.Upload(t.Context(), client, two), &conflict)
	assert.Equal(t, artifact.ConflictError{
		URI: "s3://shop-dev/software/v1/shop-v1.tar.gz", Have: one.Digest.SHA256, Want: two.Digest.SHA256,
	}, *conflict)

	var got bytes.Buffer
	require.NoError(t, artifact.Fetch(t.Context(), client, conflict.URI, one.Digest.SHA256, &got))
	assert.Equal(t, "one", got.String())
	var digest *artifact.DigestError
	require.ErrorAs(t, artifact.Fetch(t.Context(), client, conflict.URI, two.Digest.SHA256, &got), &digest)
}

func TestUploadTellsAnObjectOfSomebodyElse(t *testing.T) {
	client := store(t)
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("shop-dev"), Key: aws.String("k"), Body: bytes.NewReader(nil)})
	require.NoError(t, err)
	require.ErrorContains(t, artifact.Upload(t.Context(), client, object("k", "x")), "sha256 unknown")
}

func TestParseURI(t *testing.T) {
	bucket, key, err := artifact.ParseURI(artifact.URI("shop-dev", "a/b.tar.gz"))
	require.NoError(t, err)
	assert.Equal(t, []string{"shop-dev", "a/b.tar.gz"}, []string{bucket, key})
	for _, bad := range []string{"", "s3://", "s3://b/", "s3://Bucket/k", "https://b/k", "s3://shop/a b", "s3://shop/a\n"} {
		_, _, err := artifact.ParseURI(bad)
		assert.Error(t, err, bad)
	}
}

func TestProvenanceIsAStatementAboutTheArtifact(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	data, err := artifact.Provenance(artifact.Build{
		Name: "s3://b/k", Digest: artifact.Digest{SHA256: "abc"}, Repository: "https://github.com/acme/shop", Branch: "dev",
		Commit: "c0ffee", Command: "make", Package: ".", Builder: "https://builder", Version: "v1", Execution: "e-1", Started: at, Finished: at,
	})
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, "https://in-toto.io/Statement/v1", got["_type"])
	assert.Equal(t, "https://slsa.dev/provenance/v1", got["predicateType"])
	assert.Equal(t, []any{map[string]any{"name": "s3://b/k", "digest": map[string]any{"sha256": "abc"}}}, got["subject"])
	definition := got["predicate"].(map[string]any)["buildDefinition"].(map[string]any)
	assert.Equal(t, []any{map[string]any{
		"uri": "git+https://github.com/acme/shop@refs/heads/dev", "digest": map[string]any{"gitCommit": "c0ffee"},
	}}, definition["resolvedDependencies"])
}

func TestOneArtifactHasOneProvenance(t *testing.T) {
	client := store(t)
	build := artifact.Build{
		Name: "s3://shop-dev/software/v1/shop-v1.tar.gz", Digest: artifact.Digest{SHA256: "abc"}, Repository: "https://github.com/acme/shop",
		Branch: "dev", Commit: "c0ffee", Command: "make", Package: ".", Builder: "b", Version: "v1", Execution: "e-1", Started: time.Unix(0, 0),
	}
	upload := func(b artifact.Build) error {
		text, err := artifact.Provenance(b)
		require.NoError(t, err)
		return artifact.UploadProvenance(t.Context(), client, "shop-dev", "p.json", text)
	}
	require.NoError(t, upload(build))
	again := build
	again.Execution, again.Version, again.Started, again.Finished = "e-2", "v2", time.Now(), time.Now()
	require.NoError(t, upload(again), "how a run went makes no other build")

	var conflict *artifact.ProvenanceError
	for name, change := range map[string]func(*artifact.Build){
		"commit":  func(b *artifact.Build) { b.Commit = "beef" },
		"command": func(b *artifact.Build) { b.Command = "make all" },
		"digest":  func(b *artifact.Build) { b.Digest.SHA256 = "def" },
	} {
		other := build
		change(&other)
		require.ErrorAs(t, upload(other), &conflict, name)
		assert.Contains(t, conflict.Error(), "commit c0ffee, sha256 abc; this build is of", name)
		assert.Contains(t, conflict.Hint(), "new tag")
	}
	var got bytes.Buffer
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("shop-dev"), Key: aws.String("p.json")})
	require.NoError(t, err)
	_, err = got.ReadFrom(object.Body)
	require.NoError(t, err)
	assert.Contains(t, got.String(), `"e-1"`, "the statement of the first run stays")

	for key, text := range map[string]string{"a": "{}", "b": "not JSON", "c": `{"_type": 1}`} {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("shop-dev"), Key: &key, Body: bytes.NewReader([]byte(text))})
		require.NoError(t, err)
		statement, err := artifact.Provenance(build)
		require.NoError(t, err)
		require.ErrorContains(t, artifact.UploadProvenance(t.Context(), client, "shop-dev", key, statement), "it is no provenance")
	}
}
