// Package handoff is one pipeline's commit into the next repository: a compare-and-swap on one file of one branch, that
// respects a hold, never moves a branch backwards and commits nothing that is already there. What the file says is decided by
// the caller; how GitHub is asked is for package github.
package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Files is what Do needs of GitHub.
type Files interface {
	ReadFile(ctx context.Context, repository, ref, path string) (github.File, error)
	WriteFile(ctx context.Context, w github.Write) (string, error)
}

// Change is what is handed off.
type Change struct {
	// Repository and Branch receive the commit, Path is the file it changes.
	Repository, Branch, Path string
	// Decide says what the file shall become. It is called again with what is then there after every lost race.
	Decide func(ctx context.Context, current github.File) (Decision, error)
}

// Decision is what to make of the file as it is.
type Decision struct {
	// Content is the file's new content; nil: nothing is to be done.
	Content []byte
	// Message is the commit's message.
	Message string
	// Reason says, in a few words, why nothing is to be done.
	Reason string
}

// Result is what became of a hand-off. Both outcomes are a success.
type Result struct {
	// Commit is the SHA-1 of the commit, empty when there was nothing to do.
	Commit string `json:"commit"`
	// Changed says whether there is a commit.
	Changed bool `json:"changed"`
	// Reason says why there is none.
	Reason string `json:"reason,omitempty"`
}

// HeldError says that people hold the branch: its file hold refuses hand-offs.
type HeldError struct{ Repository, Branch, Text string }

// Error gives the text of the file hold on one line.
func (e *HeldError) Error() string {
	text := strings.Join(strings.Fields(e.Text), " ")
	if text == "" {
		text = "no reason given"
	}
	return fmt.Sprintf("%s at %s is held: %.300s", e.Repository, e.Branch, text)
}

// Hint says how to go on.
func (e *HeldError) Hint() string {
	return fmt.Sprintf("when the reason is gone, remove the file %s from branch %s of %s and run the pipeline again", release.HoldFile, e.Branch, e.Repository)
}

const (
	// patience is how long lost races are run again.
	patience   = 5 * time.Minute
	firstPause = 100 * time.Millisecond
	mostPause  = 10 * time.Second
)

// Do reads, decides and writes until nothing came between. Its error is a *HeldError when the branch is held, and wraps
// github.ErrConflict or ErrUnsettled when the branch did not come to rest in time; running again is safe then.
func Do(ctx context.Context, files Files, change Change) (Result, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, mostPause
	result, err := backoff.Retry(ctx, func() (Result, error) {
		result, err := attempt(ctx, files, change)
		// After a write without an answer, reading again shows whether it was carried out.
		if err != nil && !errors.Is(err, github.ErrConflict) && !errors.Is(err, github.ErrUnsettled) {
			err = backoff.Permanent(err)
		}
		return result, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(patience))
	if err != nil {
		return Result{}, fmt.Errorf("handing off %s: %w", change.Path, err)
	}
	return result, nil
}

func attempt(ctx context.Context, files Files, change Change) (Result, error) {
	hold, err := files.ReadFile(ctx, change.Repository, change.Branch, release.HoldFile)
	if err != nil {
		return Result{}, err
	}
	if hold.Exists {
		return Result{}, &HeldError{Repository: change.Repository, Branch: change.Branch, Text: string(hold.Content)}
	}
	current, err := files.ReadFile(ctx, change.Repository, change.Branch, change.Path)
	if err != nil {
		return Result{}, err
	}
	decision, err := change.Decide(ctx, current)
	if err != nil {
		return Result{}, err
	}
	if decision.Content == nil {
		return Result{Reason: decision.Reason}, nil
	}
	if current.Exists && bytes.Equal(decision.Content, current.Content) {
		return Result{Reason: "it is already there"}, nil
	}
	commit, err := files.WriteFile(ctx, github.Write{
		Repository: change.Repository, Branch: change.Branch, Path: change.Path,
		Content: decision.Content, Message: decision.Message, SHA: current.SHA,
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Commit: commit, Changed: true}, nil
}
