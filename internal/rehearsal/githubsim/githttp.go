package githubsim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// serveGit answers git's smart HTTP protocol (gitprotocol-http(5)) through git-http-backend.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request) {
	c, err := s.authenticate(w, r)
	if err != nil {
		answerError(w, err)
		return
	}
	pushing := strings.HasSuffix(r.URL.Path, "/git-receive-pack")
	if (pushing || r.URL.Query().Get("service") == "git-receive-pack") && c.repo.current().Archived {
		answerError(w, fail(http.StatusForbidden, "This repository was archived so it is read-only."))
		return
	}
	body, size, err := s.spool(r.Body)
	if err != nil {
		answerError(w, err)
		return
	}
	defer func() { _ = body.Close() }()
	if pushing {
		err = s.receive(c, body, size)
	} else {
		s.backendFor(c, nil).ServeHTTP(w, c.forBackend(c.Context(), body, size))
	}
	if err != nil {
		answerError(w, err)
	}
}

// spool keeps a request's body in a file that is already deleted: git sends large packs in chunks, CGI wants their length,
// and a slow sender shall not hold a repository's lock.
func (s *Server) spool(body io.Reader) (*os.File, int64, error) {
	file, err := os.CreateTemp(filepath.Join(s.options.Dir, ownDir), "request-*")
	if err != nil {
		return nil, 0, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	size, err := io.Copy(file, body)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, size, nil
}

// forBackend is the request as git-http-backend gets it: without the token, which CGI would put into its environment.
func (c *call) forBackend(ctx context.Context, body io.ReadCloser, size int64) *http.Request {
	r := c.Clone(ctx)
	r.Header.Del("Authorization")
	r.Body, r.ContentLength, r.TransferEncoding = body, size, nil
	_, service, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"+c.repo.owner+"/"), "/")
	r.URL.Path = "/" + c.repo.owner + "/" + filepath.Base(c.repo.dir) + "/" + service
	return r
}

func (s *Server) backendFor(c *call, env []string) *cgi.Handler {
	return &cgi.Handler{
		Path: s.backend, Root: "/", Dir: c.repo.dir, Logger: log.New(io.Discard, "", 0), Stderr: io.Discard,
		Env: slices.Concat(s.git.env, env, []string{
			"GIT_PROJECT_ROOT=" + s.options.Dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + c.actor.Login,
		}),
	}
}

// receive takes a push: it tells the update hook which rules bind which ref, and the listeners which branches moved.
func (s *Server) receive(c *call, body *os.File, size int64) error {
	if c.Header.Get("Content-Encoding") != "" {
		return fail(http.StatusUnsupportedMediaType, "githubsim: a push with Content-Encoding is not simulated")
	}
	updates, err := readUpdates(bufio.NewReader(body))
	if err != nil {
		return fail(http.StatusBadRequest, "%s", err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Join(s.options.Dir, ownDir), "push-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	address := c.html()
	answer := &buffer{header: http.Header{}, status: http.StatusInternalServerError}
	err = c.repo.change(c.Context(), func(ctx context.Context) error {
		rules, moved := filepath.Join(dir, "rules"), filepath.Join(dir, "moved")
		if err := c.repo.writeRules(ctx, rules, c.actor, updates); err != nil {
			return err
		}
		env := []string{"GITHUBSIM_RULES=" + rules, "GITHUBSIM_MOVED=" + moved, "GITHUBSIM_URL=" + address}
		s.backendFor(c, env).ServeHTTP(answer, c.forBackend(ctx, body, size))
		return c.repo.readMoved(ctx, moved, c.actor)
	})
	if err != nil {
		return err
	}
	answer.sendTo(c.w)
	return nil
}

// update is one command of a push.
type update struct{ before, after, ref string }

// readUpdates reads the commands at the start of a push (gitprotocol-pack(5), "Reference Update Request"): lines with a
// length in hex before them, up to a flush.
func readUpdates(in *bufio.Reader) ([]update, error) {
	var updates []update
	for {
		line, err := readLine(in)
		if err != nil {
			return nil, fmt.Errorf("push: reading its commands: %w", err)
		}
		if line == "" {
			return updates, nil
		}
		if strings.HasPrefix(line, "shallow ") {
			continue
		}
		command, _, _ := strings.Cut(line, "\x00") // capabilities follow on the first line
		fields := strings.Split(strings.TrimSuffix(command, "\n"), " ")
		if len(fields) != 3 || !fullCommit.MatchString(fields[0]) || !fullCommit.MatchString(fields[1]) {
			return nil, fmt.Errorf("push: command %q: want two object IDs and a ref", command)
		}
		if strings.ContainsAny(fields[2], "\t\n") {
			return nil, fmt.Errorf("push: ref %q is not valid", fields[2])
		}
		updates = append(updates, update{before: fields[0], after: fields[1], ref: fields[2]})
	}
}

// readLine reads one pkt-line; empty for a flush.
func readLine(in io.Reader) (string, error) {
	length := make([]byte, 4)
	if _, err := io.ReadFull(in, length); err != nil {
		return "", err
	}
	n, err := strconv.ParseUint(string(length), 16, 16)
	if err != nil {
		return "", fmt.Errorf("length %q: want 4 hex digits", length)
	}
	if n == 0 {
		return "", nil
	}
	if n <= 4 {
		return "", fmt.Errorf("length %d: want more than 4", n)
	}
	line := make([]byte, n-4)
	_, err = io.ReadFull(in, line)
	return string(line), err
}

// writeRules writes the rules that the updates may break, as the update hook reads them.
func (r *repo) writeRules(ctx context.Context, path string, by Actor, updates []update) error {
	var text strings.Builder
	for _, u := range updates {
		found, err := r.violations(ctx, attempt{actor: by, ref: u.ref, before: u.before, after: u.after, pushed: true})
		if err != nil {
			return err
		}
		for _, v := range found {
			fmt.Fprintf(&text, "%s\t%s\t%s\n", u.ref, v.condition, v.message)
		}
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// readMoved records what the post-receive hook wrote: the refs that a push moved. No file means that none moved.
func (r *repo) readMoved(ctx context.Context, path string, by Actor) error {
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line) // before, after, ref
		branch, ok := strings.CutPrefix(fields[2], "refs/heads/")
		switch {
		case !ok:
		case fields[1] == zero:
			r.removed(branch, fields[0])
		default:
			r.moved(ctx, branch, fields[0], fields[1], by)
		}
	}
	return nil
}

// buffer keeps the answer to a push until the listeners know of it, and keeps a sender who leaves from ending git midway.
type buffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header         { return b.header }
func (b *buffer) WriteHeader(status int)      { b.status = status }
func (b *buffer) Write(p []byte) (int, error) { return b.body.Write(p) }

func (b *buffer) sendTo(w http.ResponseWriter) {
	for key, values := range b.header {
		w.Header()[key] = values
	}
	w.WriteHeader(b.status)
	_, _ = w.Write(b.body.Bytes()) // the sender has left when this fails
}
