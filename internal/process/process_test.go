package process_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/process"
)

func TestCancelEndsTheWholeGroupEvenWhatIgnoresSIGTERM(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "bash", "-c", `(trap '' TERM; echo $BASHPID > "$0"; while :; do sleep 0.1; done) & wait`, pidFile)
	cmd.Stdout = &process.Tail{}
	done := make(chan error, 1)
	go func() { done <- process.Run(cmd) }()
	var pid int
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(pidFile)
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0
	}, 5*time.Second, 10*time.Millisecond)
	cancel()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(3 * process.Grace):
		t.Fatal("Run did not return")
	}
	assert.Eventually(t, func() bool { return gone(pid) }, 2*time.Second, 10*time.Millisecond, "pid %d lives", pid)
}

// gone also takes a zombie for gone: where init is no reaper, the dead child of a dead parent stays in the table.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	out, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	state := strings.TrimSpace(string(out))
	return state == "" || strings.HasPrefix(state, "Z")
}

func TestExitCode(t *testing.T) {
	err := process.Run(exec.CommandContext(t.Context(), "bash", "-c", "exit 7"))
	assert.Equal(t, 7, process.ExitCode(fmt.Errorf("wrapped: %w", err)))
	assert.Equal(t, -1, process.ExitCode(process.Run(exec.CommandContext(t.Context(), "/no/such/program"))))
}

func TestTailKeepsTheEnd(t *testing.T) {
	var tail process.Tail
	for i := range 1000 {
		fmt.Fprintf(&tail, "line %d\n", i)
	}
	lines := strings.Split(tail.String(), "\n")
	assert.Len(t, lines, 20)
	assert.Equal(t, "line 999", lines[19])

	var endless process.Tail
	for range 100 {
		_, _ = endless.Write([]byte(strings.Repeat("x", 1000)))
	}
	assert.LessOrEqual(t, len(endless.String()), 8<<10)
}
