package githubsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// zero is the commit of a ref that does not exist.
const zero = "0000000000000000000000000000000000000000"

// git runs git in one repository, blind to the configuration of the machine and of the person who runs the rehearsal.
type git struct {
	binary string
	dir    string
	env    []string
}

// gitError says that git ended with a status other than 0, which several commands use as an answer.
type gitError struct {
	command string
	code    int
	stderr  string
}

func (e *gitError) Error() string {
	return fmt.Sprintf("git %s: exit status %d: %s", e.command, e.code, strings.TrimSpace(e.stderr))
}

// exited reports whether err is git's exit status code.
func exited(err error, code int) bool {
	var e *gitError
	return errors.As(err, &e) && e.code == code
}

// run runs one git command and returns what it prints. A cancelled context ends its whole process group, because fetch
// and fast-import start processes of their own.
func (g git) run(ctx context.Context, stdin string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, g.binary, args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var kill *time.Timer
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		kill = time.AfterFunc(2*time.Second, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		return syscall.Kill(group, syscall.SIGTERM)
	}
	cmd.WaitDelay = 3 * time.Second
	err := cmd.Run()
	if kill != nil {
		kill.Stop()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("git %s: %w", args[0], ctx.Err())
	case errors.As(err, &exit):
		return stdout.String(), &gitError{command: args[0], code: exit.ExitCode(), stderr: stderr.String()}
	case err != nil:
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return stdout.String(), nil
}

// in returns git for another repository.
func (g git) in(dir string) git {
	g.dir = dir
	return g
}

// detached is the context of a change that has begun: who asked for it may leave, the change and the news of it must not
// be torn apart.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// ownDir, below Options.Dir, holds what is no repository. No owner can have this name.
const ownDir = ".githubsim"

// prepareGit writes git's configuration, and the template of repositories with their hooks, below dir and returns git and the path of git-http-backend.
//
// The configuration is a file rather than GIT_CONFIG_COUNT because a fetch from a local path clears those variables for
// the process that serves it, which then refuses repositories of another user.
func prepareGit(dir string) (git, string, error) {
	binary, err := exec.LookPath("git")
	if err != nil {
		return git{}, "", fmt.Errorf("git is not on PATH: %w", err)
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return git{}, "", err
	}
	own := filepath.Join(dir, ownDir)
	hooks, config := filepath.Join(own, "template", "hooks"), filepath.Join(own, "gitconfig")
	files := map[string]string{
		config:                               configuration,
		filepath.Join(hooks, "update"):       updateHook,
		filepath.Join(hooks, "post-receive"): postReceiveHook,
	}
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		return git{}, "", err
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			return git{}, "", err
		}
	}
	g := git{binary: binary, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + own, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + config, "GIT_TERMINAL_PROMPT=0",
	}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	libexec, err := g.run(ctx, "", "--exec-path")
	if err != nil {
		return git{}, "", err
	}
	backend := filepath.Join(strings.TrimSpace(libexec), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		return git{}, "", fmt.Errorf("this git cannot serve HTTP, install one with git-http-backend: %w", err)
	}
	return g, backend, nil
}

const configuration = `[safe]
	directory = *
[gc]
	auto = 0
[maintenance]
	auto = false
[receive]
	autogc = false
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
`

// updateHook refuses the update of one ref that breaks a rule. The server wrote down which rules bind this push (one a
// line: ref, condition, message, with tabs between); only git, which has the pushed commits, can tell whether the
// condition holds. Without that file, as in a push past the server, everything is refused.
const updateHook = `#!/bin/sh
set -u
[ -r "$GITHUBSIM_RULES" ] || exit 1
exec >&2
found=
while IFS='	' read -r ref condition message; do
	[ "$ref" = "$1" ] || continue
	case $condition in
	force) git merge-base --is-ancestor "$2" "$3" && continue ;;
	merges) [ -z "$(git rev-list --merges -n 1 "$2..$3")" ] && continue ;;
	esac
	if [ -z "$found" ]; then
		echo "error: GH013: Repository rule violations found for $1."
		echo "Review all repository rules at $GITHUBSIM_URL/rules?ref=$(printf %s "$1" | sed 's,/,%2F,g')"
		echo
	fi
	found=yes
	printf -- '- %s\n\n' "$message"
done <"$GITHUBSIM_RULES"
[ -z "$found" ]
`

// postReceiveHook tells the server which refs the push moved.
const postReceiveHook = `#!/bin/sh
cat >"$GITHUBSIM_MOVED"
`
