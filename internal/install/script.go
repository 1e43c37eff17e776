package install

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/process"
)

// ScriptError says that a script of the image repository, or systemctl, ended with an error.
type ScriptError struct {
	// Name is what ran, such as "config.json: image.setup: bin/setup".
	Name string
	// Output is the last lines that it printed.
	Output string
	Err    error
}

// Error names the script, how it ended, and its last lines.
func (e *ScriptError) Error() string {
	text := fmt.Sprintf("%s: %v", e.Name, e.Err)
	if e.Output != "" {
		text += "\n" + e.Output
	}
	return text
}

// Unwrap returns the cause.
func (e *ScriptError) Unwrap() error { return e.Err }

// script runs a script of the image repository in the image repository's content: itself if it is executable, else in bash.
func (m Machine) script(ctx context.Context, at Paths, man manifest.Manifest, key, file string) error {
	full := filepath.Join(at.Image, filepath.FromSlash(file))
	cmd := exec.CommandContext(ctx, "bash", full)
	if info, err := os.Stat(full); err == nil && info.Mode()&0o111 != 0 {
		cmd = exec.CommandContext(ctx, full)
	}
	cmd.Dir = at.Image
	return m.run(cmd, man, fmt.Sprintf("%s: image.%s: %s", imageconfig.Name, key, file))
}

// enable has systemd start the service at boot. systemctl works on the files here, no manager needs to run.
func (m Machine) enable(ctx context.Context, man manifest.Manifest) error {
	cmd := exec.CommandContext(ctx, "systemctl", "enable", man.Product)
	return m.run(cmd, man, strings.Join(cmd.Args, " "))
}

func (m Machine) run(cmd *exec.Cmd, man manifest.Manifest, name string) error {
	cmd.Env = append(m.Environ[:len(m.Environ):len(m.Environ)], "DESTDIR="+m.DestDir, "PRODUCT="+man.Product,
		"ENVIRONMENT="+man.Environment, "RELEASE="+man.Release.ArtifactTag)
	var tail process.Tail
	// One writer for both, so that exec copies them in one goroutine.
	out := io.MultiWriter(m.Log, &tail)
	cmd.Stdout, cmd.Stderr = out, out
	if err := process.Run(cmd); err != nil {
		return &ScriptError{Name: name, Output: tail.String(), Err: err}
	}
	return nil
}
