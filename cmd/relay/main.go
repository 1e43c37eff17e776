// Command relay is the one binary that runs inside the pipelines, on the instance that is baked, and on an operator's
// machine. This package is the command line alone: flags, what is printed where, exit codes. The work is done by the packages
// in internal/.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tekpossible/ha-devops/internal/retry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Main runs relay with the arguments after the program's name and returns its exit code.
func Main(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ui := &ui{stdin: stdin, stdout: stdout, stderr: stderr, getenv: lookup(environ)}
	root := newRootCommand(&deps{ui: ui, environ: environ, getenv: ui.getenv})
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(retry.Tell(ctx, func(text string) { ui.progress("%s", text) }))
	if err != nil {
		ui.fail(err)
	}
	return exitCode(err)
}
