// Package owner finds out whether the process that holds something, a deployment's lease or a stack's lock, still lives.
package owner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

// Builds is the part of CodeBuild that is asked.
type Builds interface {
	BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error)
}

// Owners knows of processes.
type Owners struct{ Builds Builds }

// State says whether an owner lives.
type State string

// The states.
const (
	Gone    State = "gone"
	Alive   State = "alive"
	Unknown State = "unknown"
)

// Finding is what is known of an owner, and from where.
type Finding struct {
	State State `json:"owner"`
	// Evidence is one sentence without its period.
	Evidence string `json:"evidence"`
}

// Gone says that the deployment that holds a lease has ended: its build is over, or its process, if that was this machine's. What it
// cannot find out is not gone.
func (o Owners) Gone(ctx context.Context, lease deployment.Lease) (bool, error) {
	found, err := o.OfLease(ctx, lease)
	return found.State == Gone, err
}

// OfLease says whether the deployment that holds a lease still runs.
func (o Owners) OfLease(ctx context.Context, lease deployment.Lease) (Finding, error) {
	if lease.Build == "" {
		return process(lease.Hostname, lease.PID), nil
	}
	out, err := o.Builds.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{lease.Build}})
	if err != nil {
		return Finding{State: Unknown}, fmt.Errorf("asking whether build %s still runs: %w", lease.Build, err)
	}
	switch {
	case len(out.Builds) != 1:
		return Finding{Unknown, fmt.Sprintf("CodeBuild knows no build %s", lease.Build)}, nil
	case out.Builds[0].BuildStatus == types.StatusTypeInProgress:
		return Finding{Alive, fmt.Sprintf("build %s still runs", lease.Build)}, nil
	}
	return Finding{Gone, fmt.Sprintf("build %s has ended: %s", lease.Build, out.Builds[0].BuildStatus)}, nil
}

// OfLock says whether the process that holds a stack's lock still runs. The lock names a machine; when that is the one of the
// deployment whose lease is the last that was taken, from before the lock, the build of that deployment tells.
func (o Owners) OfLock(ctx context.Context, lock statelock.Lock, last deployment.Lease) (Finding, error) {
	if last.Build != "" && last.Hostname == lock.Hostname && !lock.Timestamp.Before(last.Since) {
		return o.OfLease(ctx, last)
	}
	return process(lock.Hostname, lock.PID), nil
}

// Ended says that a process of this machine has ended. Of another machine's process nothing is known.
func Ended(host string, pid int) bool { return process(host, pid).State == Gone }

func process(host string, pid int) Finding {
	here, err := os.Hostname()
	switch {
	case err != nil || host != here || pid <= 0:
		return Finding{Unknown, fmt.Sprintf("process %d is on %s, and nothing is known of that machine", pid, host)}
	case errors.Is(syscall.Kill(pid, 0), syscall.ESRCH):
		return Finding{Gone, fmt.Sprintf("process %d of this machine has ended", pid)}
	}
	return Finding{Alive, fmt.Sprintf("process %d of this machine still runs", pid)}
}
