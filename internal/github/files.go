package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v74/github"
)

// File is a file at one commit.
type File struct {
	// Exists is false when the branch has no such file; the other fields are then empty.
	Exists  bool
	Content []byte
	// SHA is the file's blob SHA, the precondition of a write.
	SHA string
}

// ReadFile reads a file of at most 1 MiB at a branch, tag or commit. A repository or ref that does not exist looks like a
// missing file to GitHub, and so here.
func (c *Client) ReadFile(ctx context.Context, repository, ref, path string) (File, error) {
	file, err := read(ctx, c, func() (File, *github.Response, error) {
		content, _, response, err := c.api.Repositories.GetContents(ctx, c.owner, repository, path, &github.RepositoryContentGetOptions{Ref: ref})
		if status(response) == http.StatusNotFound {
			return File{}, response, nil
		}
		if err != nil {
			return File{}, response, explained(response, err)
		}
		if content == nil {
			return File{}, response, errors.New("is a directory; expected a file")
		}
		text, err := content.GetContent()
		return File{Exists: true, Content: []byte(text), SHA: content.GetSHA()}, response, err
	})
	if err != nil {
		return File{}, fmt.Errorf("reading %s of %s/%s at %s: %w", path, c.owner, repository, ref, err)
	}
	return file, nil
}

// Write is one commit that changes one file of one branch.
type Write struct {
	Repository, Branch, Path string
	Content                  []byte
	// Message is the commit's message.
	Message string
	// SHA is the blob SHA that was read, empty when there was no file: the write happens only if that is still so.
	SHA string
}

// WriteFile makes the commit and returns its SHA. It asks once: its errors are ErrConflict when the file or branch moved,
// ErrUnsettled when no answer came, and anything else when GitHub refused, such as by a ruleset.
func (c *Client) WriteFile(ctx context.Context, w Write) (string, error) {
	options := &github.RepositoryContentFileOptions{Message: &w.Message, Content: w.Content, Branch: &w.Branch}
	if w.SHA != "" {
		options.SHA = &w.SHA
	}
	// PUT for both: without a SHA it creates, and answers 422 when the file has come to be meanwhile.
	out, response, err := c.api.Repositories.CreateFile(ctx, c.owner, w.Repository, w.Path, options)
	if err != nil {
		return "", fmt.Errorf("writing %s of %s/%s at %s: %w", w.Path, c.owner, w.Repository, w.Branch, classified(response, err))
	}
	return out.GetSHA(), nil
}

// classified tells a lost race from a refusal. GitHub's answers to a lost race are 409 ("… does not match …", "is at … but
// expected …") and 422 (`"sha" wasn't supplied`); a ruleset's refusal comes with the same codes and "Repository rule
// violations found".
func classified(response *github.Response, err error) error {
	var answer *github.ErrorResponse
	errors.As(err, &answer)
	rule := answer != nil && strings.Contains(answer.Message, "rule violations")
	switch {
	case rule:
		return fmt.Errorf("%w; only pull requests may change this branch: let the pipelines' GitHub App bypass its ruleset", err)
	case status(response) == http.StatusConflict,
		status(response) == http.StatusUnprocessableEntity && answer != nil && strings.Contains(answer.Message, `"sha" wasn't supplied`):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case passing(response, err):
		return fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return explained(response, err)
}
