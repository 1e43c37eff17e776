package process

import (
	"bytes"
	"strings"
)

// The most that a Tail keeps. A command that prints without line ends must not fill the memory.
const (
	tailLines = 20
	tailBytes = 8 << 10
)

// Tail is an io.Writer that keeps the last 20 lines written to it, at most 8 KiB. Its zero value is ready for use. exec.Cmd
// writes from one goroutine when Stdout and Stderr are the same Tail, so it has no lock.
type Tail struct{ kept []byte }

// Write keeps the end of what has been written; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailBytes; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// String returns the last lines without a line end after the last one.
func (t *Tail) String() string {
	lines := bytes.Split(bytes.TrimRight(t.kept, "\r\n"), []byte("\n"))
	if len(lines) > tailLines {
		lines = lines[len(lines)-tailLines:]
	}
	return strings.ToValidUTF8(string(bytes.Join(lines, []byte("\n"))), "\uFFFD")
}
