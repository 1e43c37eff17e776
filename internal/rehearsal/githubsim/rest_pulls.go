package githubsim

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func createPull(c *call) (int, any, error) {
	var in struct{ Title, Body, Head, Base string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Title == "" {
		return 0, nil, invalid(Detail{Resource: "PullRequest", Field: "title", Code: "missing_field"})
	}
	var p *pull
	err := c.repo.change(c.Context(), func(ctx context.Context) (err error) {
		p, err = c.repo.openPull(ctx, pull{
			title: in.Title, body: in.Body, author: c.actor, base: in.Base,
			head: strings.TrimPrefix(in.Head, c.repo.owner+":"),
		})
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	return c.answerPull(http.StatusCreated, p)
}

func listPulls(c *call) (int, any, error) {
	state, head, base := c.FormValue("state"), c.FormValue("head"), c.FormValue("base")
	c.repo.mu.Lock()
	pulls := slices.Clone(c.repo.pulls)
	c.repo.mu.Unlock()
	slices.Reverse(pulls) // newest first
	out := []object{}
	for _, p := range pulls {
		view, err := c.pull(p)
		if err != nil {
			return 0, nil, err
		}
		switch {
		case state != "all" && view["state"] != cmp.Or(state, "open"):
		case head != "" && head != c.repo.owner+":"+p.head:
		case base != "" && base != p.base:
		default:
			out = append(out, view)
		}
	}
	return http.StatusOK, out, nil
}

func getPull(c *call) (int, any, error) {
	p, err := c.find()
	if err != nil {
		return 0, nil, err
	}
	return c.answerPull(http.StatusOK, p)
}

// answerPull adds to a pull request what only the call about that one shows: whether it could be merged.
func (c *call) answerPull(status int, p *pull) (int, any, error) {
	view, err := c.pull(p)
	if err != nil || view["state"] != "open" {
		return status, view, err
	}
	c.repo.mu.Lock()
	defer c.repo.mu.Unlock()
	mergeable, state, err := c.repo.mergeable(c.Context(), p, c.actor)
	view["mergeable"], view["mergeable_state"] = mergeable, state
	return status, view, err
}

// mergeable says whether an open pull request has no conflicts, and GitHub's word for what keeps it from being merged.
func (r *repo) mergeable(ctx context.Context, p *pull, by Actor) (bool, string, error) {
	base, err := r.head(ctx, p.base)
	if err != nil {
		return false, "", err
	}
	head, err := r.headOf(ctx, p)
	if err != nil {
		return false, "", err
	}
	_, clean, err := r.mergeTree(ctx, base, head)
	if err != nil || !clean {
		return false, "dirty", err
	}
	found, err := r.violations(ctx, attempt{actor: by, ref: "refs/heads/" + p.base, before: base, after: head, pull: p})
	if len(found) > 0 {
		return true, "blocked", err
	}
	return true, "clean", err
}

// find returns the pull request of the call.
func (c *call) find() (*pull, error) {
	number, _ := strconv.Atoi(c.PathValue("number")) // what is no number is 0, which no pull request has
	c.repo.mu.Lock()
	defer c.repo.mu.Unlock()
	return c.repo.find(number)
}

func (c *call) pull(p *pull) (object, error) {
	repository := c.repository()
	c.repo.mu.Lock()
	defer c.repo.mu.Unlock()
	head, err := c.repo.headOf(c.Context(), p)
	if err != nil {
		return nil, err
	}
	base, err := c.repo.head(c.Context(), p.base)
	if err != nil && !NotFound(err) {
		return nil, err
	}
	side := func(branch, sha string) object {
		return object{"ref": branch, "sha": sha, "label": c.repo.owner + ":" + branch, "repo": repository}
	}
	view := object{
		"number": p.number, "state": "closed", "title": p.title, "body": p.body, "user": object{"login": p.author.Login},
		"head": side(p.head, head), "base": side(p.base, base), "created_at": p.created, "draft": false,
		"html_url": repository["html_url"].(string) + "/pull/" + strconv.Itoa(p.number), "merged": !p.merged.IsZero(),
		"labels": p.labelled(),
	}
	if p.open {
		view["state"] = "open"
	}
	if !p.merged.IsZero() {
		view["merged_at"], view["merge_commit_sha"] = p.merged, p.mergeCommit
	}
	return view, nil
}

func createReview(c *call) (int, any, error) {
	var in struct{ Event, Body string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	state, ok := map[string]string{
		"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED",
	}[in.Event]
	if !ok {
		return 0, nil, invalid(Detail{Resource: "PullRequestReview", Field: "event", Code: "invalid"})
	}
	p, err := c.find()
	if err != nil {
		return 0, nil, err
	}
	var answer object
	err = c.repo.change(c.Context(), func(ctx context.Context) error {
		if p.author.Login == c.actor.Login && state != "COMMENTED" {
			verb := map[string]string{"APPROVED": "approve", "CHANGES_REQUESTED": "request changes on"}[state]
			return &Error{
				Status: http.StatusUnprocessableEntity, Message: "Unprocessable Entity",
				Details: []Detail{{Message: "Can not " + verb + " your own pull request"}},
			}
		}
		head, err := c.repo.headOf(ctx, p)
		if err != nil {
			return err
		}
		now := time.Now().UTC()
		p.reviews = append(p.reviews, review{by: c.actor, state: state, commit: head})
		answer = object{
			"id": len(p.reviews), "state": state, "user": object{"login": c.actor.Login}, "body": in.Body,
			"commit_id": head, "submitted_at": now,
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func mergePull(c *call) (int, any, error) {
	var in mergeRequest
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.find()
	if err != nil {
		return 0, nil, err
	}
	var sha string
	err = c.repo.change(c.Context(), func(ctx context.Context) (err error) {
		sha, err = c.repo.merge(ctx, p, c.actor, in)
		return err
	})
	return http.StatusOK, object{"sha": sha, "merged": true, "message": "Pull Request successfully merged"}, err
}

// addLabels adds labels to a pull request, given as a plain list. GitHub makes a label that the repository does not have.
func addLabels(c *call) (int, any, error) {
	var in []string
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	p, err := c.find()
	if err != nil {
		return 0, nil, err
	}
	var labels []object
	err = c.repo.change(c.Context(), func(context.Context) error {
		for _, label := range in {
			if !slices.Contains(p.labels, label) {
				p.labels = append(p.labels, label)
			}
		}
		labels = p.labelled()
		return nil
	})
	return http.StatusOK, labels, err
}

func (p *pull) labelled() []object {
	labels := []object{}
	for _, name := range p.labels {
		labels = append(labels, object{"name": name})
	}
	return labels
}
