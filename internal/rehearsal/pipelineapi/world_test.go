package pipelineapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/pipelineapi"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

const (
	account  = "111122223333"
	region   = "eu-west-1"
	jane     = "arn:aws:sts::111122223333:assumed-role/Approver/jane@example.com"
	dev      = "arn:aws:sts::111122223333:assumed-role/Developer/dev@example.com"
	pipeline = "shop-dev-infrastructure"
	unknown  = "8b2f4a30-0000-4000-8000-000000000000"
)

// world is an account with a pipeline of the stages Source, Review, Approve and Deploy, which the runner runs.
type world struct {
	t      *testing.T
	dir    string
	repo   string
	url    string
	runner *runner.Runner
	jane   *codepipeline.Client
}

type m = map[string]any

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), repo: t.TempDir()}
	w.git("init", "-q", "-b", "dev", ".")
	w.commit("First")
	w.runner = runner.New(runner.Options{
		Dir: w.dir, Account: account, Environ: environ,
		Clone: func(ctx context.Context, _, branch, commit, dest string) error {
			if err := exec.CommandContext(ctx, "git", "clone", "-q", "-b", branch, w.repo, dest).Run(); err != nil || commit == "" {
				return err
			}
			return exec.CommandContext(ctx, "git", "-C", dest, "reset", "-q", "--hard", commit).Run()
		},
	})
	t.Cleanup(w.runner.Close)
	a := awssim.New(awssim.Options{
		AccountID: account, Region: region, Dir: t.TempDir(), Identities: map[string]string{"approver": jane, "developer": dev},
	})
	t.Cleanup(a.Close)
	o := pipelineapi.Options{Runner: w.runner, Account: account, Region: region}
	a.Handle("codepipeline", pipelineapi.CodePipeline(o))
	a.Handle("codebuild", pipelineapi.CodeBuild(o))
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.jane = w.as("approver")
	w.project("Review", "test ! -e "+w.dir+"/broken && export REVIEW_DIGEST=d1")
	w.project("Deploy", "true")
	w.pipeline("SUPERSEDED")
	return w
}

func environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "AWS_REGION=" + region, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_CONFIG_GLOBAL=/dev/null",
	}
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", w.repo}, args...)...)
	cmd.Env = environ()
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, string(out))
	return strings.TrimSpace(string(out))
}

func (w *world) commit(message string) string {
	w.git("commit", "-q", "--allow-empty", "-m", message)
	return w.git("rev-parse", "HEAD")
}

func (w *world) project(name, command string) {
	w.t.Helper()
	spec := "version: 0.2\nenv: {exported-variables: [REVIEW_DIGEST]}\nphases:\n  build:\n    commands:\n      - " + command + "\n"
	require.NoError(w.t, w.runner.PutProject(name, m{
		"source": m{"type": "CODEPIPELINE", "buildspec": spec}, "artifacts": m{"type": "CODEPIPELINE"}, "environment": m{"image": "i"},
	}))
}

func (w *world) pipeline(mode string) {
	w.t.Helper()
	action := func(name, category, provider string, more m) m {
		out := m{"name": name, "category": category, "owner": "AWS", "provider": provider, "version": "1", "namespace": name}
		for key, value := range more {
			out[key] = value
		}
		return out
	}
	build := func(name string) m {
		return action(name, "Build", "CodeBuild", m{"inputArtifacts": []any{"source"}, "configuration": m{
			"ProjectName": name, "EnvironmentVariables": `[{"name":"EXECUTION","value":"#{codepipeline.PipelineExecutionId}"}]`,
		}})
	}
	stage := func(name string, actions ...any) any { return m{"name": name, "actions": actions} }
	require.NoError(w.t, w.runner.PutPipeline(pipeline, m{
		"pipelineType": "V2", "executionMode": mode, "stages": []any{
			stage("Source", action("Infrastructure", "Source", "CodeStarSourceConnection", m{
				"outputArtifacts": []any{"source"}, "configuration": m{
					"ConnectionArn": "arn:c", "FullRepositoryId": "example/shop", "BranchName": "dev", "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
				},
			})),
			stage("Review", build("Review")),
			stage("Approve", action("Decide", "Approval", "Manual", m{"configuration": m{"CustomData": "digest #{Review.REVIEW_DIGEST}"}})),
			stage("Deploy", build("Deploy")),
		},
	}))
}

func (w *world) config(key string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &w.url, Credentials: credentials.NewStaticCredentialsProvider(key, "s", "")}
}

func (w *world) as(key string) *codepipeline.Client { return codepipeline.NewFromConfig(w.config(key)) }

func (w *world) builds() *codebuild.Client { return codebuild.NewFromConfig(w.config("approver")) }

func (w *world) whoami(key string) (*sts.GetCallerIdentityOutput, error) {
	return sts.NewFromConfig(w.config(key)).GetCallerIdentity(w.t.Context(), &sts.GetCallerIdentityInput{})
}

// eventually waits until something is so.
func (w *world) eventually(so func() bool, about ...any) {
	w.t.Helper()
	require.Eventually(w.t, so, 20*time.Second, 5*time.Millisecond, about...)
}

// start starts the pipeline as the developer.
func (w *world) start() string {
	w.t.Helper()
	out, err := w.as("developer").StartPipelineExecution(w.t.Context(), &codepipeline.StartPipelineExecutionInput{Name: aws.String(pipeline)})
	require.NoError(w.t, err)
	return *out.PipelineExecutionId
}

// stage is the state of a stage now.
func (w *world) stage(name string) types.StageState {
	w.t.Helper()
	out, err := w.jane.GetPipelineState(w.t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String(pipeline)})
	require.NoError(w.t, err)
	for _, s := range out.StageStates {
		if *s.StageName == name {
			return s
		}
	}
	w.t.Fatalf("no stage %s", name)
	return types.StageState{}
}

// asks waits until an execution waits for its approval and returns the token.
func (w *world) asks(id string) string {
	w.t.Helper()
	var token string
	w.eventually(func() bool {
		s := w.stage("Approve")
		if s.LatestExecution == nil || *s.LatestExecution.PipelineExecutionId != id || s.ActionStates[0].LatestExecution == nil {
			return false
		}
		token = aws.ToString(s.ActionStates[0].LatestExecution.Token)
		return token != ""
	})
	return token
}

func (w *world) decide(client *codepipeline.Client, token string, status types.ApprovalStatus, summary string) error {
	_, err := client.PutApprovalResult(w.t.Context(), &codepipeline.PutApprovalResultInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), ActionName: aws.String("Decide"), Token: &token,
		Result: &types.ApprovalResult{Status: status, Summary: &summary},
	})
	return err
}

// becomes waits until an execution has a status and returns it.
func (w *world) becomes(id string, status types.PipelineExecutionStatus) *types.PipelineExecution {
	w.t.Helper()
	var last *types.PipelineExecution
	ok := assert.Eventually(w.t, func() bool {
		out, err := w.jane.GetPipelineExecution(w.t.Context(), &codepipeline.GetPipelineExecutionInput{
			PipelineName: aws.String(pipeline), PipelineExecutionId: &id,
		})
		require.NoError(w.t, err)
		last = out.PipelineExecution
		return last.Status == status
	}, 20*time.Second, 5*time.Millisecond)
	require.True(w.t, ok, "execution is %s (%s)", last.Status, aws.ToString(last.StatusSummary))
	return last
}

// runs are the runs of an execution's actions, oldest first, as "stage/action status".
func (w *world) runs(id string) []string {
	w.t.Helper()
	var out []string
	for _, d := range w.details(id) {
		out = append([]string{fmt.Sprintf("%s/%s %s", *d.StageName, *d.ActionName, d.Status)}, out...)
	}
	return out
}

func (w *world) details(id string) []types.ActionExecutionDetail {
	w.t.Helper()
	out, err := w.jane.ListActionExecutions(w.t.Context(), &codepipeline.ListActionExecutionsInput{
		PipelineName: aws.String(pipeline), Filter: &types.ActionExecutionFilter{PipelineExecutionId: &id},
	})
	require.NoError(w.t, err)
	return out.ActionExecutionDetails
}

// breaks makes the review fail from now on, or no more.
func (w *world) breaks(broken bool) {
	w.t.Helper()
	file := filepath.Join(w.dir, "broken")
	if broken {
		require.NoError(w.t, os.WriteFile(file, nil, 0o600))
		return
	}
	require.NoError(w.t, os.Remove(file))
}

// code is the code of a service's error.
func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.True(t, errors.As(err, &api), "%v", err)
	return api.ErrorCode()
}
