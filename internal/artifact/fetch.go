package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// DigestError says that downloaded bytes are not the ones that were asked for.
type DigestError struct{ URI, Have, Want string }

// Error names the object and both digests.
func (e *DigestError) Error() string {
	return fmt.Sprintf("fetching %s: sha256 is %s, expected %s", e.URI, e.Have, e.Want)
}

// Hint says what to suspect.
func (e *DigestError) Hint() string {
	return "somebody changed the object after it was handed off; compare it with its provenance, then build again under a new tag"
}

// Fetch downloads an object and checks its digest; only after a nil error may what w got be used. Other bytes than the
// expected ones are a *DigestError.
func Fetch(ctx context.Context, store Store, uri, want string, w io.Writer) error {
	bucket, key, err := ParseURI(uri)
	if err != nil {
		return err
	}
	out, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("fetching %s: %w", uri, err)
	}
	defer out.Body.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, hash), out.Body); err != nil {
		return fmt.Errorf("fetching %s: %w", uri, err)
	}
	if have := hex.EncodeToString(hash.Sum(nil)); have != want {
		return &DigestError{URI: uri, Have: have, Want: want}
	}
	return nil
}
