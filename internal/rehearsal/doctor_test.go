package rehearsal_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/doctor"
	"github.com/tekpossible/ha-devops/internal/rehearsal"
)

// desk is a shell at a desk of the rehearsal: it runs commands as a person does who sourced env.sh.
func desk(t *testing.T, r *rehearsal.Rehearsal) func(command string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	remove, err := r.Desk(dir, filepath.Dir(tools.Relay), filepath.Dir(tools.Pulumi))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, remove()) })
	return func(command string) (string, string, int) {
		cmd := exec.CommandContext(soon(t), "bash", "-c", ". ./env.sh && "+command)
		var stderr strings.Builder
		cmd.Dir, cmd.Stderr = dir, &stderr
		out, err := cmd.Output()
		if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
			require.NoError(t, err)
		}
		return string(out), stderr.String(), cmd.ProcessState.ExitCode()
	}
}

// notHere is what doctor cannot find good in a rehearsal, by check, and what it says of it.
var notHere = map[string]struct {
	status doctor.Status
	found  string
}{
	"state versions":   {doctor.NotChecked, "the state is not on S3"},
	"state encryption": {doctor.NotChecked, "the state is not on S3"},
	"state access":     {doctor.NotChecked, "the state is not on S3"},
	"secrets key":      {doctor.Note, "none is configured: a passphrase encrypts the stack's secrets"},
	"GitHub App":       {doctor.Note, "the secret holds a plain token, which does not say whose App it is"},
	"release":          {doctor.Note, "no release was handed off yet"},
}

// TestDoctorFindsAProvisionedWorldGood asks relay doctor where a newcomer would: at the desk of a rehearsal. Then the connection's
// handshake is undone, which doctor names and which keeps the release from its first step.
func TestDoctorFindsAProvisionedWorldGood(t *testing.T) {
	r := world{}.start(t, rehearsal.Environments()...)
	shell := desk(t, r)

	out, stderr, code := shell("relay doctor --output json")
	require.Zero(t, code, stderr+out)
	var report struct {
		Problems     int
		Environments []struct {
			Environment string
			Checks      []doctor.Result
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	assert.Zero(t, report.Problems)
	require.Len(t, report.Environments, 3)
	found := map[string]string{}
	for _, environment := range report.Environments {
		seen := map[string]bool{}
		for _, check := range environment.Checks {
			seen[check.Check], found[environment.Environment+" "+check.Check] = true, check.Found
			want, ok := notHere[check.Check]
			if !ok {
				want.status, want.found = doctor.OK, check.Found
			}
			assert.Equal(t, want.status, check.Status, "%s: %s: %s", environment.Environment, check.Check, check.Found)
			assert.Equal(t, want.found, check.Found, "%s: %s", environment.Environment, check.Check)
		}
		for check := range notHere {
			assert.True(t, seen[check], "%s: %s", environment.Environment, check)
		}
	}
	for check, want := range map[string]string{
		"dev connection":   "demo-dev is available",
		"main connection":  "demo-main is available",
		"dev certificate":  "none is configured: the load balancer speaks HTTP",
		"qa certificate":   "qa.demo.example.com, issued",
		"main certificate": "main.demo.example.com, issued",
		"qa quotas":        "the network is there",
		"qa stacks":        "qa is provisioned",
		"dev GitHub token": "developer's",
	} {
		assert.Equal(t, want, found[check], check)
	}

	out, stderr, code = shell("relay doctor")
	assert.Zero(t, code, stderr)
	assert.Equal(t, "relay: looking at dev\nrelay: looking at qa\nrelay: looking at main\n", stderr)
	assert.Contains(t, out, "  ok           connection         demo-qa is available\n")
	assert.NotContains(t, out, "  problem ")

	require.NoError(t, r.SetConnection("dev", "PENDING"))
	out, stderr, code = shell("relay doctor")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "  problem      connection         connection demo-dev is PENDING: CodePipeline cannot read GitHub\n")
	assert.Contains(t, stderr, "relay: error: problems found: 1\n")
	assert.ErrorContains(t, r.FirstRelease(soon(t)), "connection demo-dev is PENDING; expected AVAILABLE")

	// Provisioning ends with the handshake.
	require.NoError(t, r.Provision(t.Context(), "dev"))
	_, stderr, code = shell("relay doctor dev")
	assert.Zero(t, code, stderr)
}
