package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rehearse": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true})
}

// rehearse returns the command, started inside the module, with a temporary directory of its own to know its processes by.
func rehearse(t *testing.T, args ...string) (cmd *exec.Cmd, marker string) {
	t.Helper()
	marker = t.TempDir()
	path, err := exec.LookPath("rehearse")
	require.NoError(t, err)
	cmd = exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+marker)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, marker
}

// TestJSON runs the command as a person would, and reads what a machine would.
func TestJSON(t *testing.T) {
	keep := filepath.Join(t.TempDir(), "kept")
	cmd, opened := rehearse(t, "--env", "dev", "--output", "json", "--keep", keep, "--open")
	fakeBrowser(t, cmd, opened)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	var printed struct {
		Environments []map[string]string
		Steps        []rehearsal.Step
	}
	require.NoError(t, json.Unmarshal(out, &printed))
	require.Len(t, printed.Environments, 1)
	dev := printed.Environments[0]
	assert.Equal(t, "dev", dev["name"])
	for _, key := range []string{"artifactTag", "amiId", "softwareCommit", "imageCommit", "answered"} {
		assert.NotEmpty(t, dev[key], key)
	}
	assert.NotEmpty(t, printed.Steps)
	for _, kept := range []string{"exports/dev.json", "github/example/demo-infrastructure.git/HEAD", "pipelines/logs", "aws/images", "buckets"} {
		assert.FileExists(t, firstFile(t, filepath.Join(keep, kept)), kept)
	}
	page := filepath.Join(keep, "relay.html")
	text := read(t, page)
	for _, part := range []string{"Released to dev", dev["artifactTag"], dev["amiId"], dev["softwareCommit"][:12], "1, healthy", "<rect", ">review</a>", ">log of Deploy</a>"} {
		assert.Contains(t, text, part)
	}
	links := regexp.MustCompile(`<a href="([^"#]+)"`).FindAllStringSubmatch(text, -1)
	assert.Len(t, links, 5, "the review, and the logs of build, bake, review and deployment")
	for _, link := range links {
		assert.FileExists(t, filepath.Join(keep, filepath.FromSlash(link[1])))
	}
	require.Eventually(t, func() bool { return read(t, filepath.Join(opened, "opened")) == page }, 10*time.Second, 50*time.Millisecond, "the browser is told of the page")
}

// fakeBrowser has what opens a page write the page's path to the file opened of a directory.
func fakeBrowser(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"xdg-open", "open"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nprintf %s \"$1\" >\""+dir+"/opened\"\n"), 0o755))
	}
	cmd.Env = append(cmd.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// read is the content of a file, empty where there is none.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return string(text)
}

// TestFaults lists the calls, kills the build that makes one of them by its number and by its name, and is told of a call that is not made.
func TestFaults(t *testing.T) {
	environments := func(args ...string) (found []map[string]string, calls []faults.Call) {
		t.Helper()
		cmd, _ := rehearse(t, append([]string{"--env", "dev", "--output", "json"}, args...)...)
		cmd.Stderr = t.Output()
		out, err := cmd.Output()
		require.NoError(t, err)
		var printed struct {
			Environments []map[string]string
			Calls        []faults.Call
		}
		require.NoError(t, json.Unmarshal(out, &printed))
		return printed.Environments, printed.Calls
	}
	undisturbed, calls := environments("--fault", "list")
	require.Greater(t, len(calls), 50)
	const name = "dev/infrastructure/Deploy pulumi.create Group app#1"
	require.True(t, slices.ContainsFunc(calls, func(c faults.Call) bool { return c.Name == name }), "%v", calls)
	disturbed, none := environments("--fault", "kill-before:5", "--fault", "kill-before:"+name)
	assert.Empty(t, none)
	require.Len(t, disturbed, len(undisturbed))
	assert.Equal(t, disturbed[0]["artifactTag"], disturbed[0]["answered"])

	cmd, _ := rehearse(t, "--env", "dev", "--fault", "delay:100000")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(out), "0 of 1 faults happened: the other calls were not made; see --fault list")
}

// TestAsk answers a review as a person would: first something else, then yes or no.
func TestAsk(t *testing.T) {
	for answer, want := range map[string]int{"what?\nyes\n": exitDone, "no\n": exitFailed, "": exitFailed} {
		page := filepath.Join(t.TempDir(), "new", "page.html")
		cmd, _ := rehearse(t, "--env", "dev", "--approve", "ask", "--page", page)
		cmd.Stdin = strings.NewReader(answer)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		assert.Equal(t, want, cmd.ProcessState.ExitCode(), "%q: %s", answer, stderr.String())
		assert.Contains(t, stderr.String(), "- `create` `app` `aws:autoscaling/group:Group`", "the report is shown")
		assert.Contains(t, stderr.String(), "Approve and deploy exactly this? [yes/no]")
		assert.Equal(t, want == exitDone, strings.Contains(string(out), "INSTANCES ANSWERED"), "%q", answer)
		text := read(t, page)
		assert.Equal(t, want == exitFailed, strings.Contains(text, "failed at Approve"), "%q: the page says where it failed", answer)
		assert.Contains(t, stderr.String(), "rehearse: the page of it is "+page)
		assert.NotContains(t, text, "<a href=\"pipelines", "nothing was kept to link to")
	}
}

func firstFile(t *testing.T, path string) string {
	t.Helper()
	found := path
	require.NoError(t, filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = p
			return filepath.SkipAll
		}
		return err
	}))
	return found
}

// TestInterruptLeavesNothing sends Ctrl-C's signal at moments of every part of a rehearsal. A listening port needs a process, so that
// none is left when no process is.
func TestInterruptLeavesNothing(t *testing.T) {
	for _, after := range []time.Duration{200 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 5 * time.Second, 8 * time.Second, 11 * time.Second, 14 * time.Second, 18 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			cmd, marker := rehearse(t, "--env", "qa")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			require.NoError(t, cmd.Start())
			time.Sleep(after)
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit, stderr.String())
				if exit.ExitCode() == -1 {
					assert.Empty(t, stderr.String(), "the signal came before the program's first line, and only then may it end it")
					break
				}
				assert.Equal(t, exitFailed, exit.ExitCode(), stderr.String())
				assert.Contains(t, stderr.String(), "rehearse: error: interrupted; everything that ran was stopped")
			case <-time.After(30 * time.Second):
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				t.Fatalf("still running 30 s after the signal:\n%s", stderr.String())
			}
			assert.Empty(t, processes(t, marker))
			left, err := os.ReadDir(marker)
			require.NoError(t, err)
			assert.Empty(t, left, "temporary files are left")
		})
	}
}

// processes are the processes that have the marker in their command line or environment.
func processes(t *testing.T, marker string) []string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "ps", "axwwe", "-o", "pid=,command=").Output()
	require.NoError(t, err)
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, marker) && !strings.Contains(line, "ps axwwe") {
			found = append(found, strings.TrimSpace(line)[:min(200, len(strings.TrimSpace(line)))])
		}
	}
	return found
}
