package handoff

import (
	"context"
	"errors"
	"strings"

	"github.com/tekpossible/ha-devops/internal/github"
)

// PullHub is what Land needs of GitHub.
type PullHub interface {
	Hub
	PutBranch(ctx context.Context, repository, branch, commit string) error
	OpenPull(ctx context.Context, p github.PullRequest) (github.Pull, error)
}

// HotfixLabel is the label with which a pull request into an environment passes the promotion check from any branch of the repository.
const HotfixLabel = "hotfix"

// Landing is where a person's commit goes.
type Landing struct {
	Repository, Branch string
	// By is the branch of the pull request, if it takes one. Only Land writes to it.
	By string
	// Ask makes it a pull request even where the commit could be made directly.
	Ask bool
}

// Landed is what became of a person's commit.
type Landed struct {
	Result
	// Pull is the pull request that brings the change once it is merged; nil when the branch has it already.
	Pull *github.Pull `json:"pullRequest,omitempty"`
}

// Land commits what decide says, see Commit. Where a ruleset lets only pull requests change the branch it opens one, or brings the one
// that is open up to date, and leaves one alone that says all that is to be said, because a new commit would dismiss its reviews. It is
// safe to repeat. The pull request is labelled: what Land brings comes from no environment upstream.
func Land(ctx context.Context, hub PullHub, l Landing, decide func(ctx context.Context, at github.Head) (Edit, error)) (Landed, error) {
	if !l.Ask {
		result, err := Commit(ctx, hub, l.Repository, l.Branch, decide)
		if !errors.Is(err, github.ErrProtected) {
			return Landed{Result: result}, err
		}
	}
	at, err := hub.ReadHead(ctx, l.Repository, l.Branch)
	if err != nil {
		return Landed{}, err
	}
	edit, err := decide(ctx, at)
	if err != nil || len(edit.Files) == 0 {
		return Landed{Result: Result{Reason: edit.Reason}}, err
	}
	commit, err := proposed(ctx, hub, l, at, decide)
	if err != nil {
		return Landed{}, err
	}
	if commit == "" {
		if commit, err = hub.MakeCommit(ctx, l.Repository, at, github.Edit{Files: edit.Files, Message: edit.Message}); err != nil {
			return Landed{}, err
		}
		if err := hub.PutBranch(ctx, l.Repository, l.By, commit); err != nil {
			return Landed{}, err
		}
	}
	title, body, _ := strings.Cut(edit.Message, "\n")
	pull, err := hub.OpenPull(ctx, github.PullRequest{
		Repository: l.Repository, Head: l.By, Base: l.Branch, Title: title, Body: strings.TrimSpace(body), Label: HotfixLabel,
	})
	if err != nil {
		return Landed{}, err
	}
	return Landed{Result: Result{Commit: commit, Changed: true}, Pull: &pull}, nil
}

// proposed returns the commit of a proposal that is on top of the branch and leaves nothing to add; empty when there is none.
func proposed(ctx context.Context, hub PullHub, l Landing, at github.Head, decide func(context.Context, github.Head) (Edit, error)) (string, error) {
	relation, err := hub.Compare(ctx, l.Repository, at.Commit, l.By)
	if err != nil || relation != github.Ahead {
		return "", err
	}
	head, err := hub.ReadHead(ctx, l.Repository, l.By)
	if err != nil {
		return "", err
	}
	rest, err := decide(ctx, head)
	if err != nil || len(rest.Files) > 0 {
		return "", err
	}
	return head.Commit, nil
}
