// Package process runs other programs so that nothing of theirs outlives the caller: each gets a process group of its own,
// and the whole group goes when the context ends. It keeps the last lines of what they print for error messages. What is
// run, and with which environment, is the caller's business.
package process

import (
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// Grace is how long a group has to end after SIGTERM before it gets SIGKILL.
const Grace = 2 * time.Second

// Run runs a command made with exec.CommandContext in a process group of its own. When the command's context ends, the
// group gets SIGTERM and, Grace later, SIGKILL; the error is then the context's.
func Run(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var canceled time.Time
	cmd.Cancel = func() error {
		canceled = time.Now()
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	}
	// WaitDelay ends only the leader and the wait for its pipes; the rest of the group is for reap.
	cmd.WaitDelay = Grace
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Wait()
	if !canceled.IsZero() {
		reap(cmd.Process.Pid, canceled.Add(Grace))
	}
	return err
}

func reap(group int, deadline time.Time) {
	for time.Now().Before(deadline) {
		if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	// ESRCH means that the group ended by itself meanwhile.
	_ = syscall.Kill(-group, syscall.SIGKILL)
}

// ExitCode returns the exit code inside an error of Run, or -1 when the command did not start or a signal ended it.
func ExitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}
