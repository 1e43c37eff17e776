package deploy_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deploy"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/review"
)

// TestEachRefusalAndItsControl tampers with one thing and sees the deployment refused and nothing changed; with the tampering undone the
// same review deploys.
func TestEachRefusalAndItsControl(t *testing.T) {
	stored := func(name string) func(w *world) func() {
		return func(w *world) func() {
			before := w.object(name)
			w.overwrite(name, append(append([]byte{}, before...), ' '))
			return func() { w.overwrite(name, before) }
		}
	}
	w := newWorld(t)
	restore := w.checkpoint()
	for name, c := range map[string]struct {
		tamper func(w *world) (undo func())
		want   string
	}{
		"the manifest was changed": {stored(review.ManifestFile), "digest of review.json"},
		"the plan was changed":     {stored(review.PlanFile), review.PlanFile},
		"the preview was changed":  {stored(review.PreviewFile), review.PreviewFile},
		"the page was changed":     {stored(review.PageFile), review.PageFile},
		"the report was changed":   {stored(review.MarkdownFile), review.MarkdownFile},
		"the JUnit was changed":    {stored(review.JUnitFile), review.JUnitFile},
		"the SARIF was changed":    {stored(review.SARIFFile), review.SARIFFile},
		"the JSON was changed":     {stored(review.ReportFile), review.ReportFile},
		"it was not approved":      {func(w *world) func() { w.given = false; return func() { w.given = true } }, "approval of execution e-2"},
		"a newer review was made":  {func(w *world) func() { w.newer = "e-3"; return func() { w.newer = "" } }, "newest review of dev"},
		"it has expired": {func(w *world) func() {
			now := w.run.Now
			w.run.Now = now.Add(48 * time.Hour)
			return func() { w.run.Now = now }
		}, "age of the review"},
		"another relay runs": {func(w *world) func() {
			w.run.Relay = strings.Repeat("cd", 32)
			return func() { w.run.Relay = strings.Repeat("ab", 32) }
		}, "relay binary"},
		"another Pulumi CLI runs": {func(w *world) func() { w.run.Pulumi = "3.256.0"; return func() { w.run.Pulumi = "3.255.0" } }, "version of the Pulumi CLI"},
		"another execution runs":  {func(w *world) func() { w.run.Execution = "e-9"; return func() { w.run.Execution = "e-2" } }, "pipeline execution"},
		"an author approved":      {approvedBy("arn:aws:sts::111122223333:assumed-role/Dev/jane@example.com"), "approval by arn:aws:sts::111122223333:assumed-role/Dev/jane@example.com"},
		"an author's login did":   {approvedBy("arn:aws:iam::111122223333:user/JDoe"), "approval by arn:aws:iam::111122223333:user/JDoe"},
		"the branch moved":        {func(w *world) func() { w.commit(file, "ami-00000003\n"); return func() { w.commit(file, wanted) } }, "ami-id at branch dev"},
		"exceptions were withdrawn": {func(w *world) func() {
			w.commit("policy-exceptions.yaml", "x")
			return func() { remove(w, "policy-exceptions.yaml") }
		}, "policy-exceptions.yaml at branch dev"},
		"the state moved":         {moveState, "state of stack dev"},
		"the preview differs":     {otherProgram, "the preview that was made just now"},
		"the lock is held":        {lock, "lock of stack dev"},
		"another deployment runs": {lease, "deployments of dev"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			defer restore()
			undo := c.tamper(w)
			before := w.stateFile()
			_, err := w.deploy()
			var refusal *review.Refusal
			require.ErrorAs(t, err, &refusal)
			assert.Contains(t, refusal.What, c.want)
			assert.NotEmpty(t, refusal.Expected)
			assert.NotEmpty(t, refusal.Found)
			assert.NotEmpty(t, refusal.Hint())
			assert.NotContains(t, err.Error(), "hush")
			assert.Equal(t, before, w.stateFile(), "nothing was changed")
			_, began, err := w.records().Began(t.Context(), w.digest)
			require.NoError(t, err)
			assert.False(t, began)

			undo()
			result, err := w.deploy()
			require.NoError(t, err, w.said.String())
			assert.Equal(t, deployment.Deployed, result.Outcome)
			assert.Equal(t, strings.TrimSpace(wanted), w.runs())
			assert.Equal(t, w.approved.By, result.ApprovedBy)
		})
	}
}

func approvedBy(arn string) func(w *world) func() {
	return func(w *world) func() {
		before := w.approved
		w.approved.By, w.separate = arn, true
		return func() { w.approved = before }
	}
}

// moveState is an update by hand after the review. Undoing it brings the state file back.
func moveState(w *world) func() {
	restore := w.checkpoint()
	w.update(w.run.Commit)
	return restore
}

// otherProgram changes what the program makes of the same commit.
func otherProgram(w *world) func() {
	w.extra = true
	return func() { w.extra = false }
}

// lock is the lock of a process on another machine.
func lock(w *world) func() {
	path := filepath.Join(w.backend, ".pulumi/locks/organization/test/dev/somebody.json")
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	content, err := json.Marshal(map[string]any{"pid": 7, "username": "root", "hostname": "elsewhere", "timestamp": time.Now()})
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(path, content, 0o644))
	return func() { require.NoError(w.t, os.Remove(path)) }
}

func lease(w *world) func() {
	other, taken, err := w.records().Take(w.t.Context(), deployment.Lease{Execution: "e-1", Hostname: "elsewhere", PID: 7, Since: time.Now()}, nil)
	require.NoError(w.t, err)
	require.True(w.t, taken)
	return func() { require.NoError(w.t, w.records().Release(w.t.Context(), other)) }
}

// TestALockWhoseProcessHasEndedIsTakenAway: a run that was killed leaves its lock behind.
func TestALockWhoseProcessHasEndedIsTakenAway(t *testing.T) {
	w := newWorld(t)
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	lock(w)
	host, err := os.Hostname()
	require.NoError(t, err)
	path := filepath.Join(w.backend, ".pulumi/locks/organization/test/dev/somebody.json")
	content, err := json.Marshal(map[string]any{"pid": gone.Process.Pid, "username": "root", "hostname": host, "timestamp": time.Now()})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o644))
	_, err = w.deploy()
	require.NoError(t, err)
	assert.Contains(t, w.said.String(), "of this machine has ended")
}

// TestALockOfABuildThatWasStoppedIsTakenAway: the killed run was another machine's, and only CodeBuild knows that it is over.
func TestALockOfABuildThatWasStoppedIsTakenAway(t *testing.T) {
	w := newWorld(t)
	_, taken, err := w.records().Take(t.Context(), deployment.Lease{
		Execution: "e-2", Build: "deploy:1", Hostname: "elsewhere", PID: 6, Since: time.Now().Add(-time.Minute),
	}, nil)
	require.NoError(t, err)
	require.True(t, taken)
	lock(w)
	_, err = w.deploy()
	require.True(t, review.Refused(err), "the build still runs: %v", err)
	w.over = "deploy:1"
	_, err = w.deploy()
	require.NoError(t, err)
	assert.Contains(t, w.said.String(), "build deploy:1 has ended: STOPPED")
}

// TestARunThatWasCutShortIsFinishedByTheNext stops the update after the first of two resources.
func TestARunThatWasCutShortIsFinishedByTheNext(t *testing.T) {
	w := newWorld(t)
	w.failing = func(string, *pulumi.Context) error { return errors.New("cut short") }
	_, err := w.deploy()
	require.ErrorContains(t, err, "cut short")
	assert.False(t, review.Refused(err))
	w.failing = nil
	result, err := w.deploy()
	require.NoError(t, err)
	assert.Contains(t, w.said.String(), "an earlier run of this review was cut short; going on with 1 to update")
	assert.Equal(t, deployment.Deployed, result.Outcome)
	assert.Equal(t, strings.TrimSpace(wanted), w.runs())

	again, err := w.deploy()
	require.NoError(t, err, "a review that was deployed is a success")
	assert.Equal(t, result.Review, again.Review)
}

// TestNobodyElsesUpdateIsTakenForTheRest: after a run that was cut short somebody updates the stack by hand.
func TestNobodyElsesUpdateIsTakenForTheRest(t *testing.T) {
	w := newWorld(t)
	w.failing = func(string, *pulumi.Context) error { return errors.New("cut short") }
	_, err := w.deploy()
	require.ErrorContains(t, err, "cut short")
	w.failing = nil
	w.update(w.run.Commit)
	_, err = w.deploy()
	assert.ErrorContains(t, err, "state of stack dev")
}

func TestAReleaseThatDoesNotRunIsRolledBack(t *testing.T) {
	w := newWorld(t)
	w.rollouts = []error{errUnhealthy}
	_, err := w.deploy()
	var back *deploy.RolledBackError
	require.ErrorAs(t, err, &back)
	assert.ErrorContains(t, err, errUnhealthy.Error())
	assert.ErrorContains(t, err, "v1 ami-00000001 runs again")
	assert.Equal(t, good, w.named())
	assert.Equal(t, strings.TrimSpace(good), w.runs(), "git and systems agree")
	result, ended, err := w.records().Ended(t.Context(), w.digest)
	require.NoError(t, err)
	require.True(t, ended)
	assert.Equal(t, deployment.RolledBack, result.Outcome)
	assert.Equal(t, w.approved.By, result.ApprovedBy)
	_, err = w.deploy()
	assert.True(t, review.Refused(err), "what was rolled back is not deployed again: %v", err)
}

func TestARollbackThatWasKilledIsFinishedByTheNextRun(t *testing.T) {
	w := newWorld(t)
	w.rollouts, w.openErr = []error{errUnhealthy}, errors.New("killed")
	_, err := w.deploy()
	require.ErrorContains(t, err, "killed")
	assert.Equal(t, good, w.named())
	assert.Equal(t, strings.TrimSpace(wanted), w.runs())
	w.openErr = nil
	_, err = w.deploy()
	var back *deploy.RolledBackError
	require.ErrorAs(t, err, &back)
	assert.Equal(t, strings.TrimSpace(good), w.runs())
	head, err := w.server.CommitOf(t.Context(), repo, "dev")
	require.NoError(t, err)
	assert.Equal(t, head, back.Commit, "there is one commit back, not two")
}

func TestABranchThatMovedOnIsNotRolledBack(t *testing.T) {
	w := newWorld(t)
	w.rollouts = []error{errUnhealthy}
	w.failing = func(string, *pulumi.Context) error { w.commit(file, "ami-00000003\n"); return nil }
	_, err := w.deploy()
	require.ErrorContains(t, err, "branch dev has moved on")
	assert.Equal(t, "ami-00000003\n", w.named())
}
