// Package git runs the git binary, always with the same isolated environment, and turns a failure into an error that says
// which command failed where and what git said. What the commands mean is for the packages that call it.
package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/tekpossible/ha-devops/internal/process"
)

// Error is a git command that failed. It never holds credentials.
type Error struct {
	// Dir is where the command ran.
	Dir string
	// Command is the command line.
	Command string
	// Output is the last lines that git printed, to standard error first of all.
	Output string
	// Code is git's exit code, or -1 when it did not run to its end.
	Code int
	// Err is the cause.
	Err error
}

// Error names command, folder, cause and what git said.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s in %s: %v", e.Command, e.Dir, e.Err)
	if e.Output != "" {
		text += ": " + strings.ReplaceAll(e.Output, "\n", "; ")
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Run runs git in dir and returns what it wrote to standard output, as it is. Its error is an *Error.
func Run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = environ()
	var stdout strings.Builder
	var stderr process.Tail
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := process.Run(cmd); err != nil {
		return "", &Error{
			Dir: dir, Command: redact("git " + strings.Join(args, " ")), Output: redact(stderr.String()),
			Code: process.ExitCode(err), Err: err,
		}
	}
	return stdout.String(), nil
}

// environ keeps the machine's and the person's settings out: an alias or a hook path must not change what relay does.
func environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "TMPDIR=" + os.TempDir(), "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0",
		// A build machine's checkout often belongs to another user than the one who builds, and git would then refuse it.
		// The caller names the folder itself, so there is nothing to guard (git-config, safe.directory).
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
	}
}

var userinfo = regexp.MustCompile(`([a-z+]+://)[^/@\s]+@`)

func redact(s string) string { return userinfo.ReplaceAllString(s, "${1}***@") }
