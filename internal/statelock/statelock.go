// Package statelock looks at the locks that Pulumi's self-managed backends keep beside a stack's state, and takes one away. It knows
// where they lie and what they say; whether an owner is gone is decided elsewhere.
package statelock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/tekpossible/ha-devops/internal/statefiles"
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

// Name says who holds the lock.
func (l Lock) Name() string { return fmt.Sprintf("%s@%s (process %d)", l.Username, l.Hostname, l.PID) }

// String says who holds the lock and since when.
func (l Lock) String() string {
	return fmt.Sprintf("%s since %s, for %s", l.Name(), l.Timestamp.UTC().Format(time.RFC3339), time.Since(l.Timestamp).Round(time.Second))
}

// Locks are those of one stack.
type Locks struct {
	files statefiles.Files
	dir   string
}

// Of returns the locks of a stack in a backend, which is an s3:// or file:// URL. Other backends keep theirs to themselves: they have
// none here, and Pulumi's own error is all that is known of them.
func Of(backend, project, stack string, objects statefiles.Objects) (Locks, error) {
	files, err := statefiles.Open(backend, objects)
	return Locks{files: files, dir: path.Join(".pulumi/locks/organization", project, stack)}, err
}

// List returns the locks that are there now, normally none or one.
func (l Locks) List(ctx context.Context) ([]Lock, error) {
	if l.files == nil {
		return nil, nil
	}
	keys, err := l.files.List(ctx, l.dir)
	if err != nil {
		return nil, fmt.Errorf("listing the locks in %s: %w", l.dir, err)
	}
	var locks []Lock
	for _, key := range keys {
		content, err := l.files.Read(ctx, key)
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
	if err := l.files.Remove(ctx, lock.Key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing lock %s: %w", lock.Key, err)
	}
	return nil
}
