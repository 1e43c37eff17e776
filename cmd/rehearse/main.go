// Command rehearse runs the whole delivery system on one machine, without any account: see package internal/rehearsal.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Main runs the command and returns the exit code: 0 when everything was released and answered, 1 when the rehearsal failed, 2 when
// flags or the content of the repositories are bad.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == runner.AWSArgument {
		return runner.AWSMain(ctx, args[1:], stderr)
	}
	return run(ctx, args, stdin, stdout, stderr)
}
