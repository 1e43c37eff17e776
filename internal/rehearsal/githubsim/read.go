package githubsim

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

var (
	fullCommit  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shortCommit = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	refFormat   = regexp.MustCompile(`^[^\x00-\x20\x7f~^:?*\[\\./-][^\x00-\x20\x7f~^:?*\[\\]*$`)
)

// validRef reports whether a name can stand for a branch or tag, and so is safe on git's command line and in a batch.
func validRef(name string) bool {
	return refFormat.MatchString(name) && !strings.Contains(name, "..") && !strings.Contains(name, "@{") &&
		!strings.Contains(name, "//") && !strings.HasSuffix(name, "/") && !strings.HasSuffix(name, ".lock")
}

// resolve returns the commit that a branch, a tag or a commit ID names, in that order, in one git process.
func (r *repo) resolve(ctx context.Context, ref string) (string, error) {
	missing := fail(http.StatusNotFound, "No commit found for the ref %s", ref)
	if !validRef(ref) {
		return "", missing
	}
	names := []string{"refs/heads/" + ref, "refs/tags/" + ref}
	if strings.HasPrefix(ref, "refs/") {
		names = append(names, ref)
	}
	if shortCommit.MatchString(ref) {
		names = append(names, ref)
	}
	out, err := r.run(ctx, strings.Join(names, "^{commit}\n")+"^{commit}\n", "cat-file", "--batch-check")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[1] == "commit" {
			return fields[0], nil
		}
	}
	return "", missing
}

// File is a file at a commit.
type File struct {
	Path    string
	Content []byte
	// SHA is the ID of the file's blob.
	SHA string
	// Commit is the last commit that changed the file, as the provider's getRepositoryFile has it.
	Commit Commit
}

// Commit is a commit.
type Commit struct {
	SHA, Tree         string
	Parents           []string
	Author, Committer Identity
	// Message has no line break at its end.
	Message string
}

// Identity is a commit's author or committer.
type Identity struct {
	Name  string    `json:"name"`
	Email string    `json:"email"`
	Date  time.Time `json:"date,omitzero"`
}

// ReadFile reads a file at a branch, tag or commit; false when repository, ref or file do not exist.
func (s *Server) ReadFile(ctx context.Context, repository, ref, path string) (File, bool, error) {
	file, err := s.readFile(ctx, repository, ref, path)
	if NotFound(err) {
		return File{}, false, nil
	}
	return file, err == nil, err
}

func (s *Server) readFile(ctx context.Context, repository, ref, path string) (File, error) {
	r, err := s.repository(repository)
	if err != nil {
		return File{}, err
	}
	commit, err := r.resolve(ctx, ref)
	if err != nil {
		return File{}, err
	}
	file, err := r.file(ctx, commit, path)
	if err != nil {
		return File{}, err
	}
	history, err := r.log(ctx, "-1", commit, "--", ":(literal)"+path)
	if err != nil {
		return File{}, err
	}
	if len(history) > 0 {
		file.Commit = history[0]
	}
	return file, nil
}

// file reads a file at a commit, without the commit that changed it last.
func (r *repo) file(ctx context.Context, commit, path string) (File, error) {
	if !validPath(path) {
		return File{}, fail(http.StatusNotFound, "Not Found")
	}
	out, err := r.run(ctx, commit+":"+path+"\n", "cat-file", "--batch")
	if err != nil {
		return File{}, err
	}
	header, content, _ := strings.Cut(out, "\n")
	fields := strings.Fields(header)
	switch {
	case strings.HasSuffix(header, " missing"):
		return File{}, fail(http.StatusNotFound, "Not Found")
	case len(fields) == 3 && fields[1] == "blob":
		return File{Path: path, SHA: fields[0], Content: []byte(strings.TrimSuffix(content, "\n"))}, nil
	}
	return File{}, fail(http.StatusNotImplemented, "githubsim: %s is not a file; directories are not simulated", path)
}

// log lists commits, newest first, with the options of git log.
func (r *repo) log(ctx context.Context, args ...string) ([]Commit, error) {
	const format = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B"
	out, err := r.run(ctx, "", append([]string{"log", "-z", format}, args...)...)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for record := range strings.SplitSeq(out, "\x00") {
		f := strings.SplitN(record, "\x1f", 10)
		if len(f) < 10 {
			continue
		}
		authored, err := time.Parse(time.RFC3339, f[5])
		if err != nil {
			return nil, fmt.Errorf("commit %s: author date: %w", f[0], err)
		}
		committed, err := time.Parse(time.RFC3339, f[8])
		if err != nil {
			return nil, fmt.Errorf("commit %s: committer date: %w", f[0], err)
		}
		commits = append(commits, Commit{
			SHA: f[0], Tree: f[1], Parents: strings.Fields(f[2]), Message: strings.TrimRight(f[9], "\n"),
			Author:    Identity{Name: f[3], Email: f[4], Date: authored},
			Committer: Identity{Name: f[6], Email: f[7], Date: committed},
		})
	}
	return commits, nil
}

// commit reads one commit by its full ID.
func (r *repo) commit(ctx context.Context, id string) (Commit, error) {
	commits, err := r.log(ctx, "-1", id)
	if err != nil {
		return Commit{}, err
	}
	return commits[0], nil
}
