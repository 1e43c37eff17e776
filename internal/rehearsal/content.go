package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/relayfile"
)

// content is what the repositories begin with.
type content struct {
	software, image, infrastructure history
	// warnings are what works here and would not on AWS.
	warnings []string
}

// history is a git repository from which a simulated one is imported.
type history struct {
	// dir is the git repository, base the commit that every branch begins at, head the commit that dev goes to first.
	dir, base, head string
	// written says that the history was made from a plain directory, so that its head arrives by a pull request.
	written bool
}

// readContent reads the directories and checks the files that the relay will read, all problems at once.
func readContent(ctx context.Context, o Options) (content, error) {
	var c content
	var problems []error
	file, spec := relayfile.Default(), envspec.Default()
	for _, part := range []struct {
		dir   string
		flag  string
		into  *history
		check func(dir, commit string) error
	}{
		{o.Software, "--software", &c.software, checkWith(ctx, relayfile.Name, func(b []byte) (err error) { file, err = relayfile.Parse(b); return err })},
		{o.Image, "--image", &c.image, checkWith(ctx, imageconfig.Name, func(b []byte) error { _, err := imageconfig.Parse(b); return err })},
		{o.Infrastructure, "--infrastructure", &c.infrastructure, checkWith(ctx, envspec.File, func(b []byte) (err error) { spec, err = envspec.Parse(b); return err })},
	} {
		imported, err := readHistory(ctx, part.dir, filepath.Join(o.Dir, "imports", strings.TrimPrefix(part.flag, "--")))
		if err == nil {
			*part.into = imported
			err = part.check(imported.dir, imported.head)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s %s: %w", part.flag, part.dir, err))
		}
	}
	// Here every instance has a port of its own.
	if file.Port != spec.Port {
		c.warnings = append(c.warnings, fmt.Sprintf("%s: port: the software listens on %d, and on AWS the load balancer would ask %d, as %s says",
			relayfile.Name, file.Port, spec.Port, envspec.File))
	}
	return c, errors.Join(problems...)
}

func checkWith(ctx context.Context, name string, parse func([]byte) error) func(dir, commit string) error {
	return func(dir, commit string) error {
		if _, err := look(ctx, dir, "cat-file", "-e", commit+":"+name); err != nil {
			return nil // the file is optional
		}
		text, err := look(ctx, dir, "show", commit+":"+name)
		if err != nil {
			return err
		}
		return parse([]byte(text))
	}
}

// readHistory takes a git repository as it is, at its HEAD, or makes one from a plain directory below scratch.
func readHistory(ctx context.Context, dir, scratch string) (history, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return history{}, errors.New("no such directory")
	case err != nil:
		return history{}, err
	case !info.IsDir():
		return history{}, errors.New("is a file; expected a directory or a git repository")
	}
	if !isRepository(ctx, dir) {
		return writeHistory(ctx, dir, scratch)
	}
	head, err := look(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return history{}, errors.New("is a git repository without commits; commit something first")
	}
	h := history{dir: dir, head: strings.TrimSpace(head), base: strings.TrimSpace(head)}
	// qa and production begin one commit behind, so that there is something to promote.
	if parent, err := look(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^1"); err == nil {
		h.base = strings.TrimSpace(parent)
	}
	return h, nil
}

// look reads a repository that may belong to somebody else than who rehearses; nothing of it is ever executed.
func look(ctx context.Context, dir string, args ...string) (string, error) {
	return git.Run(ctx, dir, append([]string{"-c", "safe.directory=*"}, args...)...)
}

// isRepository says that a directory is the top of a git repository; one below is a plain directory.
func isRepository(ctx context.Context, dir string) bool {
	top, err := look(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		bare, err := look(ctx, dir, "rev-parse", "--is-bare-repository")
		return err == nil && strings.TrimSpace(bare) == "true"
	}
	a, errA := filepath.EvalSymlinks(strings.TrimSpace(top))
	b, errB := filepath.EvalSymlinks(dir)
	absolute, errC := filepath.Abs(b)
	return errA == nil && errB == nil && errC == nil && a == absolute
}

// writeHistory makes two commits: an empty first one, as GitHub makes, and one with everything in the directory.
func writeHistory(ctx context.Context, dir, scratch string) (history, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return history{}, err
	}
	if entries, err := os.ReadDir(absolute); err != nil || len(entries) == 0 {
		return history{}, errors.Join(errors.New("is empty; expected files"), err)
	}
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return history{}, err
	}
	run := func(args ...string) string {
		if err != nil {
			return ""
		}
		var out string
		out, err = git.Run(ctx, scratch, append([]string{
			"--git-dir=" + filepath.Join(scratch, ".git"), "--work-tree=" + absolute,
			"-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com", "-c", "core.autocrlf=false",
		}, args...)...)
		return strings.TrimSpace(out)
	}
	run("init", "--quiet", "--initial-branch=main")
	run("commit", "--quiet", "--allow-empty", "--message=Initial commit")
	base := run("rev-parse", "HEAD")
	run("add", "--all", ".")
	run("commit", "--quiet", "--allow-empty", "--message=Import "+filepath.Base(absolute))
	head := run("rev-parse", "HEAD")
	if err != nil {
		return history{}, err
	}
	return history{dir: scratch, base: base, head: head, written: true}, nil
}
