// Package owner says whether the process that holds something, a deployment's lease or a stack's lock, has ended.
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
)

// Builds is the part of CodeBuild that is asked.
type Builds interface {
	BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error)
}

// Owners knows of processes.
type Owners struct{ Builds Builds }

// Gone says that the deployment that holds a lease has ended: its build is over, or its process, if that was this machine's. What it
// cannot find out is not gone.
func (o Owners) Gone(ctx context.Context, lease deployment.Lease) (bool, error) {
	if lease.Build == "" {
		return Ended(lease.Hostname, lease.PID), nil
	}
	out, err := o.Builds.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{lease.Build}})
	if err != nil {
		return false, fmt.Errorf("asking whether build %s still runs: %w", lease.Build, err)
	}
	return len(out.Builds) == 1 && out.Builds[0].BuildStatus != types.StatusTypeInProgress, nil
}

// Ended says that a process of this machine has ended. Of another machine's process nothing is known.
func Ended(host string, pid int) bool {
	here, err := os.Hostname()
	return err == nil && host == here && pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
