package rehearsal_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// tools are built once for all tests.
var tools rehearsal.Tools

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runner.AWSArgument {
		os.Exit(runner.AWSMain(context.Background(), os.Args[2:], os.Stderr))
	}
	var err error
	if tools, err = rehearsal.BuildTools(context.Background(), os.Stderr); err == nil {
		err = rehearsal.UsePulumi(tools.Pulumi)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// world is what a test rehearses with; directories that it leaves out are the examples.
type world struct {
	software, image, infrastructure string
	damage, rewrite                 func(typ, name string, in resource.PropertyMap) resource.PropertyMap
	approve                         func(context.Context, runner.Approval, string) (bool, string, error)
}

func (w world) options(t *testing.T) rehearsal.Options {
	example := func(dir, name string) string {
		if dir != "" {
			return dir
		}
		return filepath.Join(tools.Root, "examples", name)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	timeline := rehearsal.NewTimeline(t.Output(), false)
	t.Cleanup(timeline.Close)
	if w.approve == nil {
		w.approve = func(context.Context, runner.Approval, string) (bool, string, error) { return true, "", nil }
	}
	return rehearsal.Options{
		Software: example(w.software, "software"), Image: example(w.image, "image"), Infrastructure: example(w.infrastructure, "infrastructure"),
		Dir: t.TempDir(), Relay: tools.Relay, Self: self, Timeline: timeline, Damage: w.damage, Rewrite: w.rewrite, Approve: w.approve,
	}
}

// start starts a rehearsal and provisions environments; it is closed when the test ends.
func (w world) start(t *testing.T, environments ...string) *rehearsal.Rehearsal {
	t.Helper()
	r, err := rehearsal.Start(t.Context(), w.options(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	for _, environment := range environments {
		require.NoError(t, r.Provision(t.Context(), environment))
	}
	return r
}

// files writes files below a new directory.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, content)
	return dir
}

func write(t *testing.T, dir string, content map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(content)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content[name]), 0o755))
	}
}

// soon gives a test that should fail early a deadline, so that one that hangs says where.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
