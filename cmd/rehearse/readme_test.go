//go:build readme

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
)

// TestReadme does what the README tells a newcomer to do, by its own text, and sees what it shows: the demo, and the tour by hand. Then
// it ends the tour with Ctrl-C.
func TestReadme(t *testing.T) {
	tools, err := rehearsal.BuildTools(t.Context(), t.Output())
	require.NoError(t, err)
	t.Setenv("PATH", filepath.Dir(tools.Pulumi)+string(os.PathListSeparator)+os.Getenv("PATH"))
	desk := filepath.Join(tools.Root, "tour")
	require.NoDirExists(t, desk, "it is from a tour; remove it, the test makes its own")
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(desk)) })
	source, err := os.ReadFile(filepath.Join(tools.Root, "README.md"))
	require.NoError(t, err)
	blocks := readBlocks(source)
	seen := &transcript{known: map[string]string{}}
	marker := t.TempDir()

	// The demo's output is in the block after its command.
	demo := newTerminal(t, tools.Root, marker)
	require.Equal(t, "make demo     # set-up and a rehearsal of the whole relay", blocks[0].commands()[0].text)
	output := demo.run(t, "make demo")
	demo.leave()
	require.NoError(t, seen.match(append([]string{gap}, strings.Split(blocks[1].text, "\n")...), strings.Split(output, "\n")))

	seen.known = map[string]string{} // the tour is another rehearsal
	var first *firstTerminal
	person := newTerminal(t, tools.Root, marker)
	steps := 0
	for _, block := range blocks {
		if block.heading != "Try it by hand" {
			continue
		}
		require.Equal(t, "console", block.language)
		for _, command := range block.commands() {
			steps++
			text := seen.translate(command.text)
			if first == nil {
				first = startFirst(t, tools.Root, marker, text)
				output = first.until(t, "relay approve main DIGEST")
			} else {
				output = person.run(t, text)
			}
			require.NoError(t, seen.match(command.output, strings.Split(output, "\n")), "$ %s\n%s", text, output)
		}
	}
	assert.GreaterOrEqual(t, steps, 20, "the tour is not found whole")
	var answered asked
	require.NoError(t, json.Unmarshal([]byte(person.run(t, "rehearse ask main --output json")), &answered))
	assert.Len(t, answered.Instances, 2)

	for command, problem := range map[string]string{
		"rehearse ask prod":                                       `environment "prod": expected dev, qa, main`,
		"rehearse merge nonsense":                                 "nonsense: expected the address of a pull request",
		"rehearse merge software no-such":                         "opening a pull request of no-such into dev of demo-software",
		"rehearse merge software dev --into x":                    "opening a pull request of dev into x of demo-software",
		"rehearse merge $REHEARSAL_URL/example/demo-image/pull/9": "looking at pull request",
		"rehearse merge infrastructure morning":                   "opening a pull request of morning",
	} {
		output := person.run(t, command+"; [ $? = 1 ]")
		assert.Contains(t, output, "rehearse: error: "+problem)
	}

	person.leave()
	first.stop(t)
	assert.Empty(t, processes(t, marker), "processes are left")
	left, err := os.ReadDir(desk)
	require.NoError(t, err)
	require.Len(t, left, 1, "files are left")
	assert.Equal(t, "software", left[0].Name())
	left, err = os.ReadDir(marker)
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files are left")
}

// environ is a new terminal's environment, which knows nothing of a make that runs this test. TMPDIR marks its processes.
func environ(marker string) []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}, name)
	})
	return append(env, "TMPDIR="+marker)
}

// terminal is a shell that a person types commands into.
type terminal struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// leave closes it.
func (s *terminal) leave() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}

func newTerminal(t *testing.T, dir, marker string) *terminal {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "--norc")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, environ(marker), t.Output()
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s := &terminal{cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(s.leave)
	return s
}

// run types a command, and returns what it prints. It must exit with 0.
func (s *terminal) run(t *testing.T, command string) string {
	t.Helper()
	t.Log("$", command)
	const end = "that was all of it; it exits with "
	_, err := fmt.Fprintf(s.in, "{ %s\n} </dev/null 2>&1; echo; echo '%s'$?\n", command, end)
	require.NoError(t, err)
	var printed strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		require.NoError(t, err, "the shell is gone: %s\n%s", command, &printed)
		if code, ok := strings.CutPrefix(line, end); ok {
			require.Equal(t, "0", strings.TrimSpace(code), "exit code of %s:\n%s", command, &printed)
			return printed.String()
		}
		printed.WriteString(line)
	}
}

// firstTerminal is where the rehearsal stays up.
type firstTerminal struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
}

func startFirst(t *testing.T, dir, marker, command string) *firstTerminal {
	t.Helper()
	t.Log("$", command)
	f := &firstTerminal{cmd: exec.CommandContext(t.Context(), "bash", "-c", "exec "+command)}
	f.cmd.Dir, f.cmd.Env = dir, environ(marker)
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	f.cmd.Stdout, f.cmd.Stderr = writer, writer
	require.NoError(t, f.cmd.Start())
	require.NoError(t, writer.Close())
	f.lines = bufio.NewReader(reader)
	t.Cleanup(func() {
		_ = f.cmd.Process.Signal(os.Interrupt)
		_ = f.cmd.Wait()
		_ = reader.Close()
	})
	return f
}

// until returns what is printed up to a line that has this in it.
func (f *firstTerminal) until(t *testing.T, last string) string {
	t.Helper()
	var printed strings.Builder
	for !strings.Contains(printed.String(), last) {
		line, err := f.lines.ReadString('\n')
		printed.WriteString(line)
		require.NoError(t, err, &printed)
	}
	return printed.String()
}

// stop is Ctrl-C.
func (f *firstTerminal) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, syscall.Kill(-f.cmd.Process.Pid, syscall.SIGINT))
	var rest bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		_, _ = rest.ReadFrom(f.lines)
		ended <- f.cmd.Wait()
	}()
	select {
	case err := <-ended:
		require.NoError(t, err, "%s", &rest)
	case <-time.After(time.Minute):
		t.Fatal("still running a minute after Ctrl-C")
	}
	assert.NotContains(t, rest.String(), "error")
}
