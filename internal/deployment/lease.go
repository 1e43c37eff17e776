package deployment

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Lease says that a deployment of the environment is under way, from before its first look at the state until after its rollout and,
// where it comes to that, its rollback. Pulumi's own lock covers the update alone.
type Lease struct {
	// Execution is the pipeline's run, Build the CodeBuild build, empty on a person's machine.
	Execution string `json:"execution"`
	Build     string `json:"build,omitempty"`
	// Hostname and PID are the process.
	Hostname string    `json:"hostname"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"`
	// Released says that the deployment has ended.
	Released bool `json:"released"`
	// tag is the entity tag of the record, for a write that must not overwrite another's.
	tag string
}

// Name says whose lease it is.
func (l Lease) Name() string {
	who := l.Build
	if who == "" {
		who = fmt.Sprintf("process %d on %s", l.PID, l.Hostname)
	}
	return fmt.Sprintf("the deployment of pipeline execution %s (%s)", l.Execution, who)
}

// String says whose lease it is, and since when.
func (l Lease) String() string {
	return fmt.Sprintf("%s, since %s, for %s", l.Name(), l.Since.UTC().Format(time.RFC3339), time.Since(l.Since).Round(time.Second))
}

// Mine is a lease for this process, in the CodeBuild build that CODEBUILD_BUILD_ID names.
func Mine(execution, build string) (Lease, error) {
	host, err := os.Hostname()
	return Lease{Execution: execution, Build: build, Hostname: host, PID: os.Getpid(), Since: time.Now().UTC()}, err
}

// Holder returns the lease that stands now, and whether there is one that was not released.
func (r Records) Holder(ctx context.Context) (Lease, bool, error) {
	var lease Lease
	tag, found, err := r.get(ctx, r.key("lease.json"), &lease)
	lease.tag = tag
	return lease, found && !lease.Released, err
}

// Take makes a lease this environment's, in the place of one that was released or whose owner is gone. It returns false when another
// one came first.
func (r Records) Take(ctx context.Context, mine Lease, gone func(context.Context, Lease) (bool, error)) (Lease, bool, error) {
	var before Lease
	tag, found, err := r.get(ctx, r.key("lease.json"), &before)
	if err != nil {
		return mine, false, err
	}
	in := &s3.PutObjectInput{IfNoneMatch: aws.String("*")}
	if found {
		if !before.Released {
			if dead, err := gone(ctx, before); err != nil || !dead {
				return before, false, err
			}
		}
		in = &s3.PutObjectInput{IfMatch: &tag}
	}
	if err := r.put(ctx, r.key("lease.json"), mine, in); err != nil {
		if !taken(err) {
			return mine, false, err
		}
	}
	var now Lease
	now.tag, _, err = r.get(ctx, r.key("lease.json"), &now)
	// It is this one, too, when S3 refused the write because the answer to its first try was lost.
	return now, err == nil && now.is(mine), err
}

// is says that two are the same lease.
func (l Lease) is(other Lease) bool {
	return l.Execution == other.Execution && l.Build == other.Build && l.Hostname == other.Hostname && l.PID == other.PID &&
		l.Since.Equal(other.Since) && l.Released == other.Released
}

// Release gives a lease back. One that was taken over meanwhile is left alone.
func (r Records) Release(ctx context.Context, mine Lease) error {
	_, err := r.Revoke(ctx, mine)
	return err
}

// Revoke ends a lease, as Release does for its owner, and says whether it was still the one that stood.
func (r Records) Revoke(ctx context.Context, lease Lease) (bool, error) {
	lease.Released = true
	err := r.put(ctx, r.key("lease.json"), lease, &s3.PutObjectInput{IfMatch: &lease.tag})
	if taken(err) {
		return false, nil
	}
	return err == nil, err
}
