package runner

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eventually waits until something is so.
func (w *world) eventually(so func() bool) {
	w.t.Helper()
	require.Eventually(w.t, so, 10*time.Second, time.Millisecond)
}

// last is the newest run of an action of the pipeline p.
func (w *world) last(stage, action int) Action {
	w.t.Helper()
	p, err := w.Pipeline("p")
	require.NoError(w.t, err)
	return p.Stages[stage].Latest[action]
}

func TestWhoIsFirstDecides(t *testing.T) {
	w := newWorld(t)
	w.opts.Approver = "arn:callback"
	w.pipeline("p", "QUEUED", []any{approvalAction("")})
	asked, cancelled := make(chan Approval, 1), make(chan struct{})
	w.approve = func(ctx context.Context, a Approval) (bool, string, error) {
		asked <- a
		<-ctx.Done()
		close(cancelled)
		return false, "too late", nil
	}
	id, err := w.Start("p", "")
	require.NoError(t, err)
	d := Decision{Pipeline: "p", Stage: "Stage1", Action: "Approve", Token: (<-asked).Token, Approved: true, Summary: "yes", By: "arn:me"}
	at, err := w.Decide(d)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), at, time.Minute)
	<-cancelled
	w.wait()
	assert.Equal(t, Succeeded, w.execution(id).Status)
	assert.Equal(t, "arn:me", w.last(1, 0).By)
	assert.Equal(t, "yes", w.last(1, 0).Summary)

	w.approve = func(_ context.Context, a Approval) (bool, string, error) { asked <- a; return true, "first", nil }
	w.finish("p")
	assert.Equal(t, "arn:callback", w.last(1, 0).By)
	d.Token = (<-asked).Token
	_, err = w.Decide(d)
	require.ErrorIs(t, err, ErrDecided)
	d.Stage = "Stage9"
	_, err = w.Decide(d)
	require.ErrorIs(t, err, ErrNoStage)
}

func TestOneOfManyDecides(t *testing.T) {
	w := newWorld(t)
	w.opts.Approve = nil
	w.pipeline("p", "QUEUED", []any{approvalAction("")})
	id, err := w.Start("p", "")
	require.NoError(t, err)
	w.eventually(func() bool { return w.last(1, 0).Token != "" })
	d := Decision{Pipeline: "p", Stage: "Stage1", Action: "Approve", Token: w.last(1, 0).Token, Approved: true}
	errs := make([]error, 16)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = w.Decide(d) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			assert.ErrorIs(t, err, ErrDecided)
		}
	}
	assert.Equal(t, 1, won)
	w.wait()
	assert.Equal(t, Succeeded, w.execution(id).Status)
}

// What ran before the stage is not run again, and what it made is still there.
func TestARetryHasTheArtifactsOfEarlierStages(t *testing.T) {
	w := newWorld(t)
	w.project("Make", "echo x >> "+w.dir+"/made; mkdir out; echo made > out/file\n", "artifacts: {base-directory: out, files: ['**/*']}\n")
	w.project("Other", "echo x >> "+w.dir+"/others\n", "")
	w.project("Use", "cat file; test -e "+w.dir+"/ready\n", "")
	w.pipeline("p", "QUEUED",
		[]any{buildAction("Make", m{"outputArtifacts": []any{"out"}})},
		[]any{buildAction("Other", nil), buildAction("Use", m{"inputArtifacts": []any{"out"}})})
	e := w.finish("p")
	require.Equal(t, Failed, e.Status)
	require.Len(t, e.Stages[2].Actions, 2)
	assert.Equal(t, "stage Stage2: action Use failed", e.Reason)
	require.ErrorIs(t, w.Retry("p", "Stage1", e.ID, true), ErrNotRetryable)
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "ready"), nil, 0o600))
	require.NoError(t, w.Retry("p", "Stage2", e.ID, false))
	w.wait()
	e = w.execution(e.ID)
	assert.Equal(t, Succeeded, e.Status)
	assert.Empty(t, e.Reason)
	lines := func(file string) string {
		data, err := os.ReadFile(filepath.Join(w.dir, file))
		require.NoError(t, err)
		return string(data)
	}
	assert.Equal(t, "x\n", lines("made"))
	assert.Equal(t, "x\n", lines("others"), "an action that succeeded is not run again")
	var use []Action
	for _, a := range e.Stages[2].Actions {
		if a.Name == "Use" {
			use = append(use, a)
		}
	}
	require.Len(t, use, 2)
	assert.NotEqual(t, use[0].LogFile, use[1].LogFile)
	assert.FileExists(t, use[0].LogFile)
	assert.NoDirExists(t, filepath.Join(w.dir, "executions", e.ID))
	require.ErrorIs(t, w.Retry("p", "Stage2", e.ID, true), ErrNotRetryable)
}

func TestAllActionsOfAStageRunAgain(t *testing.T) {
	w := newWorld(t)
	w.project("A", "echo x >> "+w.dir+"/a\n", "")
	w.project("B", "test -e "+w.dir+"/ready\n", "")
	w.pipeline("p", "PARALLEL", []any{buildAction("A", nil), buildAction("B", m{"runOrder": 2})})
	e := w.finish("p")
	require.Equal(t, Failed, e.Status)
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "ready"), nil, 0o600))
	require.NoError(t, w.Retry("p", "Stage1", e.ID, true))
	w.wait()
	assert.Equal(t, Succeeded, w.execution(e.ID).Status)
	data, err := os.ReadFile(filepath.Join(w.dir, "a"))
	require.NoError(t, err)
	assert.Equal(t, "x\nx\n", string(data))
}

func TestStoppingLetsWhatRunsEnd(t *testing.T) {
	w := newWorld(t)
	w.project("A", "while ! test -e "+w.dir+"/go; do sleep 0.02; done\n", "")
	w.project("B", "true\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("A", nil), buildAction("B", m{"runOrder": 2})})
	id, err := w.Start("p", "")
	require.NoError(t, err)
	w.eventually(func() bool { return len(w.Builds()) == 1 })
	require.NoError(t, w.Stop("p", id, false, "enough"))
	assert.False(t, w.Idle())
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "go"), nil, 0o600))
	w.wait()
	e := w.execution(id)
	assert.Equal(t, Stopped, e.Status)
	assert.Equal(t, "enough", e.Reason)
	require.Len(t, e.Stages[1].Actions, 1, "nothing begins after it")
	assert.Equal(t, Succeeded, e.Stages[1].Actions[0].Status)
	assert.Equal(t, "SUCCEEDED", w.Builds()[0].Status)
	require.NoError(t, w.Retry("p", "Stage1", id, false), "what was stopped can go on")
	w.wait()
	e = w.execution(id)
	assert.Equal(t, Succeeded, e.Status)
	assert.Len(t, e.Stages[1].Actions, 2)
}

func TestAbandoningEndsWhatRuns(t *testing.T) {
	w := newWorld(t)
	w.project("A", "sleep 60\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("A", nil)})
	id, err := w.Start("p", "")
	require.NoError(t, err)
	w.eventually(func() bool { return len(w.Builds()) == 1 })
	require.NoError(t, w.Stop("p", id, true, ""))
	w.wait()
	assert.Equal(t, Stopped, w.execution(id).Status)
	assert.Equal(t, Abandoned, w.last(1, 0).Status)
	assert.Equal(t, "STOPPED", w.Builds()[0].Status)
	require.ErrorIs(t, w.Stop("p", id, true, ""), ErrNotStoppable)
}

func TestATimedOutBuildSaysSo(t *testing.T) {
	w := newWorld(t)
	w.project("A", "sleep 60\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("A", nil)})
	w.projects["A"].limit = time.Second
	w.finish("p")
	assert.Equal(t, "TIMED_OUT", w.Builds()[0].Status)
}

// A machine that dies takes everything with it, also what is in a process group of its own; the stage can be retried.
func TestAKilledBuildLeavesNoProcess(t *testing.T) {
	w := newWorld(t)
	pid := filepath.Join(w.dir, "pid")
	w.project("A", "test -e "+w.dir+"/again || (set -m; sleep 300 & echo $! > "+pid+".new; mv "+pid+".new "+pid+"; wait)\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("A", nil)})
	id, err := w.Start("p", "")
	require.NoError(t, err)
	w.eventually(func() bool { _, err := os.Stat(pid); return err == nil })
	require.NoError(t, w.Kill("somebody else's"))
	build := w.Builds()[0]
	require.True(t, build.Running())
	assert.Equal(t, "A", build.Action)
	require.NoError(t, w.Kill(build.ID))
	w.wait()
	assert.Contains(t, failure(t, w.execution(id)), "signal: killed")
	text, err := os.ReadFile(pid)
	require.NoError(t, err)
	sleeper, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	w.eventually(func() bool { return syscall.Kill(sleeper, 0) != nil })

	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "again"), nil, 0o600))
	require.NoError(t, w.Kill(build.ID), "it has ended")
	require.NoError(t, w.Retry("p", "Stage1", id, false))
	w.wait()
	assert.Equal(t, Succeeded, w.execution(id).Status)
}
