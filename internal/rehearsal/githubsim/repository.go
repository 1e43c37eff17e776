package githubsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
)

// Repository is a repository's settings.
type Repository struct {
	// Name is the name without owner.
	Name        string
	Description string
	// Private is shown by the API; every call needs a token anyway.
	Private bool
	// DefaultBranch is "main" when empty, as on GitHub.
	DefaultBranch string
	// AutoInit makes GitHub's "Initial commit" with a README.md on the default branch.
	AutoInit bool
	// DeleteBranchOnMerge deletes a pull request's head branch once it is merged, except the default branch and a branch
	// whose ruleset forbids deletion.
	DeleteBranchOnMerge bool
	// Archived makes the repository read-only.
	Archived bool
}

// repo is one repository.
type repo struct {
	git
	owner    string
	moves    *moves
	mu       sync.Mutex // held while refs move and by whoever reads the fields below
	settings Repository
	rulesets map[string]Ruleset
	pulls    []*pull
	statuses map[string]map[string]status // by commit, by context
	pushers  map[string]string            // the login that last moved a branch
}

// source is a commit in a repository on this machine.
type source struct{ gitDir, commit string }

// change runs a change under the repository's lock and then tells the listeners. The context that do gets outlives the
// caller's.
func (r *repo) change(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	err := func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.settings.Archived {
			return fail(http.StatusForbidden, "Repository was archived so is read-only.")
		}
		return do(ctx)
	}()
	r.moves.deliver()
	return err
}

// current returns a copy of the settings.
func (r *repo) current() Repository {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settings
}

// Import makes CreateRepository start the repository with a commit of a local repository, its whole history and its tags
// as the default branch, instead of GitHub's initial commit: as GitHub's importer does.
func (s *Server) Import(repository, gitDir, commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.imports[repository] = source{gitDir, commit}
}

// CreateRepository creates a repository. A name that exists is GitHub's 422.
func (s *Server) CreateRepository(ctx context.Context, settings Repository) error {
	if settings.DefaultBranch == "" {
		settings.DefaultBranch = "main"
	}
	if !validName(settings.Name) {
		return invalid(Detail{Resource: "Repository", Field: "name", Code: "custom", Message: "name is not valid"})
	}
	if !validRef(settings.DefaultBranch) {
		return invalid(Detail{Resource: "Repository", Field: "default_branch", Code: "invalid"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repos[settings.Name] != nil {
		return invalid(Detail{
			Resource: "Repository", Field: "name", Code: "custom", Message: "name already exists on this account",
		})
	}
	dir := filepath.Join(s.options.Dir, s.options.Owner, settings.Name+".git")
	template := filepath.Join(s.options.Dir, ownDir, "template")
	if _, err := s.git.run(ctx, "", "init", "--quiet", "--bare", "--template="+template,
		"--initial-branch="+settings.DefaultBranch, dir); err != nil {
		return fmt.Errorf("creating repository %s: %w", settings.Name, err)
	}
	r := &repo{
		git: s.git.in(dir), owner: s.options.Owner, moves: &s.moves, settings: settings,
		rulesets: map[string]Ruleset{}, statuses: map[string]map[string]status{}, pushers: map[string]string{},
	}
	if err := s.fill(ctx, r); err != nil {
		return fmt.Errorf("creating repository %s: %w", settings.Name, errors.Join(err, os.RemoveAll(dir)))
	}
	s.repos[settings.Name] = r
	return nil
}

// fill gives a new repository its first content.
func (s *Server) fill(ctx context.Context, r *repo) error {
	name, branch := r.settings.Name, r.settings.DefaultBranch
	if from, ok := s.imports[name]; ok {
		if err := r.fetch(ctx, from); err != nil {
			return err
		}
		return r.move(ctx, branch, zero, from.commit, s.importer())
	}
	if !r.settings.AutoInit {
		return nil
	}
	_, _, err := r.write(ctx, FileWrite{
		Branch: branch, Path: "README.md", Message: "Initial commit",
		Content: fmt.Appendf(nil, "# %s\n%s\n", name, r.settings.Description),
	}, s.importer())
	return err
}

// importer is whom commits and pushes belong to that the organization itself makes.
func (s *Server) importer() Actor { return Actor{Login: s.options.Owner, Admin: true} }

// UpdateRepository replaces a repository's settings; its default branch must exist. AutoInit and an empty default branch
// change nothing. It is also what brings an archived repository back.
func (s *Server) UpdateRepository(ctx context.Context, settings Repository) error {
	r, err := s.repository(settings.Name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if settings.DefaultBranch == "" {
		settings.DefaultBranch = r.settings.DefaultBranch
	}
	if settings.DefaultBranch != r.settings.DefaultBranch {
		if _, err := r.head(ctx, settings.DefaultBranch); err != nil {
			return err
		}
		if _, err := r.run(ctx, "", "symbolic-ref", "HEAD", "refs/heads/"+settings.DefaultBranch); err != nil {
			return err
		}
	}
	r.settings = settings
	return nil
}

// ArchiveRepository makes a repository read-only for everyone.
func (s *Server) ArchiveRepository(repository string) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings.Archived = true
	return nil
}

// DeleteRepository deletes a repository with its history, its pull requests and its rulesets.
func (s *Server) DeleteRepository(repository string) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repos, repository)
	return os.RemoveAll(r.dir)
}

// Repository returns a repository's settings; false when there is none of that name.
func (s *Server) Repository(repository string) (Repository, bool) {
	r, err := s.repository(repository)
	if err != nil {
		return Repository{}, false
	}
	return r.current(), true
}
