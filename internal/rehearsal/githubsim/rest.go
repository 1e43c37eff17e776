package githubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one authenticated call about one repository.
type call struct {
	*http.Request
	w     http.ResponseWriter
	actor Actor
	repo  *repo
}

// object is a JSON object of an answer.
type object map[string]any

// routes says what is simulated.
func (s *Server) routes() {
	s.mux = http.NewServeMux()
	for pattern, answer := range map[string]func(*call) (int, any, error){
		"GET ":                         getRepository,
		"GET /contents/{path...}":      getContents,
		"PUT /contents/{path...}":      putContents,
		"GET /commits":                 listCommits,
		"GET /commits/{ref...}":        getCommit,
		"GET /compare/{range...}":      compare,
		"GET /git/ref/{ref...}":        getRef,
		"POST /git/refs":               createRef,
		"PATCH /git/refs/{ref...}":     updateRef,
		"POST /git/trees":              createTree,
		"POST /git/commits":            createCommit,
		"GET /branches/{branch...}":    getBranch,
		"GET /pulls":                   listPulls,
		"POST /pulls":                  createPull,
		"GET /pulls/{number}":          getPull,
		"POST /pulls/{number}/reviews": createReview,
		"PUT /pulls/{number}/merge":    mergePull,
		"POST /statuses/{sha}":         createStatus,
		"POST /issues/{number}/labels": addLabels,
	} {
		method, rest, _ := strings.Cut(pattern, " ")
		s.mux.Handle(method+" /api/v3/repos/{owner}/{repo}"+rest, s.limited(s.rest(answer)))
	}
	s.mux.HandleFunc("POST /api/v3/app/installations/{id}/access_tokens", s.createToken)
	s.mux.HandleFunc("GET /api/v3/app/installations/{id}", s.getInstallation)
	s.mux.Handle("GET /api/v3/user", s.limited(http.HandlerFunc(s.getUser)))
	s.mux.HandleFunc("GET /{owner}/{repo}/info/refs", s.serveGit)
	s.mux.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.serveGit)
	s.mux.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.serveGit)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answerError(w, fail(http.StatusNotImplemented, "githubsim: %s %s is not simulated", r.Method, r.URL.Path))
	})
}

// rest turns an answer into a handler of HTTP.
func (s *Server) rest(answer func(*call) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := s.authenticate(w, r)
		if err != nil {
			answerError(w, err)
			return
		}
		status, body, err := answer(c)
		if err != nil {
			answerError(w, err)
			return
		}
		answerJSON(w, status, body)
	}
}

// authenticate finds who calls and which repository it is about.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (*call, error) {
	actor, err := s.actor(bearer(r))
	if err != nil {
		return nil, err
	}
	if r.PathValue("owner") != s.options.Owner {
		return nil, fail(http.StatusNotFound, "Not Found")
	}
	found, err := s.repository(r.PathValue("repo"))
	if err != nil {
		found, err = s.repository(strings.TrimSuffix(r.PathValue("repo"), ".git"))
	}
	if err == nil {
		err = s.admits(actor, found.current().Name, r)
	}
	return &call{Request: r, w: w, actor: actor, repo: found}, err
}

func answerError(w http.ResponseWriter, err error) {
	var refused *Error
	if !errors.As(err, &refused) {
		refused = &Error{Status: http.StatusInternalServerError, Message: err.Error()}
	}
	if refused.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`) // git asks for credentials only when told so
	}
	answerJSON(w, refused.Status, refused)
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	if text, ok := body.(string); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has left when this fails
}

// bodyLimit is more than GitHub takes in one call.
const bodyLimit = 100 << 20

func (c *call) decode(target any) error {
	if err := json.NewDecoder(http.MaxBytesReader(c.w, c.Body, bodyLimit)).Decode(target); err != nil {
		return fail(http.StatusBadRequest, "Problems parsing JSON: %v", err)
	}
	return nil
}

// page returns the paging of a list as GitHub bounds it.
func (c *call) page() (number, size int) {
	number, size = 1, 30
	if n, err := strconv.Atoi(c.FormValue("page")); err == nil && n > 0 {
		number = n
	}
	if n, err := strconv.Atoi(c.FormValue("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	return number, size
}

// nextPage sets the header by which clients find the next page.
func (c *call) nextPage(number int) {
	query := c.URL.Query()
	query.Set("page", strconv.Itoa(number+1))
	next := url.URL{Scheme: "http", Host: c.Host, Path: c.URL.Path, RawQuery: query.Encode()}
	c.w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
}

// html is the address of the repository's page, api the one of its REST resource.
func (c *call) html() string {
	return fmt.Sprintf("http://%s/%s/%s", c.Host, c.repo.owner, c.repo.current().Name)
}

func (c *call) api() string {
	return fmt.Sprintf("http://%s/api/v3/repos/%s/%s", c.Host, c.repo.owner, c.repo.current().Name)
}

func getRepository(c *call) (int, any, error) { return http.StatusOK, c.repository(), nil }

func (c *call) repository() object {
	settings := c.repo.current()
	return object{
		"name": settings.Name, "full_name": c.repo.owner + "/" + settings.Name,
		"owner": object{"login": c.repo.owner, "type": "Organization"}, "description": settings.Description,
		"default_branch": settings.DefaultBranch, "private": settings.Private, "archived": settings.Archived,
		"delete_branch_on_merge": settings.DeleteBranchOnMerge,
		"html_url":               c.html(), "url": c.api(), "clone_url": c.html() + ".git",
		"permissions": object{"admin": c.actor.Admin, "push": true, "pull": true},
	}
}
