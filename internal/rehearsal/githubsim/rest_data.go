package githubsim

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// The Git database API (GitHub Docs, "REST API endpoints for Git database"): trees and commits that no branch has yet, and refs that
// are moved to them.

// treeEntry is a file of a new tree: with its content, with the blob that it is, or with neither when it goes.
type treeEntry struct {
	Path, Mode, Type string
	SHA, Content     *string
}

func createTree(c *call) (int, any, error) {
	var in struct {
		Base string      `json:"base_tree"`
		Tree []treeEntry `json:"tree"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if len(in.Tree) == 0 {
		return 0, nil, fail(http.StatusUnprocessableEntity, "Invalid tree info")
	}
	var tree string
	err := c.repo.change(c.Context(), func(ctx context.Context) (err error) {
		tree, err = c.repo.writeTree(ctx, in.Base, in.Tree)
		return err
	})
	return http.StatusCreated, object{"sha": tree, "url": c.api() + "/git/trees/" + tree}, err
}

// writeTree writes a tree, of which only the folders on the way to the entries are looked at: its cost does not depend on how many
// files there are.
func (r *repo) writeTree(ctx context.Context, base string, entries []treeEntry) (string, error) {
	if base != "" {
		if !fullCommit.MatchString(base) {
			return "", fail(http.StatusUnprocessableEntity, "base_tree is not a valid tree oid")
		}
		kind, err := r.run(ctx, "", "cat-file", "-t", base)
		if exited(err, 128) || err == nil && kind != "tree\n" {
			return "", fail(http.StatusUnprocessableEntity, "base_tree is not a valid tree oid")
		}
		if err != nil {
			return "", err
		}
	}
	for _, e := range entries {
		if !validPath(e.Path) || e.Type != "blob" || !slices.Contains([]string{"100644", "100755"}, e.Mode) {
			return "", fail(http.StatusUnprocessableEntity, "tree.path %q, mode %q, type %q: only files are simulated", e.Path, e.Mode, e.Type)
		}
		if e.SHA != nil {
			return "", fail(http.StatusNotImplemented, "githubsim: a tree of blobs that are there is not simulated")
		}
	}
	tree, err := r.graft(ctx, base, entries)
	if err == nil && tree == "" {
		tree, err = r.run(ctx, "", "mktree") // the empty tree
	}
	return strings.TrimSpace(tree), err
}

// graft writes a tree with entries in it; base is empty for a folder that is new. A folder without files is no longer there, and empty.
func (r *repo) graft(ctx context.Context, base string, entries []treeEntry) (string, error) {
	names := map[string]string{} // each with its line of ls-tree
	if base != "" {
		out, err := r.run(ctx, "", "ls-tree", "-z", base)
		if err != nil {
			return "", err
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
			if _, name, ok := strings.Cut(line, "\t"); ok {
				names[name] = line
			}
		}
	}
	folders := map[string][]treeEntry{}
	for _, e := range entries {
		name, rest, nested := strings.Cut(e.Path, "/")
		switch {
		case nested:
			e.Path = rest
			folders[name] = append(folders[name], e)
		case e.Content == nil:
			delete(names, name)
		default:
			blob, err := r.run(ctx, *e.Content, "hash-object", "-w", "--stdin")
			if err != nil {
				return "", err
			}
			names[name] = fmt.Sprintf("%s blob %s\t%s", e.Mode, strings.TrimSpace(blob), name)
		}
	}
	for name, within := range folders {
		var below string
		if fields := strings.Fields(names[name]); len(fields) > 2 && fields[1] == "tree" {
			below = fields[2]
		}
		tree, err := r.graft(ctx, below, within)
		if err != nil {
			return "", err
		}
		delete(names, name)
		if tree != "" {
			names[name] = fmt.Sprintf("040000 tree %s\t%s", tree, name)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	tree, err := r.run(ctx, strings.Join(slices.Collect(maps.Values(names)), "\x00")+"\x00", "mktree", "-z")
	return strings.TrimSpace(tree), err
}

func createCommit(c *call) (int, any, error) {
	var in struct {
		Message, Tree string
		Parents       []string
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Message == "" {
		return 0, nil, fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"message\" wasn't supplied.")
	}
	args := []string{"commit-tree", in.Tree, "-F", "-"}
	for _, parent := range in.Parents {
		if found, err := c.repo.resolve(c.Context(), parent); NotFound(err) || err == nil && found != parent {
			return 0, nil, fail(http.StatusUnprocessableEntity, "Parent SHA does not exist or is not a commit object")
		} else if err != nil {
			return 0, nil, err
		}
		args = append(args, "-p", parent)
	}
	if !fullCommit.MatchString(in.Tree) {
		return 0, nil, fail(http.StatusUnprocessableEntity, "Tree SHA does not exist")
	}
	var made Commit
	err := c.repo.change(c.Context(), func(ctx context.Context) error {
		as := c.repo.git
		by := c.actor.identity()
		as.env = slices.Concat(as.env, []string{
			"GIT_AUTHOR_NAME=" + by.Name, "GIT_AUTHOR_EMAIL=" + by.Email, "GIT_COMMITTER_NAME=" + by.Name, "GIT_COMMITTER_EMAIL=" + by.Email,
		})
		out, err := as.run(ctx, in.Message, args...)
		if exited(err, 128) {
			return fail(http.StatusUnprocessableEntity, "Tree SHA does not exist")
		}
		if err != nil {
			return err
		}
		made, err = c.repo.commit(ctx, strings.TrimSpace(out))
		return err
	})
	answer := c.gitCommit(made)
	answer["sha"], answer["parents"] = made.SHA, parents(made)
	return http.StatusCreated, answer, err
}

// updateRef moves a branch. Without force only forward, which makes it a compare-and-swap for whoever made the commit on top of what
// the branch was.
func updateRef(c *call) (int, any, error) {
	var in struct {
		SHA   string
		Force bool
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	branch, ok := strings.CutPrefix(c.PathValue("ref"), "heads/")
	if !ok {
		return 0, nil, fail(http.StatusNotImplemented, "githubsim: moving %s is not simulated, only branches are", c.PathValue("ref"))
	}
	err := c.repo.change(c.Context(), func(ctx context.Context) error {
		before, err := c.repo.head(ctx, branch)
		if NotFound(err) {
			return fail(http.StatusUnprocessableEntity, "Reference does not exist")
		}
		if err != nil {
			return err
		}
		if after, err := c.repo.resolve(ctx, in.SHA); NotFound(err) || err == nil && after != in.SHA {
			return fail(http.StatusUnprocessableEntity, "Object does not exist")
		} else if err != nil || after == before {
			return err
		}
		_, err = c.repo.run(ctx, "", "merge-base", "--is-ancestor", before, in.SHA)
		forced := exited(err, 1)
		if err != nil && !forced {
			return err
		}
		if err := c.repo.mayMove(ctx, c.actor, branch, before, in.SHA, forced); err != nil {
			return err
		}
		if forced && !in.Force {
			return fail(http.StatusUnprocessableEntity, "Update is not a fast forward")
		}
		return c.repo.move(ctx, branch, before, in.SHA, c.actor)
	})
	return http.StatusOK, c.reference(branch, in.SHA), err
}

// mayMove asks the rulesets about a move to a commit that is in the repository.
func (r *repo) mayMove(ctx context.Context, by Actor, branch, before, after string, forced bool) error {
	found, err := r.violations(ctx, attempt{actor: by, ref: "refs/heads/" + branch, before: before, after: after, pushed: true})
	if err != nil {
		return err
	}
	var merges string
	if slices.ContainsFunc(found, func(v violation) bool { return v.condition == ifMerges }) {
		if merges, err = r.run(ctx, "", "rev-list", "--merges", "-n", "1", before+".."+after); err != nil {
			return err
		}
	}
	found = slices.DeleteFunc(found, func(v violation) bool {
		return v.condition == ifForced && !forced || v.condition == ifMerges && merges == ""
	})
	if len(found) > 0 {
		return ruleViolations(http.StatusUnprocessableEntity, found)
	}
	return nil
}
