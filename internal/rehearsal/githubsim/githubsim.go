// Package githubsim is a GitHub on loopback: bare git repositories, git over HTTP, the REST calls that relay and the
// rehearsal make, and rulesets that are enforced on pushes, on the contents API and on merges alike.
//
// What refuses on github.com refuses here, with the status and the message that github.com gives, so that a program that
// passes the rehearsal has met them. A call that nobody taught this package is answered 501, never with an empty success.
// Repositories' content lies in git, everything else (settings, rulesets, pull requests, statuses) in memory.
//
// What Pulumi resources look like, and which pipeline a moved branch starts, is not known here: see the provider plugin
// and the runner of the rehearsal.
package githubsim

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// Actor is who makes a call: a person or a GitHub App.
type Actor struct {
	// Login is the account's name; an App's ends in "[bot]".
	Login string
	// App is the GitHub App's ID, which a ruleset's bypass list names; 0 for a person.
	App int64
	// Admin says that a person owns the organization, and so has the role admin in each of its repositories.
	Admin bool
	// Teams are the teams of a person as CODEOWNERS names them, without the "@": "acme/platform".
	Teams []string
	// Owner says that a person stands in for every code owner.
	Owner bool
}

// Options configures a Server.
type Options struct {
	// Dir is where the bare repositories lie, at <Dir>/<Owner>/<repository>.git. Only the server may write there.
	Dir string
	// Owner is the organization that owns every repository.
	Owner string
	// Tokens are the tokens that calls authenticate with, and whose they are. Each may read and write every repository;
	// only rulesets tell them apart.
	Tokens map[string]Actor
	// Apps are the GitHub Apps that are installed, each of which gets tokens with its key.
	Apps []App
}

// Server is the simulated GitHub. It serves the REST API under /api/v3/ and git under /<owner>/<repository>.git.
type Server struct {
	options Options
	git     git
	backend string
	mux     *http.ServeMux
	moves   moves
	limiter limiter

	mu      sync.Mutex
	repos   map[string]*repo
	imports map[string]source
	minted  map[string]minted
}

// New returns a Server without repositories. It fails when there is no git with git-http-backend on this machine.
func New(options Options) (*Server, error) {
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("githubsim: directory %s: %w", options.Dir, err)
	}
	options.Dir = dir
	if !validName(options.Owner) {
		return nil, fmt.Errorf("githubsim: owner %q: want letters, digits, '.', '_' or '-'", options.Owner)
	}
	if err := os.MkdirAll(filepath.Join(dir, options.Owner), 0o755); err != nil {
		return nil, fmt.Errorf("githubsim: %w", err)
	}
	s := &Server{options: options, repos: map[string]*repo{}, imports: map[string]source{}, minted: map[string]minted{}}
	if s.git, s.backend, err = prepareGit(dir); err != nil {
		return nil, fmt.Errorf("githubsim: %w", err)
	}
	s.routes()
	return s, nil
}

// ServeHTTP answers REST calls and git.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// repository finds a repository by its name without owner; the error is GitHub's 404.
func (s *Server) repository(name string) (*repo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.repos[name]; ok {
		return r, nil
	}
	return nil, fail(http.StatusNotFound, "Not Found")
}

var nameFormat = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)

func validName(name string) bool { return nameFormat.MatchString(name) }
