// Package statefiles reaches the files of Pulumi's self-managed backends without Pulumi: an S3 bucket or a directory. What lies in them
// is for packages statelock and outputs.
package statefiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Objects is the part of S3 that files need.
type Objects interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Files are a backend's. Their keys are paths below the backend's root, with slashes.
type Files interface {
	// List returns the keys of the JSON files in a directory; none when there is no such directory.
	List(ctx context.Context, dir string) ([]string, error)
	// Read returns fs.ErrNotExist for a file that is not there.
	Read(ctx context.Context, key string) ([]byte, error)
	// Remove takes a file away.
	Remove(ctx context.Context, key string) error
}

// Open returns the files of a backend, which is an s3:// or file:// URL, and nil for one that keeps its files to itself.
func Open(backend string, objects Objects) (Files, error) {
	parsed, err := url.Parse(backend)
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", backend, err)
	}
	switch parsed.Scheme {
	case "s3":
		return bucket{s3: objects, name: parsed.Host, prefix: strings.Trim(parsed.Path, "/")}, nil
	case "file":
		return directory(filepath.FromSlash(parsed.Path)), nil
	}
	return nil, nil
}

type directory string

func (d directory) List(_ context.Context, dir string) ([]string, error) {
	entries, err := os.ReadDir(d.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var keys []string
	for _, entry := range entries {
		// A backend of files writes each file's attributes beside it.
		if name := entry.Name(); strings.HasSuffix(name, ".json") {
			keys = append(keys, path.Join(dir, name))
		}
	}
	return keys, err
}

func (d directory) Read(_ context.Context, key string) ([]byte, error) {
	return os.ReadFile(d.path(key))
}

func (d directory) Remove(_ context.Context, key string) error { return os.Remove(d.path(key)) }

func (d directory) path(key string) string { return filepath.Join(string(d), filepath.FromSlash(key)) }

type bucket struct {
	s3           Objects
	name, prefix string
}

func (b bucket) List(ctx context.Context, dir string) ([]string, error) {
	prefix := b.key(dir) + "/"
	// A stack has one lock, or for a moment as many as there are runs that try to take it: never a second page.
	out, err := b.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, object := range out.Contents {
		keys = append(keys, path.Join(dir, strings.TrimPrefix(*object.Key, prefix)))
	}
	return keys, nil
}

func (b bucket) Read(ctx context.Context, key string) ([]byte, error) {
	key = b.key(key)
	out, err := b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

func (b bucket) Remove(ctx context.Context, key string) error {
	key = b.key(key)
	_, err := b.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	return err
}

func (b bucket) key(key string) string { return path.Join(b.prefix, key) }
