// Package statelock looks at the locks that Pulumi's self-managed backends keep beside a stack's state, and takes one away. It knows
// where they lie and what they say; whether an owner is gone is decided elsewhere.
package statelock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Lock is one lock, as Pulumi writes it (pulumi/pulumi, pkg/backend/diy/lock.go).
type Lock struct {
	// Key is where it lies in the backend.
	Key string `json:"-"`
	// PID, Username and Hostname say which process took it, Timestamp when.
	PID       int       `json:"pid"`
	Username  string    `json:"username"`
	Hostname  string    `json:"hostname"`
	Timestamp time.Time `json:"timestamp"`
}

// String says who holds the lock and since when.
func (l Lock) String() string {
	return fmt.Sprintf("%s@%s (process %d) since %s, for %s", l.Username, l.Hostname, l.PID, l.Timestamp.UTC().Format(time.RFC3339),
		time.Since(l.Timestamp).Round(time.Second))
}

// Objects is the part of S3 that locks need.
type Objects interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

// Locks are those of one stack.
type Locks struct {
	files files
	dir   string
}

// files is what the two kinds of backend have in common.
type files interface {
	list(ctx context.Context, dir string) ([]string, error)
	// read returns fs.ErrNotExist for a file that is gone.
	read(ctx context.Context, key string) ([]byte, error)
	remove(ctx context.Context, key string) error
}

// Of returns the locks of a stack in a backend, which is an s3:// or file:// URL. Other backends keep theirs to themselves: they have
// none here, and Pulumi's own error is all that is known of them.
func Of(backend, project, stack string, objects Objects) (Locks, error) {
	parsed, err := url.Parse(backend)
	if err != nil {
		return Locks{}, fmt.Errorf("backend %q: %w", backend, err)
	}
	l := Locks{dir: path.Join(".pulumi/locks/organization", project, stack)}
	switch parsed.Scheme {
	case "s3":
		l.files = bucket{s3: objects, name: parsed.Host, prefix: strings.Trim(parsed.Path, "/")}
	case "file":
		l.files = directory(filepath.FromSlash(parsed.Path))
	}
	return l, nil
}

// List returns the locks that are there now, normally none or one.
func (l Locks) List(ctx context.Context) ([]Lock, error) {
	if l.files == nil {
		return nil, nil
	}
	keys, err := l.files.list(ctx, l.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the locks in %s: %w", l.dir, err)
	}
	var locks []Lock
	for _, key := range keys {
		content, err := l.files.read(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // let go meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("reading lock %s: %w", key, err)
		}
		lock := Lock{Key: key}
		if err := json.Unmarshal(content, &lock); err != nil {
			return nil, fmt.Errorf("reading lock %s: %w", key, err)
		}
		locks = append(locks, lock)
	}
	return locks, nil
}

// Remove takes a lock away. One that is gone already is no error.
func (l Locks) Remove(ctx context.Context, lock Lock) error {
	if err := l.files.remove(ctx, lock.Key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing lock %s: %w", lock.Key, err)
	}
	return nil
}

type directory string

func (d directory) list(_ context.Context, dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(string(d), filepath.FromSlash(dir)))
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

func (d directory) read(_ context.Context, key string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(d), filepath.FromSlash(key)))
}

func (d directory) remove(_ context.Context, key string) error {
	return os.Remove(filepath.Join(string(d), filepath.FromSlash(key)))
}

type bucket struct {
	s3           Objects
	name, prefix string
}

func (b bucket) list(ctx context.Context, dir string) ([]string, error) {
	prefix := path.Join(b.prefix, dir) + "/"
	// A stack has one lock, or for a moment as many as there are runs that try to take it: never a second page.
	out, err := b.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, object := range out.Contents {
		keys = append(keys, *object.Key)
	}
	return keys, nil
}

func (b bucket) read(ctx context.Context, key string) ([]byte, error) {
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

func (b bucket) remove(ctx context.Context, key string) error {
	_, err := b.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	return err
}
