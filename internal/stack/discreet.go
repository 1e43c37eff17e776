package stack

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// discreet passes Pulumi's output on line by line, up to the message of a violated plan, which would show secrets: of that line only
// the beginning, and nothing of what follows. What went wrong is in the run's error. The command's two outputs may write at once.
type discreet struct {
	mu   sync.Mutex
	to   io.Writer
	line []byte
	shut bool
}

func (d *discreet) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = append(d.line, p...)
	for !d.shut {
		end := bytes.IndexByte(d.line, '\n')
		if end < 0 {
			return len(p), nil
		}
		line := string(d.line[:end+1])
		d.line = d.line[end+1:]
		if strings.Contains(line, violates) {
			line, d.shut = redact(line)+"\n", true
		}
		if _, err := io.WriteString(d.to, line); err != nil {
			return 0, err
		}
	}
	d.line = nil
	return len(p), nil
}
