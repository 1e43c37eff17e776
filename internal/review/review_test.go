package review_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/review"
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

// forgetful loses the answer to one write, the one after a number of others; the client asks again.
type forgetful struct {
	*bucket
	others int
}

func (f *forgetful) PutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	in.Body = bytes.NewReader(content)
	out, err := f.bucket.PutObject(ctx, in, options...)
	if f.others--; f.others == -1 {
		in.Body = bytes.NewReader(content)
		return f.bucket.PutObject(ctx, in, options...)
	}
	return out, err
}

// TestALostAnswerIsNoOtherReview: what is there already as it should be has been written.
func TestALostAnswerIsNoOtherReview(t *testing.T) {
	made := newReview()
	for others := range len(made.Contents) + 1 {
		store := review.Store{Bucket: "b", S3: &forgetful{&bucket{objects: map[string][]byte{}}, others}}
		uri, digest, err := store.Save(t.Context(), made)
		require.NoError(t, err, "after %d writes", others)
		loaded, err := store.Load(t.Context(), uri, digest)
		require.NoError(t, err)
		assert.Equal(t, made.Contents, loaded.Contents)
	}
}

var when = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newReview() review.Review {
	contents := map[string][]byte{}
	for _, name := range []string{review.PlanFile, review.PreviewFile, review.PageFile, review.MarkdownFile, review.ReportFile, review.JUnitFile, review.SARIFFile} {
		contents[name] = []byte("the content of " + name)
	}
	return review.New(review.Manifest{
		Product: "shop", Environment: "dev", Commit: strings.Repeat("c", 40), Execution: "e-1", State: strings.Repeat("ab", 32),
		Relay: strings.Repeat("cd", 32), Pulumi: "3.255.0", Summary: "1 to create", Changes: 1, Created: when, Expires: when.Add(48 * time.Hour),
	}, contents)
}

func run(m review.Manifest) review.Run {
	return review.Run{
		Product: m.Product, Environment: m.Environment, Commit: m.Commit, Execution: m.Execution, Relay: m.Relay, Pulumi: m.Pulumi, Now: when.Add(47 * time.Hour),
	}
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	store := review.Store{S3: &bucket{objects: map[string][]byte{}}, Bucket: "b"}
	made := newReview()
	uri, digest, err := store.Save(t.Context(), made)
	require.NoError(t, err)
	assert.Equal(t, "s3://b/reviews/dev/"+made.Commit+"/e-1/", uri)
	loaded, err := store.Load(t.Context(), uri, digest)
	require.NoError(t, err)
	assert.Equal(t, made, loaded)
	assert.NoError(t, loaded.Check(run(loaded.Manifest)))
}

func TestAReviewOfSomethingElseIsRefused(t *testing.T) {
	m := newReview().Manifest
	for name, change := range map[string]func(r *review.Run){
		"product":                   func(r *review.Run) { r.Product = "other" },
		"environment":               func(r *review.Run) { r.Environment = "main" },
		"infrastructure commit":     func(r *review.Run) { r.Commit = strings.Repeat("d", 40) },
		"pipeline execution":        func(r *review.Run) { r.Execution = "e-2" },
		"relay binary":              func(r *review.Run) { r.Relay = strings.Repeat("ef", 32) },
		"version of the Pulumi CLI": func(r *review.Run) { r.Pulumi = "3.256.0" },
		"age of the review":         func(r *review.Run) { r.Now = m.Expires },
	} {
		t.Run(name, func(t *testing.T) {
			changed := run(m)
			change(&changed)
			err := m.Check(changed)
			var refusal *review.Refusal
			require.ErrorAs(t, fmt.Errorf("deploying: %w", err), &refusal)
			assert.Equal(t, name, refusal.What)
			assert.NotEmpty(t, refusal.Expected)
			assert.NotEmpty(t, refusal.Found)
			assert.NotEmpty(t, refusal.Hint())
			assert.NoError(t, m.Check(run(m)), "the same review passes when nothing is changed")
		})
	}
	everything := m.Check(review.Run{Now: m.Expires})
	assert.Equal(t, 7, strings.Count(everything.Error(), "refused: "), "all at once")
}

func TestARetriedReviewOverwritesNothing(t *testing.T) {
	b := &bucket{objects: map[string][]byte{}}
	store := review.Store{S3: b, Bucket: "b"}
	uris := map[string]string{}
	for range 3 {
		uri, digest, err := store.Save(t.Context(), newReview())
		require.NoError(t, err)
		require.NotContains(t, uris, uri)
		uris[uri] = digest
	}
	for uri, digest := range uris {
		_, err := store.Load(t.Context(), uri, digest)
		assert.NoError(t, err)
	}
}

func TestWhatWasChangedAfterItsReviewIsRefused(t *testing.T) {
	names := append([]string{review.ManifestFile}, slices.Sorted(maps.Keys(newReview().Contents))...)
	for _, file := range names {
		t.Run(file, func(t *testing.T) {
			b := &bucket{objects: map[string][]byte{}}
			store := review.Store{S3: b, Bucket: "b"}
			uri, digest, err := store.Save(t.Context(), newReview())
			require.NoError(t, err)
			key := strings.TrimPrefix(uri, "s3://b/") + file
			before := b.objects[key]
			b.objects[key] = append(bytes.Clone(before), ' ')
			_, err = store.Load(t.Context(), uri, digest)
			assert.ErrorContains(t, err, file)
			assert.True(t, review.Refused(err))
			b.objects[key] = before
			_, err = store.Load(t.Context(), uri, digest)
			assert.NoError(t, err, "with the tampering undone it is accepted")
			delete(b.objects, key)
			_, err = store.Load(t.Context(), uri, digest)
			assert.True(t, review.Refused(err))
		})
	}
	store := review.Store{S3: &bucket{objects: map[string][]byte{}}, Bucket: "b"}
	_, err := store.Load(t.Context(), "s3://elsewhere/reviews/", "")
	assert.ErrorContains(t, err, "expected a folder of s3://b/")
}

func TestAManifestThatBindsTooLittleIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(m *review.Manifest){
		"digest of state":     func(m *review.Manifest) { m.State = "" },
		"digest of relay":     func(m *review.Manifest) { m.Relay = "1.0" },
		"files of the review": func(m *review.Manifest) { delete(m.Files, review.PageFile) },
		"digest of plan.json": func(m *review.Manifest) { m.Files[review.PlanFile] = "none" },
	} {
		m := newReview().Manifest
		spoil(&m)
		text, err := m.Encode()
		require.NoError(t, err)
		_, err = review.ParseManifest(text, review.Digest(text))
		var refusal *review.Refusal
		require.ErrorAs(t, err, &refusal, name)
		assert.Equal(t, name, refusal.What)
	}
}

func FuzzParseManifest(f *testing.F) {
	whole, err := newReview().Encode()
	require.NoError(f, err)
	f.Add(whole)
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
