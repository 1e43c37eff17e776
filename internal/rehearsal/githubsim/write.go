package githubsim

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// FileWrite is a commit that writes one file.
type FileWrite struct {
	// Branch is the branch; the default branch when empty.
	Branch string
	// Path is relative to the repository's root.
	Path    string
	Content []byte
	Message string
	// SHA is the blob that the file must have now. It is empty for a file that must not exist, and ignored by GitHub when
	// the file does not exist.
	SHA string
	// Author and Committer default to the actor; an author is also the default of the committer, and the other way round.
	Author, Committer *Identity
}

// WriteFile writes a file as the contents API does, rulesets included: 409 when the file has another blob than SHA or a
// ruleset refuses, 422 when it exists and SHA is empty, 404 when there is no such branch.
func (s *Server) WriteFile(ctx context.Context, repository string, w FileWrite, by Actor) (File, error) {
	r, err := s.repository(repository)
	if err != nil {
		return File{}, err
	}
	file, _, err := r.put(ctx, w, by)
	return file, err
}

// put writes a file if the rulesets let the actor, and reports whether the file is new.
func (r *repo) put(ctx context.Context, w FileWrite, by Actor) (file File, created bool, err error) {
	err = r.change(ctx, func(ctx context.Context) error {
		if w.Branch == "" {
			w.Branch = r.settings.DefaultBranch
		}
		found, err := r.violations(ctx, attempt{actor: by, ref: "refs/heads/" + w.Branch})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return ruleViolations(http.StatusConflict, found)
		}
		file, created, err = r.write(ctx, w, by)
		return err
	})
	return file, created, err
}

// write checks GitHub's preconditions, in GitHub's order, and commits.
func (r *repo) write(ctx context.Context, w FileWrite, by Actor) (File, bool, error) {
	if !validPath(w.Path) {
		return File{}, false, fail(http.StatusUnprocessableEntity, "path contains a malformed path component")
	}
	if w.Message == "" || strings.ContainsRune(w.Message, 0) {
		return File{}, false, fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"message\" wasn't supplied.")
	}
	before, err := r.head(ctx, w.Branch)
	if NotFound(err) && w.Branch == r.settings.DefaultBranch {
		before, err = zero, nil // the first file of an empty repository makes its first commit
	}
	if err != nil {
		return File{}, false, err
	}
	mode, blob := "100644", ""
	if before != zero {
		if mode, blob, err = r.entry(ctx, before, w.Path); err != nil {
			return File{}, false, err
		}
	}
	switch {
	case blob != "" && w.SHA == "":
		return File{}, false, fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"sha\" wasn't supplied.")
	case blob != "" && w.SHA != blob:
		return File{}, false, fail(http.StatusConflict, "%s does not match %s", w.Path, w.SHA)
	}
	after, err := r.commitFile(ctx, w, by, before, mode)
	if err != nil {
		return File{}, false, err
	}
	if err := r.move(ctx, w.Branch, before, after, by); err != nil {
		if exited(err, 128) {
			return File{}, false, fail(http.StatusConflict, "%s is no longer at %s", w.Branch, before)
		}
		return File{}, false, err
	}
	file, err := r.file(ctx, after, w.Path)
	if err != nil {
		return File{}, false, err
	}
	file.Commit, err = r.commit(ctx, after)
	return file, blob == "", err
}

// entry returns mode and blob of a file at a commit; an empty blob when there is none.
func (r *repo) entry(ctx context.Context, commit, path string) (mode, blob string, err error) {
	out, err := r.run(ctx, "", "--literal-pathspecs", "ls-tree", "-z", commit, "--", path)
	if err != nil || out == "" {
		return "100644", "", err
	}
	fields := strings.Fields(out) // mode, type, object, path
	if fields[1] != "blob" {
		return "", "", fail(http.StatusUnprocessableEntity, "%s is a %s, not a file", path, fields[1])
	}
	return fields[0], fields[2], nil
}

// commitFile makes the commit, whose cost does not depend on the repository's size, and leaves no ref behind.
func (r *repo) commitFile(ctx context.Context, w FileWrite, by Actor, parent, mode string) (string, error) {
	author, committer := identities(w, by)
	now := time.Now().Unix()
	var in strings.Builder
	fmt.Fprintf(&in, "feature done\ncommit refs/githubsim/commit\nmark :1\n")
	fmt.Fprintf(&in, "author %s <%s> %d +0000\n", author.Name, author.Email, now)
	fmt.Fprintf(&in, "committer %s <%s> %d +0000\n", committer.Name, committer.Email, now)
	fmt.Fprintf(&in, "data %d\n%s\n", len(w.Message), w.Message)
	if parent != zero {
		fmt.Fprintf(&in, "from %s\n", parent)
	}
	fmt.Fprintf(&in, "M %s inline %s\ndata %d\n%s\n", mode, w.Path, len(w.Content), w.Content)
	fmt.Fprintf(&in, "get-mark :1\nreset refs/githubsim/commit\nfrom %s\n\ndone\n", zero)
	out, err := r.run(ctx, in.String(), "fast-import", "--quiet")
	return strings.TrimSpace(out), err
}

// identities returns author and committer in a form that git accepts.
func identities(w FileWrite, by Actor) (author, committer Identity) {
	own := by.identity()
	author, committer = own, own
	switch {
	case w.Author != nil && w.Committer != nil:
		author, committer = *w.Author, *w.Committer
	case w.Author != nil:
		author, committer = *w.Author, *w.Author
	case w.Committer != nil:
		author, committer = *w.Committer, *w.Committer
	}
	clean := strings.NewReplacer("<", "", ">", "", "\n", " ", "\x00", "")
	for _, id := range []*Identity{&author, &committer} {
		id.Name, id.Email = clean.Replace(id.Name), clean.Replace(id.Email)
	}
	return author, committer
}

// identity is the actor as author, with GitHub's address for those who hide theirs.
func (a Actor) identity() Identity {
	return Identity{Name: a.Login, Email: a.Login + "@users.noreply.github.com"}
}

// validPath reports whether a path can lie in a tree, and is safe in a batch and a fast-import stream.
func validPath(p string) bool {
	if p == "" || p == "." || path.Clean(p) != p || strings.ContainsAny(p, "\x00\n\"") {
		return false
	}
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == ".." || strings.EqualFold(part, ".git") {
			return false
		}
	}
	return true
}
