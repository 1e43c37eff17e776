package artifact

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// Store is what Upload and Fetch need of S3.
type Store interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Object is something to upload.
type Object struct {
	Bucket, Key, ContentType string
	Digest                   Digest
	// Body holds the bytes that Digest describes; it is read from its start.
	Body io.ReadSeeker
}

// ConflictError says that an object is already there with other bytes. Artifacts are never overwritten.
type ConflictError struct {
	URI string
	// Have is the SHA-256 of the object that is there, empty if it does not say; Want is the one of the refused upload.
	Have, Want string
}

// Error names the object and both digests.
func (e *ConflictError) Error() string {
	have := e.Have
	if have == "" {
		have = "unknown"
	}
	return fmt.Sprintf("uploading %s: an object with other content is there (sha256 %s, the new one has %s)", e.URI, have, e.Want)
}

// Hint says how this comes about.
func (e *ConflictError) Hint() string {
	return "an artifact is never overwritten: was the git tag moved, or does the build command give other bytes each time? " +
		"Make the build reproducible, or tag a new commit"
}

// metadataKey is the user metadata (x-amz-meta-…) in which an object says its digest.
const metadataKey = "sha256"

// maxPut is S3's limit for one PutObject.
const maxPut = 5 << 30

// Upload puts an object where none is (If-None-Match: *). An object that is there with the same digest is a success, with
// another a *ConflictError.
func Upload(ctx context.Context, store Store, object Object) error {
	uri := URI(object.Bucket, object.Key)
	if object.Digest.Size > maxPut {
		return fmt.Errorf("uploading %s: %d bytes are more than S3 takes at once (5 GiB); set package in .relay.yaml to what is needed", uri, object.Digest.Size)
	}
	raw, err := hex.DecodeString(object.Digest.SHA256)
	if err != nil {
		return fmt.Errorf("uploading %s: digest: %w", uri, err)
	}
	for try := 1; ; try++ {
		if _, err := object.Body.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("uploading %s: %w", uri, err)
		}
		_, err = store.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &object.Bucket, Key: &object.Key, Body: object.Body, ContentType: &object.ContentType,
			ContentLength: &object.Digest.Size, IfNoneMatch: aws.String("*"), Metadata: map[string]string{metadataKey: object.Digest.SHA256},
			// S3 refuses bytes that are not these, so the metadata is never a lie.
			ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(raw)),
		})
		var api smithy.APIError
		if err == nil || !errors.As(err, &api) {
			break
		}
		if api.ErrorCode() == "PreconditionFailed" {
			return same(ctx, store, object)
		}
		// Another upload of the key is under way; S3 says to try again (S3 User Guide, conditional writes).
		if api.ErrorCode() != "ConditionalRequestConflict" || try == 5 {
			break
		}
		select {
		case <-time.After(time.Duration(try) * time.Second):
		case <-ctx.Done():
			return fmt.Errorf("uploading %s: %w", uri, ctx.Err())
		}
	}
	if err != nil {
		return fmt.Errorf("uploading %s: %w", uri, err)
	}
	return nil
}

func same(ctx context.Context, store Store, object Object) error {
	uri := URI(object.Bucket, object.Key)
	head, err := store.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &object.Bucket, Key: &object.Key})
	if err != nil {
		return fmt.Errorf("uploading %s: it is there; reading its digest: %w", uri, err)
	}
	if have := head.Metadata[metadataKey]; have != object.Digest.SHA256 {
		return &ConflictError{URI: uri, Have: have, Want: object.Digest.SHA256}
	}
	return nil
}
