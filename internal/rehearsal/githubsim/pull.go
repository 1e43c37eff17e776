package githubsim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// pull is a pull request between two branches of one repository.
type pull struct {
	number      int
	title, body string
	head, base  string
	author      Actor
	created     time.Time
	open        bool
	merged      time.Time // zero until merged
	mergeCommit string
	headCommit  string // of a pull request that is no longer open
	reviews     []review
	labels      []string
}

type review struct {
	by     Actor
	state  string // APPROVED, CHANGES_REQUESTED or COMMENTED
	commit string // the head that was reviewed
}

// status is the latest status of a commit in one context; app is the GitHub App that set it.
type status struct {
	state string
	app   int64
}

// latestReviews returns each reviewer's latest approval or request for changes; comments change neither.
func (p *pull) latestReviews() []review {
	var latest []review
	seen := map[string]bool{}
	for i := len(p.reviews) - 1; i >= 0; i-- {
		if rev := p.reviews[i]; rev.state != "COMMENTED" && !seen[rev.by.Login] {
			seen[rev.by.Login] = true
			latest = append(latest, rev)
		}
	}
	return latest
}

// find returns a pull request by its number.
func (r *repo) find(number int) (*pull, error) {
	if number < 1 || number > len(r.pulls) {
		return nil, fail(http.StatusNotFound, "Not Found")
	}
	return r.pulls[number-1], nil
}

// openPull opens a pull request.
func (r *repo) openPull(ctx context.Context, p pull) (*pull, error) {
	base, err := r.head(ctx, p.base)
	if NotFound(err) {
		return nil, invalid(Detail{Resource: "PullRequest", Field: "base", Code: "invalid"})
	}
	if err != nil {
		return nil, err
	}
	head, err := r.head(ctx, p.head)
	if NotFound(err) {
		return nil, invalid(Detail{Resource: "PullRequest", Field: "head", Code: "invalid"})
	}
	if err != nil {
		return nil, err
	}
	for _, other := range r.pulls {
		if other.open && other.head == p.head && other.base == p.base {
			return nil, invalid(Detail{
				Resource: "PullRequest", Code: "custom",
				Message: fmt.Sprintf("A pull request already exists for %s:%s.", r.owner, p.head),
			})
		}
	}
	if _, ahead, err := r.distance(ctx, base, head); err != nil {
		return nil, err
	} else if ahead == 0 {
		return nil, invalid(Detail{
			Resource: "PullRequest", Code: "custom", Message: fmt.Sprintf("No commits between %s and %s", p.base, p.head),
		})
	}
	p.number, p.created, p.open = len(r.pulls)+1, time.Now().UTC(), true
	r.pulls = append(r.pulls, &p)
	return &p, nil
}

// headOf returns the commit that a pull request would merge, or that it ended with.
func (r *repo) headOf(ctx context.Context, p *pull) (string, error) {
	if !p.open {
		return p.headCommit, nil
	}
	return r.head(ctx, p.head)
}

// mergeRequest is the body of the merge call.
type mergeRequest struct {
	Title   string `json:"commit_title"`
	Message string `json:"commit_message"`
	Method  string `json:"merge_method"`
	SHA     string `json:"sha"`
}

// merge merges a pull request, if the rulesets of its base let the actor, and returns the new commit.
func (r *repo) merge(ctx context.Context, p *pull, by Actor, m mergeRequest) (string, error) {
	if !p.open {
		return "", fail(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	if m.Method != "" && m.Method != "merge" && m.Method != "squash" {
		return "", fail(http.StatusNotImplemented, "githubsim: merge method %q is not simulated", m.Method)
	}
	head, err := r.head(ctx, p.head)
	if err != nil {
		return "", err
	}
	base, err := r.head(ctx, p.base)
	if err != nil {
		return "", err
	}
	if m.SHA != "" && m.SHA != head {
		return "", fail(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	}
	squash := m.Method == "squash"
	found, err := r.violations(ctx, attempt{
		actor: by, ref: "refs/heads/" + p.base, before: base, after: head, pull: p, mergeCommit: !squash,
	})
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return "", ruleViolations(http.StatusMethodNotAllowed, found)
	}
	tree, clean, err := r.mergeTree(ctx, base, head)
	if err != nil {
		return "", err
	}
	if !clean {
		return "", fail(http.StatusMethodNotAllowed, "Merge conflict")
	}
	after, err := r.commitMerge(ctx, p, by, m, tree, base, head)
	if err != nil {
		return "", err
	}
	if err := r.move(ctx, p.base, base, after, by); err != nil {
		if exited(err, 128) {
			return "", fail(http.StatusConflict, "Base branch was modified. Review and try the merge again.")
		}
		return "", err
	}
	p.open, p.merged, p.mergeCommit, p.headCommit = false, time.Now().UTC(), after, head
	return after, r.tidy(ctx, p.head, head)
}

// mergeTree merges two commits without a work tree; false when they conflict.
func (r *repo) mergeTree(ctx context.Context, base, head string) (tree string, clean bool, err error) {
	out, err := r.run(ctx, "", "merge-tree", "--write-tree", "--no-messages", "--name-only", base, head)
	if exited(err, 1) {
		return "", false, nil
	}
	return strings.TrimSpace(out), true, err
}

func (r *repo) commitMerge(
	ctx context.Context, p *pull, by Actor, m mergeRequest, tree, base, head string,
) (string, error) {
	title, body := fmt.Sprintf("Merge pull request #%d from %s/%s", p.number, r.owner, p.head), p.title
	args := []string{"commit-tree", tree, "-p", base, "-p", head, "-F", "-"}
	author := by.identity()
	if m.Method == "squash" {
		title, body = fmt.Sprintf("%s (#%d)", p.title, p.number), p.body
		args = []string{"commit-tree", tree, "-p", base, "-F", "-"}
		author = p.author.identity()
	}
	if m.Title != "" {
		title = m.Title
	}
	if m.Message != "" {
		body = m.Message
	}
	committer := by.identity()
	as := r.git
	as.env = slices.Concat(as.env, []string{
		"GIT_AUTHOR_NAME=" + author.Name, "GIT_AUTHOR_EMAIL=" + author.Email,
		"GIT_COMMITTER_NAME=" + committer.Name, "GIT_COMMITTER_EMAIL=" + committer.Email,
	})
	out, err := as.run(ctx, strings.TrimSpace(title+"\n\n"+body)+"\n", args...)
	return strings.TrimSpace(out), err
}

// tidy deletes the branch of a merged pull request where the repository's settings say so. As on GitHub, a ruleset against
// deletion keeps the branch, whoever merged.
func (r *repo) tidy(ctx context.Context, branch, commit string) error {
	if !r.settings.DeleteBranchOnMerge || branch == r.settings.DefaultBranch {
		return nil
	}
	for _, set := range r.rulesets {
		if set.Rules.Deletion && set.binds("refs/heads/"+branch, r.settings.DefaultBranch) {
			return nil
		}
	}
	return r.remove(ctx, branch, commit)
}

// distance counts the commits that only one of two commits reaches.
func (r *repo) distance(ctx context.Context, base, head string) (behind, ahead int, err error) {
	out, err := r.run(ctx, "", "rev-list", "--left-right", "--count", base+"..."+head)
	if err != nil {
		return 0, 0, err
	}
	if _, err := fmt.Sscan(out, &behind, &ahead); err != nil {
		return 0, 0, fmt.Errorf("git rev-list: reading %q: %w", out, err)
	}
	return behind, ahead, nil
}
