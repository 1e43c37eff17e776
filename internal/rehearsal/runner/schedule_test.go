package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestActionsOfOneRunOrderRunAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	// Each waits for the other: in turn they would never end.
	meet := fmt.Sprintf("touch %[1]s/$ME; for i in $(seq 100); do test -e %[1]s/$OTHER && break; sleep 0.05; done; test -e %[1]s/$OTHER\n", w.dir)
	w.project("A", meet, "", m{"name": "ME", "value": "a"}, m{"name": "OTHER", "value": "b"})
	w.project("B", meet, "", m{"name": "ME", "value": "b"}, m{"name": "OTHER", "value": "a"})
	w.project("C", "test -e "+w.dir+"/a\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("C", m{"runOrder": 2}), buildAction("A", nil), buildAction("B", m{"runOrder": 1})})
	assert.Equal(t, Succeeded, w.finish("p").Status)
}

func TestApproval(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "export DIGEST=d1\n", "env: {exported-variables: [DIGEST]}\n")
	w.pipeline("p", "SUPERSEDED", []any{buildAction("Build", nil)}, []any{approvalAction("digest #{Build.DIGEST}")})
	var asked Approval
	w.approve = func(_ context.Context, a Approval) (bool, string, error) {
		asked = a
		return false, "not on a Friday", nil
	}
	assert.Contains(t, failure(t, w.finish("p")), "rejected: not on a Friday")
	assert.Equal(t, "digest d1", asked.CustomData)
	assert.Equal(t, "dev", asked.Environment)
	assert.Equal(t, "d1", asked.Variables["Build.DIGEST"])
	w.approve = func(context.Context, Approval) (bool, string, error) { return true, "fine", nil }
	assert.Equal(t, Succeeded, w.finish("p").Status)
}

func TestTheNewestOvertakesThoseBeforeAnApproval(t *testing.T) {
	w := newWorld(t)
	w.pipeline("p", "SUPERSEDED", []any{approvalAction("")})
	decide, waiting := make(chan bool), make(chan string, 9)
	w.approve = func(ctx context.Context, a Approval) (bool, string, error) {
		waiting <- a.Execution
		select {
		case approved := <-decide:
			return approved, "", nil
		case <-ctx.Done():
			return false, "", ctx.Err()
		}
	}
	var ids []string
	for i := range 4 {
		id, err := w.Start("p", "")
		require.NoError(t, err)
		ids = append(ids, id)
		if i == 0 {
			require.Equal(t, id, <-waiting)
		} else {
			// The one before it gives way only when this one is done with the source.
			require.Eventually(t, func() bool { return i == 1 || w.execution(ids[i-1]).Status == Superseded }, 10*time.Second, time.Millisecond)
		}
	}
	assert.Equal(t, InProgress, w.execution(ids[0]).Status, "a waiting approval was taken away")
	decide <- true
	require.Equal(t, ids[3], <-waiting)
	decide <- true
	w.wait()
	var got []Status
	for _, e := range w.Executions() {
		got = append(got, e.Status)
	}
	assert.Equal(t, []Status{Succeeded, Superseded, Superseded, Succeeded}, got)
}

func TestQueuedExecutionsKeepTheirOrder(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "echo $E >> "+w.dir+"/order; sleep 0.05\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", m{"configuration": m{
		"ProjectName": "Build", "EnvironmentVariables": `[{"name":"E","value":"#{codepipeline.PipelineExecutionId}"}]`,
	}})})
	var want string
	for range 4 {
		id, err := w.Start("p", "")
		require.NoError(t, err)
		want += id + "\n"
	}
	w.wait()
	got, err := os.ReadFile(filepath.Join(w.dir, "order"))
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
}

func TestCloseLeavesNoProcess(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "trap '' TERM; echo $$ > "+w.dir+"/pid; (trap '' TERM; sleep 60) & sleep 60\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
	id, err := w.Start("p", "")
	require.NoError(t, err)
	var pid string
	require.Eventually(t, func() bool {
		data, _ := os.ReadFile(filepath.Join(w.dir, "pid"))
		pid = strings.TrimSpace(string(data))
		return pid != ""
	}, 10*time.Second, 5*time.Millisecond)
	w.Close()
	assert.Equal(t, Stopped, w.execution(id).Status)
	require.Eventually(t, func() bool {
		return exec.Command("kill", "-0", "--", "-"+pid).Run() != nil
	}, 5*time.Second, 20*time.Millisecond, "processes of the build live on")
	_, err = w.Start("p", "")
	assert.ErrorContains(t, err, "closed")
}

func TestDeletingAPipelineStopsIt(t *testing.T) {
	w := newWorld(t)
	w.pipeline("p", "QUEUED", []any{approvalAction("")})
	asked := make(chan struct{})
	w.approve = func(ctx context.Context, _ Approval) (bool, string, error) {
		close(asked)
		<-ctx.Done()
		return false, "", ctx.Err()
	}
	id, err := w.Start("p", "")
	require.NoError(t, err)
	<-asked
	assert.False(t, w.Idle())
	w.DeletePipeline("p")
	w.wait()
	assert.Equal(t, Stopped, w.execution(id).Status)
	_, err = w.Start("p", "")
	assert.ErrorIs(t, err, ErrNoPipeline)
}
