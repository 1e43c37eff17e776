package review_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/stack"
)

// bucket is a bucket that honours If-None-Match.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (b *bucket) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, exists := b.objects[*in.Key]; exists && in.IfNoneMatch != nil {
		return nil, &smithy.GenericAPIError{Code: "PreconditionFailed", Message: "exists"}
	}
	content, err := io.ReadAll(in.Body)
	b.objects[*in.Key] = content
	return &s3.PutObjectOutput{}, err
}

func (b *bucket) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	content, exists := b.objects[*in.Key]
	if !exists {
		return nil, &types.NoSuchKey{}
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(bytes.NewReader(content))}, nil
}

func newReview(t *testing.T, changes ...stack.Change) review.Review {
	t.Helper()
	r, err := review.New(review.Manifest{
		Product: "shop", Environment: "dev", Commit: strings.Repeat("c", 40), Execution: "e-1", State: strings.Repeat("ab", 32),
		Release: "v1.0.0 ami-1", Changes: changes,
	}, []byte(`{"plan": true}`))
	require.NoError(t, err)
	return r
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	store := review.Store{S3: &bucket{objects: map[string][]byte{}}, Bucket: "b"}
	made := newReview(t, stack.Change{Op: "create", Name: "app", Type: "aws:x"})
	uri, digest, err := store.Save(t.Context(), made)
	require.NoError(t, err)
	assert.Equal(t, "s3://b/reviews/dev/"+made.Commit+"/e-1/", uri)
	m, plan, err := store.Load(t.Context(), uri, digest)
	require.NoError(t, err)
	assert.Equal(t, `{"plan": true}`, string(plan))
	assert.Equal(t, "1 to create", m.Summary)
	assert.Equal(t, made.State, m.State)
}

func TestARetriedReviewOverwritesNothing(t *testing.T) {
	b := &bucket{objects: map[string][]byte{}}
	store := review.Store{S3: b, Bucket: "b"}
	uris := map[string]string{}
	for range 3 {
		uri, digest, err := store.Save(t.Context(), newReview(t))
		require.NoError(t, err)
		require.NotContains(t, uris, uri)
		uris[uri] = digest
	}
	for uri, digest := range uris {
		_, _, err := store.Load(t.Context(), uri, digest)
		assert.NoError(t, err)
	}
}

func TestWhatWasChangedAfterItsReviewIsRefused(t *testing.T) {
	for _, file := range []string{review.ManifestFile, review.PlanFile} {
		t.Run(file, func(t *testing.T) {
			b := &bucket{objects: map[string][]byte{}}
			store := review.Store{S3: b, Bucket: "b"}
			uri, digest, err := store.Save(t.Context(), newReview(t))
			require.NoError(t, err)
			key := strings.TrimPrefix(uri, "s3://b/") + file
			before := b.objects[key]
			b.objects[key] = append(bytes.Clone(before), ' ')
			_, _, err = store.Load(t.Context(), uri, digest)
			assert.ErrorContains(t, err, file)
			assert.ErrorContains(t, err, "was approved, found")
			b.objects[key] = before
			_, _, err = store.Load(t.Context(), uri, digest)
			assert.NoError(t, err, "with the tampering undone it is accepted")
			delete(b.objects, key)
			_, _, err = store.Load(t.Context(), uri, digest)
			assert.Error(t, err)
		})
	}
	store := review.Store{S3: &bucket{objects: map[string][]byte{}}, Bucket: "b"}
	_, _, err := store.Load(t.Context(), "s3://elsewhere/reviews/", "")
	assert.ErrorContains(t, err, "expected a folder of s3://b/")
}

func TestReportsAreEscaped(t *testing.T) {
	evil := `<script>alert("x")</script>`
	r := newReview(t, stack.Change{Op: "update", Name: evil, Type: "`" + evil, Properties: []string{evil + "|"}})
	assert.NotContains(t, string(r.Contents[review.PageFile]), "<script>")
	for line := range strings.Lines(string(r.Contents[review.MarkdownFile])) {
		if strings.Contains(line, "<script>") {
			assert.Equal(t, 6, strings.Count(line, "`"), "each stands in a code span of its own: %s", line)
		}
	}
	assert.Contains(t, string(newReview(t).Contents[review.PageFile]), "Nothing changes")
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(`{"state": %q, "files": {"plan.json": %q}}`, strings.Repeat("ab", 32), strings.Repeat("cd", 32))))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := review.ParseManifest(content, review.Digest(content))
		if err == nil {
			require.Len(t, m.State, 64)
		}
		_, err = review.ParseManifest(content, review.Digest(append(content, 'x')))
		require.Error(t, err)
	})
}
