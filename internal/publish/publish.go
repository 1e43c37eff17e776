// Package publish puts the programs that pipelines run on S3, each under its digest: relay, the Pulumi CLI and the provider plugins. What
// is there already is left alone. Which file is which, and where the result is pinned, is the caller's.
package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

// Platform is what CodeBuild's builds run on.
const Platform = "linux-amd64"

// Kind is what a file is.
type Kind struct {
	// Folder is where it lies in the bucket, as "relay".
	Folder string
	// check says whether the file is one.
	check func(io.Reader) error
}

// The kinds. A plugin's is made by Plugin.
var (
	Relay  = Kind{"relay", program}
	Pulumi = Kind{"pulumi", program}
)

// Published is a file on S3, as the configuration pins it.
type Published struct {
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	// Uploaded is false when it was there already.
	Uploaded bool `json:"uploaded"`
}

// InvalidError is a file that is not what it is published as.
type InvalidError struct {
	File string
	Err  error
}

// Error names the file.
func (e *InvalidError) Error() string { return e.File + ": " + e.Err.Error() }

// Unwrap is what is wrong with it.
func (e *InvalidError) Unwrap() error { return e.Err }

// TamperedError says that other content lies under a digest.
type TamperedError struct{ URI, Have string }

// Error names the object and what it is.
func (e *TamperedError) Error() string {
	return fmt.Sprintf("%s holds other content than its name says (sha256 %s)", e.URI, e.Have)
}

// Hint says what to suspect.
func (e *TamperedError) Hint() string {
	return "find out who wrote it, and let nobody but the platform team write to the bucket; then delete the object and publish again"
}

// Put uploads a file to <folder>/linux-amd64/<SHA-256> in a bucket, read in pieces. Content that is there already is not uploaded again;
// other content under the digest is a *TamperedError, a file of another kind an *InvalidError.
func Put(ctx context.Context, store artifact.Store, bucket string, kind Kind, path string) (Published, error) {
	file, err := os.Open(path)
	if err != nil {
		return Published{}, &InvalidError{path, errors.Unwrap(err)}
	}
	defer file.Close()
	if err := kind.check(file); err != nil {
		return Published{}, &InvalidError{path, err}
	}
	digest, err := digestOf(file)
	if err != nil {
		return Published{}, fmt.Errorf("reading %s: %w", path, err)
	}
	key := kind.Folder + "/" + Platform + "/" + digest.SHA256
	published := Published{URI: artifact.URI(bucket, key), SHA256: digest.SHA256}
	// Nothing of 100 MB is sent only to be refused.
	if there, err := isThere(ctx, store, published); err != nil || there {
		return published, err
	}
	err = artifact.Upload(ctx, store, artifact.Object{
		Bucket: bucket, Key: key, ContentType: "application/octet-stream", Digest: digest, Body: file,
	})
	var conflict *artifact.ConflictError
	if errors.As(err, &conflict) { // somebody else was faster
		_, err = isThere(ctx, store, published)
		return published, err
	}
	published.Uploaded = true
	return published, err
}

func isThere(ctx context.Context, store artifact.Store, p Published) (bool, error) {
	have, err := artifact.Stored(ctx, store, p.URI)
	switch {
	case artifact.Missing(err):
		return false, nil
	case err != nil:
		return false, err
	case have != p.SHA256:
		return false, &TamperedError{p.URI, have}
	}
	return true, nil
}

func digestOf(file *os.File) (artifact.Digest, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return artifact.Digest{}, err
	}
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	return artifact.Digest{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size}, err
}
