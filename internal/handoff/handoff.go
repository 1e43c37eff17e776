// Package handoff is one pipeline's commit into the next repository: a compare-and-swap on one branch, that respects a hold, never
// moves a branch backwards and commits nothing that is already there. What a file says is decided by the caller; how GitHub is asked
// is for package github.
//
// The precondition is the branch's commit: everything is read at that commit, the new commit is made on top of it, and the branch
// moves only forward to it (Git database API). The blob of the one file, which the Contents API takes as a precondition, would be
// one call instead of three, and too little: a hold that comes after it was looked for would not be seen, and a branch that went from
// A to B and back to A looks as if nobody had been there, although what B stood for (a rollback, an AMI that is used again for a later
// commit) must be decided on anew. It also makes a hold and what it protects one commit, and tells a run whose answer was lost whether
// its commit is there. The price is that a commit to any file of the branch is a lost race, which costs another round.
package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/retry"
)

// Hub is what hand-offs need of GitHub.
type Hub interface {
	History
	ReadHead(ctx context.Context, repository, branch string) (github.Head, error)
	ReadFile(ctx context.Context, repository, ref, path string) (github.File, error)
	MakeCommit(ctx context.Context, repository string, on github.Head, edit github.Edit) (string, error)
	Advance(ctx context.Context, repository, branch, commit string) error
}

// Change is what is handed off.
type Change struct {
	// Repository and Branch receive the commit, Path is the file it changes.
	Repository, Branch, Path string
	// Decide says what the file shall become. It is called again with what is then there after every lost race.
	Decide func(ctx context.Context, current Current) (Decision, error)
}

// Current is the file as it is.
type Current struct {
	github.File
	// At is the branch's commit that the file was read at. What else is decided by must be read at it too.
	At string
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

// Do reads, decides and commits until nothing came between. Its error is a *HeldError when the branch is held, and wraps
// github.ErrConflict or ErrUnsettled when the branch did not come to rest in time; running again is safe then.
func Do(ctx context.Context, hub Hub, change Change) (Result, error) {
	result, err := Commit(ctx, hub, change.Repository, change.Branch, func(ctx context.Context, at github.Head) (Edit, error) {
		hold, err := hub.ReadFile(ctx, change.Repository, at.Commit, release.HoldFile)
		if err != nil {
			return Edit{}, err
		}
		if hold.Exists {
			return Edit{}, &HeldError{Repository: change.Repository, Branch: change.Branch, Text: string(hold.Content)}
		}
		current, err := hub.ReadFile(ctx, change.Repository, at.Commit, change.Path)
		if err != nil {
			return Edit{}, err
		}
		decision, err := change.Decide(ctx, Current{File: current, At: at.Commit})
		switch {
		case err != nil:
			return Edit{}, err
		case decision.Content == nil:
			return Edit{Reason: decision.Reason}, nil
		case current.Exists && bytes.Equal(decision.Content, current.Content):
			return Edit{Reason: "it is already there"}, nil
		}
		return Edit{Files: map[string][]byte{change.Path: decision.Content}, Message: decision.Message}, nil
	})
	if err != nil {
		return Result{}, fmt.Errorf("handing off %s: %w", change.Path, err)
	}
	return result, nil
}

// Edit is what to commit: the new content of each file by its path, nil for a file that goes. Without files nothing is committed, and
// Reason says why.
type Edit struct {
	Files           map[string][]byte
	Message, Reason string
}

// Commit is the compare-and-swap under Do, for commits that a hold does not refuse: decide says what to commit on top of what the
// branch is at, and is asked again after every lost race. Its errors are those of Do, without the hold.
func Commit(ctx context.Context, hub Hub, repository, branch string, decide func(ctx context.Context, at github.Head) (Edit, error)) (Result, error) {
	made := "" // by a try that got no answer
	return retry.Do(ctx, retry.Race(), func(ctx context.Context) (Result, error) {
		at, err := hub.ReadHead(ctx, repository, branch)
		if err != nil {
			return Result{}, err
		}
		if made != "" {
			landed, err := contains(ctx, hub, repository, at.Commit, made)
			if err != nil {
				return Result{}, err
			}
			if landed {
				return Result{Commit: made, Changed: true}, nil
			}
		}
		edit, err := decide(ctx, at)
		if err != nil {
			return Result{}, err
		}
		if len(edit.Files) == 0 {
			return Result{Reason: edit.Reason}, nil
		}
		commit, err := hub.MakeCommit(ctx, repository, at, github.Edit{Files: edit.Files, Message: edit.Message})
		if err != nil {
			return Result{}, err
		}
		err = hub.Advance(ctx, repository, branch, commit)
		switch {
		case errors.Is(err, github.ErrUnsettled):
			made = commit
			return Result{}, retry.Again(err)
		case errors.Is(err, github.ErrConflict):
			return Result{}, retry.Again(err)
		case err != nil:
			return Result{}, err
		}
		return Result{Commit: commit, Changed: true}, nil
	})
}

// contains says whether a commit is a branch's head, or lies below it.
func contains(ctx context.Context, history History, repository, head, commit string) (bool, error) {
	if head == commit {
		return true, nil
	}
	relation, err := history.Compare(ctx, repository, commit, head)
	return relation == github.Ahead, err
}
