package awssim

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a started command together with everything that it started: its process group.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the command itself has ended
	err  error         // why, as exec.Cmd.Wait says; to be read after done
}

// patience is how long a process group has to end after SIGTERM before SIGKILL ends it.
const patience = 2 * time.Second

// startProcess starts a command in a process group of its own. Its output must be a file, not a writer, as waiting for the
// copy to end would mean waiting for a grandchild that keeps the pipe.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop ends the whole group and returns when it is gone. It does so also for what a command that has ended left behind.
func (p *process) stop() {
	group := -p.cmd.Process.Pid
	deadline := time.Now().Add(patience)
	for err := syscall.Kill(group, syscall.SIGTERM); err == nil && time.Now().Before(deadline); err = syscall.Kill(group, 0) {
		time.Sleep(5 * time.Millisecond)
	}
	syscall.Kill(group, syscall.SIGKILL) // the group is gone, which is what was wanted
	<-p.done
}

// writeExecutable writes a file that is started right after. No process may be forked meanwhile: the child would hold the
// file open for writing until its exec, and starting the file would be refused with ETXTBSY (golang/go#22315).
func writeExecutable(write func() error) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return write()
}

// tail returns the last lines of a log, 20 at most, each with a line break before it. An unreadable log has none.
func tail(path string) string {
	const maxLines, maxBytes = 20, 8 << 10
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	buffer := make([]byte, maxBytes)
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	n, _ := file.ReadAt(buffer, max(0, info.Size()-maxBytes)) // what could be read is as good as it gets
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(buffer[:n]), "?")), "\n")
	lines = lines[max(0, len(lines)-maxLines):]
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return "\n" + strings.Join(lines, "\n")
}
