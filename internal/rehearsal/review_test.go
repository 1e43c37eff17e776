package rehearsal_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	cptypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/release"
)

const infrastructure = rehearsal.Product + "-dev-infrastructure"

// last is the newest execution of dev's infrastructure pipeline, and the one before it.
func last(t *testing.T, r *rehearsal.Rehearsal) (newest, before runner.Execution) {
	t.Helper()
	for _, e := range r.Executions() {
		if e.Pipeline == infrastructure {
			newest, before = e, newest
		}
	}
	return newest, before
}

func action(e runner.Execution, stage string) runner.Action {
	for _, s := range e.Stages {
		if s.Name == stage {
			return s.Actions[len(s.Actions)-1]
		}
	}
	return runner.Action{}
}

// results are the records of dev's deployments.
func results(t *testing.T, r *rehearsal.Rehearsal) []deployment.Result {
	t.Helper()
	client := s3.NewFromConfig(operator(t, r, rehearsal.Developer), func(o *s3.Options) { o.UsePathStyle = true })
	bucket := aws.String(rehearsal.Product + "-dev-111122223333-eu-west-1")
	listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String(deployment.Folder + "/")})
	require.NoError(t, err)
	var out []deployment.Result
	for _, object := range listed.Contents {
		if !strings.HasSuffix(*object.Key, "/result.json") {
			continue
		}
		read, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object.Key})
		require.NoError(t, err)
		var result deployment.Result
		require.NoError(t, json.NewDecoder(read.Body).Decode(&result))
		out = append(out, result)
	}
	return out
}

// TestAReviewWithFindingsStopsThePipeline: the program wants instance metadata without a session.
func TestAReviewWithFindingsStopsThePipeline(t *testing.T) {
	r := world{
		rewrite: func(typ, _ string, in resource.PropertyMap) resource.PropertyMap {
			if typ == "aws:ec2/launchTemplate:LaunchTemplate" {
				plain := in.Mappable()
				plain["metadataOptions"].(map[string]any)["httpTokens"] = "optional"
				return resource.NewPropertyMapFromMap(plain)
			}
			return in
		},
		approve: func(context.Context, runner.Approval, string) (bool, string, error) { panic("nobody is asked") },
	}.start(t, "dev")
	err := r.FirstRelease(soon(t))
	require.ErrorContains(t, err, "pipeline "+infrastructure+", stage Review")
	require.ErrorContains(t, err, "policy imdsv2")
	_, err = r.Ask(t.Context(), "dev")
	assert.ErrorContains(t, err, "no instance runs in dev")
}

// TestANewerReviewSupersedesAnOlderOne commits a change of environment.json while the first one's approval waits.
func TestANewerReviewSupersedesAnOlderOne(t *testing.T) {
	var first atomic.Bool
	waiting := make(chan struct{})
	r := world{approve: func(ctx context.Context, _ runner.Approval, _ string) (bool, string, error) {
		if first.Swap(true) {
			return true, "the newer one", nil
		}
		close(waiting)
		<-ctx.Done()
		return false, "", context.Cause(ctx)
	}}.start(t, "dev")
	ctx := soon(t)
	done := make(chan error, 1)
	go func() { done <- r.FirstRelease(ctx) }()
	<-waiting
	require.NoError(t, r.Commit(ctx, "infrastructure", "dev", map[string]string{"environment.json": `{"health": {"path": "/healthz", "graceSeconds": 31}}`}))
	require.NoError(t, r.Wait(ctx))
	<-done // the first release's own wait ends with it, in an error about the superseded run
	newest, before := last(t, r)
	assert.Equal(t, runner.Stopped, before.Status)
	assert.Contains(t, before.Reason, "superseded by the review of commit")
	assert.Equal(t, runner.Succeeded, newest.Status)
	ask(t, r, "dev")
	found := results(t, r)
	require.Len(t, found, 1)
	assert.Equal(t, newest.ID, found[0].Execution)
	assert.Equal(t, deployment.Deployed, found[0].Outcome)
	assert.Contains(t, found[0].ApprovedBy, "approver@example.com")
	assert.Equal(t, "the newer one", found[0].Comment)
}

// TestInstancesThatNeverGetHealthyAreRolledBack: git and systems agree on the last good release, and the next good one comes by itself.
func TestInstancesThatNeverGetHealthyAreRolledBack(t *testing.T) {
	r := world{
		software: files(t, map[string]string{"index.html": "one"}), image: files(t, map[string]string{"motd": "hello\n"}),
		infrastructure: files(t, map[string]string{"environment.json": `{"health": {"path": "/healthz", "graceSeconds": 5}}`}),
	}.start(t, "dev")
	ctx := soon(t)
	require.NoError(t, r.FirstRelease(ctx))
	good := ask(t, r, "dev")
	err := r.Change(ctx, map[string]string{".relay.yaml": "start: echo no database >&2; exit 7\n"})
	require.ErrorContains(t, err, "no database")
	require.ErrorContains(t, err, "rolled back: "+good.ArtifactTag+" "+good.AMI+" runs again")
	assert.Equal(t, good, ask(t, r, "dev"))
	text, err := r.File(ctx, "infrastructure", "dev", release.AMIFile)
	require.NoError(t, err)
	assert.Equal(t, good.AMI+"\n", string(text))

	newest, before := last(t, r)
	assert.Equal(t, runner.Failed, before.Status)
	assert.Contains(t, action(before, "Deploy").Error, "exit status 4", "exit codes tell rolled back from failed")
	assert.Equal(t, runner.Succeeded, newest.Status, "the commit back has a review of its own, without changes")
	var outcomes []deployment.Outcome
	for _, result := range results(t, r) {
		outcomes = append(outcomes, result.Outcome)
	}
	assert.ElementsMatch(t, []deployment.Outcome{deployment.Deployed, deployment.RolledBack, deployment.Deployed}, outcomes)

	require.NoError(t, r.Change(ctx, map[string]string{".relay.yaml": "port: 8080\n"}))
	assert.NotEqual(t, good.AMI, ask(t, r, "dev").AMI)
}

// TestADeploymentThatIsKilledIsFinishedByTheNextRun kills relay and Pulumi in the middle of the update, and retries the stage.
func TestADeploymentThatIsKilledIsFinishedByTheNextRun(t *testing.T) {
	var armed atomic.Bool
	var once sync.Once
	var r *rehearsal.Rehearsal
	r = world{damage: func(typ, _ string, in resource.PropertyMap) resource.PropertyMap {
		if armed.Load() && typ == "aws:autoscaling/group:Group" {
			once.Do(func() { killRelay(t, r) })
		}
		return in
	}}.start(t, "dev")
	ctx := soon(t)
	require.NoError(t, r.FirstRelease(ctx))
	first := ask(t, r, "dev")
	armed.Store(true)
	require.Error(t, r.Change(ctx, map[string]string{"greeting.go": "package main\n\nconst greeting = \"Second.\"\n"}))
	killed, _ := last(t, r)
	require.Equal(t, runner.Failed, killed.Status)
	assert.Contains(t, action(killed, "Deploy").Error, "Killed")

	client := codepipeline.NewFromConfig(operator(t, r, rehearsal.Developer))
	_, err := client.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{
		PipelineName: aws.String(infrastructure), StageName: aws.String("Deploy"), PipelineExecutionId: &killed.ID, RetryMode: cptypes.StageRetryModeFailedActions,
	})
	require.NoError(t, err)
	require.NoError(t, r.Wait(ctx))
	retried, _ := last(t, r)
	assert.Equal(t, runner.Succeeded, retried.Status, action(retried, "Deploy").Error)
	second := ask(t, r, "dev")
	assert.NotEqual(t, first.AMI, second.AMI)
	log, err := os.ReadFile(action(retried, "Deploy").LogFile)
	require.NoError(t, err)
	assert.Contains(t, string(log), "is taken away: ")
	preview, err := r.Preview(ctx, "dev")
	require.NoError(t, err)
	assert.Empty(t, preview.Changed())
}

// killRelay kills the relay that deploys in this world, and with it the Pulumi CLI that it runs.
func killRelay(t *testing.T, r *rehearsal.Rehearsal) {
	t.Helper()
	env, err := r.Operator(rehearsal.Developer)
	require.NoError(t, err)
	home := ""
	for _, variable := range env {
		if strings.HasPrefix(variable, "PULUMI_HOME=") {
			home = variable
		}
	}
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	killed := 0
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		name, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		program := strings.TrimSpace(string(name))
		if !strings.Contains(string(environ), "RELAY_REVIEW_DIGEST=") || !strings.Contains(string(environ), home) || !strings.HasPrefix(program, "relay") && !strings.HasPrefix(program, "pulumi") {
			continue
		}
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	assert.GreaterOrEqual(t, killed, 2)
	time.Sleep(100 * time.Millisecond)
}
