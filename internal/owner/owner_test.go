package owner_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

// builds are the states of builds by ID.
type builds map[string]types.StatusType

func (b builds) BatchGetBuilds(_ context.Context, in *codebuild.BatchGetBuildsInput, _ ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error) {
	if in.Ids[0] == "forbidden" {
		return nil, errors.New("access denied")
	}
	out := &codebuild.BatchGetBuildsOutput{}
	if status, ok := b[in.Ids[0]]; ok {
		out.Builds = append(out.Builds, types.Build{Id: &in.Ids[0], BuildStatus: status})
	}
	return out, nil
}

func TestAnOwnerIsGoneOnlyWithProof(t *testing.T) {
	owners := owner.Owners{Builds: builds{"runs": types.StatusTypeInProgress, "ended": types.StatusTypeStopped}}
	here, err := os.Hostname()
	require.NoError(t, err)
	ended := exec.CommandContext(t.Context(), "true")
	require.NoError(t, ended.Run())
	for name, one := range map[string]struct {
		lease deployment.Lease
		state owner.State
	}{
		"a build that runs":        {deployment.Lease{Build: "runs", Hostname: here, PID: ended.Process.Pid}, owner.Alive},
		"a build that has ended":   {deployment.Lease{Build: "ended", Hostname: here, PID: os.Getpid()}, owner.Gone},
		"a build nobody knows":     {deployment.Lease{Build: "other"}, owner.Unknown},
		"a process that runs":      {deployment.Lease{Hostname: here, PID: os.Getpid()}, owner.Alive},
		"a process that has ended": {deployment.Lease{Hostname: here, PID: ended.Process.Pid}, owner.Gone},
		"another machine":          {deployment.Lease{Hostname: "elsewhere", PID: ended.Process.Pid}, owner.Unknown},
		"no process":               {deployment.Lease{Hostname: here}, owner.Unknown},
	} {
		found, err := owners.OfLease(t.Context(), one.lease)
		require.NoError(t, err, name)
		assert.Equal(t, one.state, found.State, name)
		assert.NotEmpty(t, found.Evidence, name)
		gone, err := owners.Gone(t.Context(), one.lease)
		require.NoError(t, err)
		assert.Equal(t, one.state == owner.Gone, gone, name)
	}
	_, err = owners.OfLease(t.Context(), deployment.Lease{Build: "forbidden"})
	assert.ErrorContains(t, err, "asking whether build forbidden still runs: access denied")
}

func TestALockIsJudgedByTheBuildOnItsMachine(t *testing.T) {
	owners := owner.Owners{Builds: builds{"runs": types.StatusTypeInProgress, "ended": types.StatusTypeFailed}}
	since := time.Now()
	lock := statelock.Lock{Hostname: "6f2b", PID: 7, Timestamp: since.Add(time.Minute)}
	for name, one := range map[string]struct {
		last  deployment.Lease
		state owner.State
	}{
		"its build has ended":     {deployment.Lease{Build: "ended", Hostname: "6f2b", Since: since}, owner.Gone},
		"its build runs":          {deployment.Lease{Build: "runs", Hostname: "6f2b", Since: since}, owner.Alive},
		"another machine's build": {deployment.Lease{Build: "ended", Hostname: "other", Since: since}, owner.Unknown},
		"a later build":           {deployment.Lease{Build: "ended", Hostname: "6f2b", Since: since.Add(time.Hour)}, owner.Unknown},
		"no deployment":           {deployment.Lease{}, owner.Unknown},
	} {
		found, err := owners.OfLock(t.Context(), lock, one.last)
		require.NoError(t, err, name)
		assert.Equal(t, one.state, found.State, name)
	}
}
