package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Reader is what Stored needs of S3.
type Reader interface {
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Stored returns the SHA-256 of an object, in hex: the checksum that S3 verified and keeps, where there is one of the whole object
// (Amazon S3 User Guide, "Checking object integrity"), else that of the downloaded bytes, of which none are kept.
func Stored(ctx context.Context, store Reader, uri string) (string, error) {
	bucket, key, err := ParseURI(uri)
	if err != nil {
		return "", err
	}
	head, err := store.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return "", fmt.Errorf("looking at %s: %w", uri, err)
	}
	if head.ChecksumType != types.ChecksumTypeComposite {
		if sum, err := base64.StdEncoding.DecodeString(aws.ToString(head.ChecksumSHA256)); err == nil && len(sum) == sha256.Size {
			return hex.EncodeToString(sum), nil
		}
	}
	out, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", fmt.Errorf("fetching %s: %w", uri, err)
	}
	defer out.Body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, out.Body); err != nil {
		return "", fmt.Errorf("fetching %s: %w", uri, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Missing says that there is no such object, or no such bucket. S3 answers a look at an object without a document, and so without more
// of a reason.
func Missing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{"NotFound", "NoSuchKey", "NoSuchBucket"}, api.ErrorCode())
}
