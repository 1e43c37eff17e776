package githubsim

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
)

// CreateBranch creates a branch at a branch, a tag or a commit and returns the commit. Rulesets do not apply: this is the
// platform team's own hand.
func (s *Server) CreateBranch(ctx context.Context, repository, branch, at string) (string, error) {
	r, err := s.repository(repository)
	if err != nil {
		return "", err
	}
	var commit string
	err = r.change(ctx, func(ctx context.Context) error {
		if commit, err = r.resolve(ctx, at); err != nil {
			return err
		}
		return r.create(ctx, branch, commit, s.importer())
	})
	return commit, err
}

// DeleteBranch deletes a branch whatever rulesets say, and closes its pull requests. GitHub's 422 for the default branch.
func (s *Server) DeleteBranch(ctx context.Context, repository, branch string) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	return r.change(ctx, func(ctx context.Context) error {
		if branch == r.settings.DefaultBranch {
			return fail(http.StatusUnprocessableEntity, "Cannot delete the default branch")
		}
		before, err := r.head(ctx, branch)
		if err != nil {
			return err
		}
		return r.remove(ctx, branch, before)
	})
}

// Push is the importer's push: it brings a commit of a local repository with its whole history and tags and sets the branch
// to it, whatever rulesets say. The branch is created when there is none.
func (s *Server) Push(ctx context.Context, repository, branch, commit, gitDir string) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	return r.change(ctx, func(ctx context.Context) error {
		if err := r.fetch(ctx, source{gitDir, commit}); err != nil {
			return err
		}
		before, err := r.head(ctx, branch)
		if NotFound(err) {
			return r.create(ctx, branch, commit, s.importer())
		}
		if err != nil || before == commit {
			return err
		}
		return r.move(ctx, branch, before, commit, s.importer())
	})
}

// CommitOf returns the full ID of the commit that a branch, a tag or an (abbreviated) commit ID names.
func (s *Server) CommitOf(ctx context.Context, repository, ref string) (string, error) {
	r, err := s.repository(repository)
	if err != nil {
		return "", err
	}
	return r.resolve(ctx, ref)
}

// fetch brings a commit, its history and the tags that lie in it.
func (r *repo) fetch(ctx context.Context, from source) error {
	if !fullCommit.MatchString(from.commit) {
		return fmt.Errorf("importing from %s: commit %q: want 40 hex digits", from.gitDir, from.commit)
	}
	dir, err := filepath.Abs(from.gitDir)
	if err != nil {
		return fmt.Errorf("importing from %s: %w", from.gitDir, err)
	}
	tags, err := r.in(dir).run(ctx, "", "for-each-ref", "--merged="+from.commit, "--format=%(refname)", "refs/tags")
	if err != nil {
		return fmt.Errorf("importing from %s: %w", from.gitDir, err)
	}
	refspecs := from.commit + "\n"
	for _, tag := range strings.Fields(tags) {
		refspecs += "+" + tag + ":" + tag + "\n"
	}
	_, err = r.run(ctx, refspecs, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow", "--stdin",
		dir)
	if err != nil {
		return fmt.Errorf("importing from %s: %w", from.gitDir, err)
	}
	return nil
}

// head returns the commit of a branch.
func (r *repo) head(ctx context.Context, branch string) (string, error) {
	if !validRef(branch) {
		return "", fail(http.StatusNotFound, "Branch %s not found", branch)
	}
	out, err := r.run(ctx, "", "rev-parse", "--quiet", "--verify", "--end-of-options", "refs/heads/"+branch)
	if exited(err, 1) {
		return "", fail(http.StatusNotFound, "Branch %s not found", branch)
	}
	return strings.TrimSpace(out), err
}

// create creates a branch, if there is none of its name.
func (r *repo) create(ctx context.Context, branch, commit string, by Actor) error {
	if !validRef(branch) {
		return invalid(Detail{Resource: "Reference", Field: "ref", Code: "invalid", Message: "refs/heads/" + branch})
	}
	err := r.move(ctx, branch, zero, commit, by)
	if exited(err, 128) {
		return fail(http.StatusUnprocessableEntity, "Reference already exists")
	}
	return err
}

// move sets a branch from one commit to another, if it is still at the first, and queues the news unless the branch is new.
func (r *repo) move(ctx context.Context, branch, before, after string, by Actor) error {
	if _, err := r.run(ctx, "", "update-ref", "refs/heads/"+branch, after, before); err != nil {
		return err
	}
	r.moved(ctx, branch, before, after, by)
	return nil
}

// moved records a move that has happened. When git cannot tell the paths, the news goes out without them.
func (r *repo) moved(ctx context.Context, branch, before, after string, by Actor) {
	r.pushers[branch] = by.Login
	if before == zero {
		return
	}
	paths, _ := r.changed(ctx, before, after)
	r.moves.add(Move{Repo: r.settings.Name, Branch: branch, Before: before, After: after, Actor: by, Paths: paths})
}

// remove deletes a branch, if it is still at before.
func (r *repo) remove(ctx context.Context, branch, before string) error {
	if _, err := r.run(ctx, "", "update-ref", "-d", "refs/heads/"+branch, before); err != nil {
		return err
	}
	r.removed(branch, before)
	return nil
}

// removed closes the pull requests of a branch that was deleted.
func (r *repo) removed(branch, commit string) {
	delete(r.pushers, branch)
	for _, p := range r.pulls {
		if p.open && (p.head == branch || p.base == branch) {
			p.open = false
			if p.head == branch {
				p.headCommit = commit
			}
		}
	}
}

// changed lists the files that differ between two commits, sorted.
func (r *repo) changed(ctx context.Context, from, to string) ([]string, error) {
	out, err := r.run(ctx, "", "diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to)
	if err != nil {
		return nil, err
	}
	paths := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
	slices.Sort(paths)
	return slices.DeleteFunc(paths, func(p string) bool { return p == "" }), nil
}
