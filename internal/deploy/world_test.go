package deploy_test

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
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/deploy"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/leftover"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

func TestMain(m *testing.M) {
	out, err := exec.Command("../../tools/pulumi").Output()
	if err == nil {
		err = os.Setenv("PATH", filepath.Dir(strings.TrimSpace(string(out)))+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	bucket = "records"
	repo   = "shop-infrastructure"
	file   = "ami-id"
	// good is the release that runs, wanted the one that is reviewed.
	good   = "ami-00000001\n"
	wanted = "ami-00000002\n"
)

// world is an environment that runs a release, with a reviewed and approved next one: a stack on the real engine, its repository on a
// git server, and the review on an S3 server.
type world struct {
	t       *testing.T
	backend string
	hub     *github.Client
	server  *githubsim.Server
	s3      *s3.Client
	aws     aws.Config
	account *awssim.Account

	uri, digest string
	run         review.Run
	separate    bool

	approved approval.Approval
	given    bool
	newer    string
	over     string // the ID of a build that has ended

	rollouts []error // what the next rollouts end with; nil when there are no more
	failing  func(commit string, ctx *pulumi.Context) error
	openErr  error
	extra    bool // the program makes one system more
	serving  *serving
	said     strings.Builder
}

// newWorld makes one. What the release that is reviewed is to be different in is prepared before the review.
func newWorld(t *testing.T, prepare ...func(w *world)) *world {
	w := &world{t: t, backend: t.TempDir()}
	ctx := t.Context()
	var err error
	w.server, err = githubsim.New(githubsim.Options{Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"token": {Login: "relay[bot]", App: 1}}})
	require.NoError(t, err)
	web := httptest.NewServer(w.server)
	t.Cleanup(web.Close)
	w.hub, err = github.New(web.URL+"/api/v3/", "acme", "token")
	require.NoError(t, err)
	require.NoError(t, w.server.CreateRepository(ctx, githubsim.Repository{Name: repo, AutoInit: true}))
	_, err = w.server.CreateBranch(ctx, repo, "dev", "main")
	require.NoError(t, err)

	w.account = awssim.New(awssim.Options{AccountID: "111122223333", Region: "eu-west-1", Dir: t.TempDir()})
	cloud := httptest.NewServer(w.account)
	t.Cleanup(func() { cloud.Close(); w.account.Close() })
	require.NoError(t, w.account.CreateBucket(bucket))
	w.aws = aws.Config{BaseEndpoint: &cloud.URL, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}
	w.s3 = s3.NewFromConfig(w.aws, func(o *s3.Options) { o.UsePathStyle = true })

	first := w.commit(file, good)
	w.update(first)
	for _, p := range prepare {
		p(w)
	}
	w.makeReview(w.commit(file, wanted), first)
	return w
}

// commit writes a file on the branch and returns the commit.
func (w *world) commit(path, content string) string {
	w.t.Helper()
	there, _, err := w.server.ReadFile(w.t.Context(), repo, "dev", path)
	require.NoError(w.t, err)
	_, err = w.server.WriteFile(w.t.Context(), repo, githubsim.FileWrite{
		Branch: "dev", Path: path, Content: []byte(content), Message: "Write " + path, SHA: there.SHA,
	}, githubsim.Actor{Login: "acme", Admin: true})
	require.NoError(w.t, err)
	head, err := w.server.CommitOf(w.t.Context(), repo, "dev")
	require.NoError(w.t, err)
	return head
}

// program runs two systems with the release that the repository names at a commit.
func (w *world) program(commit string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		named, err := w.hub.ReadFile(context.Background(), repo, commit, file)
		if err != nil {
			return err
		}
		systems := []string{"system", "other"}
		if w.extra {
			systems = append(systems, "extra")
		}
		for i, name := range systems {
			if i == 1 && w.failing != nil && !ctx.DryRun() {
				if err := w.failing(commit, ctx); err != nil {
					return err
				}
			}
			component := &struct{ pulumi.ResourceState }{}
			if err := ctx.RegisterComponentResourceV2("test:index:System", name, pulumi.Map{
				"ami": pulumi.String(named.Content), "password": pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput),
			}, component); err != nil {
				return err
			}
		}
		if w.serving != nil && string(named.Content) == wanted {
			if err := w.serving.program(ctx); err != nil {
				return err
			}
		}
		ctx.Export("amiId", pulumi.String(strings.TrimSpace(string(named.Content))))
		return nil
	}
}

// open opens the stack at a commit in a workspace of its own, as each pipeline run does.
func (w *world) open(commit string) *stack.Stack {
	w.t.Helper()
	env := map[string]string{"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true", "PULUMI_HOME": w.t.TempDir()}
	if w.serving != nil {
		env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d", w.serving.provider.Port)
	}
	s, err := stack.Open(w.t.Context(), stack.Options{
		Project: "test", Name: "dev", Backend: "file://" + w.backend, Dir: w.t.TempDir(), Program: w.program(commit), Env: env,
	})
	require.NoError(w.t, err)
	return s
}

// update is a pulumi up by hand, of the program at a commit.
func (w *world) update(commit string) {
	w.t.Helper()
	s := w.open(commit)
	_, err := s.Settle(w.t.Context())
	require.NoError(w.t, err)
	_, err = s.Up(w.t.Context(), "", "by hand")
	require.NoError(w.t, err)
}

func (w *world) makeReview(commit, previous string) {
	w.t.Helper()
	s := w.open(commit)
	state, err := s.Settle(w.t.Context())
	require.NoError(w.t, err)
	planFile := filepath.Join(w.t.TempDir(), "plan.json")
	seen, err := s.Preview(w.t.Context(), planFile)
	require.NoError(w.t, err)
	plan, err := os.ReadFile(planFile)
	require.NoError(w.t, err)
	encoded, err := seen.Encode()
	require.NoError(w.t, err)
	contents := map[string][]byte{review.PlanFile: plan, review.PreviewFile: encoded}
	for _, name := range []string{review.PageFile, review.MarkdownFile, review.ReportFile, review.JUnitFile, review.SARIFFile} {
		contents[name] = []byte(name)
	}
	now := time.Now()
	w.run = review.Run{
		Product: "shop", Environment: "dev", Commit: commit, Execution: "e-2", Relay: strings.Repeat("ab", 32), Pulumi: "3.255.0", Now: now,
	}
	made := review.New(review.Manifest{
		Product: "shop", Environment: "dev", Commit: commit, Execution: "e-2", Relay: w.run.Relay, Pulumi: w.run.Pulumi, State: state.Digest, Previous: previous,
		From: report.Release{ArtifactTag: "v1", AMI: strings.TrimSpace(good)}, To: report.Release{ArtifactTag: "v2", AMI: strings.TrimSpace(wanted)},
		Summary: seen.Summary(), Changes: len(seen.Changed()), Authors: []string{"Jane@example.com", "jdoe"}, Created: now, Expires: now.Add(48 * time.Hour),
	}, contents)
	w.uri, w.digest, err = w.store().Save(w.t.Context(), made)
	require.NoError(w.t, err)
	w.approved, w.given = approval.Approval{By: "arn:aws:sts::111122223333:assumed-role/Approver/kim@example.com", At: now, Comment: "go"}, true
}

func (w *world) store() review.Store { return review.Store{S3: w.s3, Bucket: bucket} }

func (w *world) records() deployment.Records {
	return deployment.Records{S3: w.s3, Bucket: bucket, Environment: "dev"}
}

// Of and Newer are what the pipeline says.
func (w *world) Of(context.Context, string, string) (approval.Approval, bool, error) {
	return w.approved, w.given, nil
}
func (w *world) Newer(context.Context, string) (string, error) { return w.newer, nil }

// BatchGetBuilds says that each build has ended that w.over names.
func (w *world) BatchGetBuilds(_ context.Context, in *codebuild.BatchGetBuildsInput, _ ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error) {
	status := types.StatusTypeInProgress
	if in.Ids[0] == w.over {
		status = types.StatusTypeStopped
	}
	return &codebuild.BatchGetBuildsOutput{Builds: []types.Build{{Id: &in.Ids[0], BuildStatus: status}}}, nil
}

// deploy does what relay deploy does.
func (w *world) deploy() (deployment.Result, error) {
	w.t.Helper()
	ctx := w.t.Context()
	loaded, err := w.store().Load(ctx, w.uri, w.digest)
	if err != nil {
		return deployment.Result{}, err
	}
	locks, err := statelock.Of("file://"+w.backend, "test", "dev", nil)
	require.NoError(w.t, err)
	lease, err := deployment.Mine(w.run.Execution, "")
	require.NoError(w.t, err)
	return deploy.Deployment{
		Review: loaded, Digest: w.digest, Run: w.run, SeparateApprover: w.separate, Approvals: w,
		Dir: w.t.TempDir(), Hub: w.hub, Repository: repo, Matters: []string{file}, Grounds: []string{"policy-exceptions.yaml"},
		Open: func(_ context.Context, commit string) (deploy.Stack, error) {
			if commit != w.run.Commit && w.openErr != nil {
				return nil, w.openErr
			}
			return w.open(commit), nil
		},
		Records: w.records(), Locks: locks, Lease: lease, Patience: time.Second,
		Owners:  owner.Owners{Builds: w},
		Account: leftover.Account{Templates: ec2.NewFromConfig(w.aws), Groups: autoscaling.NewFromConfig(w.aws)}, Tags: serves,
		Rollout: func(context.Context, map[string]string, time.Time) error {
			if len(w.rollouts) == 0 {
				return nil
			}
			next := w.rollouts[0]
			w.rollouts = w.rollouts[1:]
			return next
		},
		Progress: func(format string, args ...any) { fmt.Fprintf(&w.said, format+"\n", args...) },
	}.Do(ctx)
}

// runs is the release that the stack has.
func (w *world) runs() string {
	w.t.Helper()
	state, err := w.open(w.run.Commit).Settle(w.t.Context())
	require.NoError(w.t, err)
	return state.Outputs["amiId"]
}

// named is the release that git names.
func (w *world) named() string {
	w.t.Helper()
	found, _, err := w.server.ReadFile(w.t.Context(), repo, "dev", file)
	require.NoError(w.t, err)
	return string(found.Content)
}

var errUnhealthy = errors.New("group app: the instance refresh ended Failed")

func (w *world) object(name string) []byte {
	w.t.Helper()
	content, err := w.account.GetObject(bucket, strings.TrimPrefix(w.uri, "s3://"+bucket+"/")+name)
	require.NoError(w.t, err)
	return content
}

func (w *world) overwrite(name string, content []byte) {
	w.t.Helper()
	require.NoError(w.t, w.account.PutObject(bucket, strings.TrimPrefix(w.uri, "s3://"+bucket+"/")+name, content))
}

// stateFile is the stack's state, byte for byte.
func (w *world) stateFile() string {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.backend, ".pulumi/stacks/test/dev.json"))
	require.NoError(w.t, err)
	return string(content)
}

// checkpoint returns how to bring the stack and the records back to what they are now.
func (w *world) checkpoint() (restore func()) {
	w.t.Helper()
	saved := w.t.TempDir()
	require.NoError(w.t, os.CopyFS(saved, os.DirFS(w.backend)))
	return func() {
		w.t.Helper()
		require.NoError(w.t, os.RemoveAll(w.backend))
		require.NoError(w.t, os.CopyFS(w.backend, os.DirFS(saved)))
		listed, err := w.s3.ListObjectsV2(w.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(deployment.Folder)})
		require.NoError(w.t, err)
		for _, object := range listed.Contents {
			_, err := w.s3.DeleteObject(w.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: object.Key})
			require.NoError(w.t, err)
		}
	}
}

func remove(w *world, path string) {
	w.t.Helper()
	head, err := w.hub.ReadHead(w.t.Context(), repo, "dev")
	require.NoError(w.t, err)
	commit, err := w.hub.MakeCommit(w.t.Context(), repo, head, github.Edit{Files: map[string][]byte{path: nil}, Message: "Remove " + path})
	require.NoError(w.t, err)
	require.NoError(w.t, w.hub.Advance(w.t.Context(), repo, "dev", commit))
}
