package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// grace is how long processes have between SIGTERM and SIGKILL.
const grace = 2 * time.Second

// run runs a command in a process group of its own, with its output in a file, and leaves no process of the group behind:
// when the context ends they get SIGTERM and then SIGKILL, when the command ends by itself what it left running is killed. It tells
// started the process's ID.
func run(ctx context.Context, dir string, env []string, log *os.File, started func(pid int), name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	started(cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	group := -cmd.Process.Pid
	defer func() { _ = syscall.Kill(group, syscall.SIGKILL) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	_ = syscall.Kill(group, syscall.SIGTERM)
	// The whole group gets its time, not only its leader: a shell dies at once, what it started may want to clean up.
	for end := time.Now().Add(grace); time.Now().Before(end) && syscall.Kill(group, 0) == nil; {
		time.Sleep(20 * time.Millisecond)
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-ended
	return context.Cause(ctx)
}

// kill ends a process with SIGKILL, together with all that it started, also in process groups of their own. They are stopped first, so
// that none starts another meanwhile.
func kill(pid int) error {
	_ = syscall.Kill(-pid, syscall.SIGSTOP) // what has ended needs no signal
	table, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return fmt.Errorf("ps: %w", err)
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(table)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err != nil {
			return fmt.Errorf("ps says %q: %w", line, err)
		}
		children[parent] = append(children[parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	for _, one := range all {
		_ = syscall.Kill(one, syscall.SIGKILL)
	}
	return nil
}

// output runs a short command and returns what it prints.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// lastLines returns the last n lines of a file.
func lastLines(path string, n int) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n"), nil
}
