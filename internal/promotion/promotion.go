// Package promotion opens the pull request that brings what one environment has to the next one.
package promotion

import (
	"context"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/history"
)

// Hub is what a promotion needs of GitHub.
type Hub interface {
	history.Hub
	Between(ctx context.Context, repository, base, head string) (github.Comparison, error)
	OpenPull(ctx context.Context, p github.PullRequest) (github.Pull, error)
	Web(repository string) string
}

// Request is a promotion.
type Request struct {
	// Repository is the repository whose branch is promoted, Infrastructure the one that says what the upstream environment runs.
	Repository, Infrastructure string
	// From is the upstream environment, To the one after it.
	From, To string
}

// Result is what became of a promotion. One with nothing to do is a success.
type Result struct {
	Repository string `json:"repository"`
	// Commits is how many commits the pull request brings.
	Commits int `json:"commits"`
	// Pull is the pull request; nil when there is nothing to promote, and Reason says so.
	Pull   *github.Pull `json:"pullRequest,omitempty"`
	Reason string       `json:"reason,omitempty"`
}

// Open opens the pull request from the upstream branch into the environment's, or finds the one that is open. It is safe to repeat.
func Open(ctx context.Context, hub Hub, r Request) (Result, error) {
	news, err := hub.Between(ctx, r.Repository, r.To, r.From)
	if err != nil {
		return Result{}, err
	}
	switch news.Relation {
	case github.Unknown:
		return Result{}, fmt.Errorf("%s has no branches %s and %s with a common history; run pulumi up for both stacks first", r.Repository, r.From, r.To)
	case github.Identical, github.Behind:
		return Result{Repository: r.Repository, Reason: fmt.Sprintf("%s has all that %s has", r.To, r.From)}, nil
	}
	running, err := r.running(ctx, hub)
	if err != nil {
		return Result{}, err
	}
	pull, err := hub.OpenPull(ctx, github.PullRequest{
		Repository: r.Repository, Head: r.From, Base: r.To, Title: r.title(running), Body: r.body(hub, running, news),
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Repository: r.Repository, Commits: news.Total, Pull: &pull}, nil
}

// running is the release that the upstream environment's branch names; the zero Entry when it has none yet.
func (r Request) running(ctx context.Context, hub Hub) (history.Entry, error) {
	for entry, err := range history.Releases(ctx, hub, r.Infrastructure, r.From) {
		return entry, err
	}
	return history.Entry{}, nil
}

func (r Request) title(running history.Entry) string {
	title := fmt.Sprintf("Promote %s to %s", r.From, r.To)
	if running.Release.ArtifactTag != "" {
		title += ": " + running.Release.ArtifactTag
	}
	return title
}

// mostCommits is how many commits a body lists.
const mostCommits = 50

func (r Request) body(hub Hub, running history.Entry, news github.Comparison) string {
	var out strings.Builder
	if running.AMI == "" {
		fmt.Fprintf(&out, "%s has no release yet.\n\n", r.From)
	} else {
		fmt.Fprintf(&out, "%s is at %s since %s.\n\n", r.From, code(running.Name()), running.Time.Format("2006-01-02 15:04 UTC"))
	}
	fmt.Fprintf(&out, "| commits in %s that %s has not | |\n|---|---|\n", r.From, r.To)
	for i, c := range news.Commits {
		if i == mostCommits {
			break
		}
		subject, _, _ := strings.Cut(c.Message, "\n")
		fmt.Fprintf(&out, "| [`%.12s`](%s/commit/%s) | %s %s |\n", c.SHA, hub.Web(r.Repository), c.SHA, code(subject), code(c.Author))
	}
	if more := news.Total - min(mostCommits, len(news.Commits)); more > 0 {
		fmt.Fprintf(&out, "\nand %d more.\n", more)
	}
	return out.String()
}

// code shows text as it is, in a table of GitHub's Markdown: whoever wrote it mentions nobody and links nothing.
func code(text string) string {
	text = strings.NewReplacer("`", "'", "|", `\|`, "\r", " ").Replace(strings.TrimSpace(text))
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
