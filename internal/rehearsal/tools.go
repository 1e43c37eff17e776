package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tekpossible/ha-devops/internal/process"
)

// module is the path of the module whose programs a rehearsal runs.
const module = "github.com/tekpossible/ha-devops"

// Tools are the programs that a rehearsal runs.
type Tools struct {
	// Root is the directory of this module's source.
	Root string
	// Relay is the relay binary, Pulumi the Pulumi CLI.
	Relay, Pulumi string
}

// BuildTools builds relay from this module's source, and finds or builds a Pulumi CLI. It tells progress what takes long.
func BuildTools(ctx context.Context, progress io.Writer) (Tools, error) {
	// The go command leaves its temporary files behind when it is stopped.
	scratch, err := os.MkdirTemp("", "rehearsal-build-")
	if err != nil {
		return Tools{}, err
	}
	defer os.RemoveAll(scratch)
	output := func(ctx context.Context, dir, name string, args ...string) (string, error) {
		return output(ctx, dir, scratch, progress, name, args...)
	}
	root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil || root == "" {
		return Tools{}, fmt.Errorf("finding the source of %s: run rehearse inside a clone of it: %w", module, err)
	}
	t := Tools{Root: root, Relay: filepath.Join(root, "bin", "relay")}
	if t.Pulumi, err = output(ctx, root, filepath.Join(root, "tools", "pulumi")); err != nil {
		return t, fmt.Errorf("getting a Pulumi CLI: %w", err)
	}
	if _, err := os.Stat(t.Relay); err != nil {
		fmt.Fprintln(progress, "Building relay: 3 to 5 minutes the first time on two cores, a few seconds later on.")
	}
	// Without symbols it is half as large, as published ones are.
	if _, err = output(ctx, root, "go", "build", "-ldflags=-s -w", "-o", t.Relay, "./cmd/relay"); err != nil {
		return t, fmt.Errorf("building relay: %w", err)
	}
	return t, nil
}

// UsePulumi puts a Pulumi CLI first on this process's PATH, where the Automation API looks for it.
func UsePulumi(path string) error {
	return os.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func output(ctx context.Context, dir, scratch string, progress io.Writer, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = dir, &out, progress, append(os.Environ(), "TMPDIR="+scratch)
	if err := process.Run(cmd); err != nil {
		return "", fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return strings.TrimSpace(out.String()), nil
}
