package bake_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/bake"
	"github.com/tekpossible/ha-devops/internal/bake/builds"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// world is an account and a GitHub with an image and an infrastructure repository, and a checkout of the former.
type world struct {
	t       *testing.T
	aws     *awssim.Account
	forge   *githubsim.Server
	clients bake.Clients
	vars    vars.Bake
	dir     string
	// switches is the folder of the files that hold bakes back or make them fail.
	switches string
	mu       sync.Mutex
	lines    []string
}

// document is the component: it waits, and fails, as long as there are files that say so.
const document = `
name: d
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - name: Fail
        action: ExecuteBash
        inputs:
          commands:
            - while test -e %[1]s/wait; do sleep 0.02; done
            - test ! -e %[1]s/fail || { echo no such package; exit 9; }
`

func newWorld(t *testing.T) *world {
	t.Helper()
	account := awssim.New(awssim.Options{AccountID: "123456789012", Region: "eu-central-1", Dir: t.TempDir()})
	t.Cleanup(account.Close)
	require.NoError(t, account.CreateBucket("shop-dev"))
	endpoint := httptest.NewServer(account)
	t.Cleanup(endpoint.Close)
	forge, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"t": {Login: "relay[bot]", App: 7}},
	})
	require.NoError(t, err)
	web := httptest.NewServer(forge)
	t.Cleanup(web.Close)
	client, err := github.New(web.URL+"/api/v3/", "acme", "t")
	require.NoError(t, err)
	cfg := aws.Config{
		Region: "eu-central-1", BaseEndpoint: &endpoint.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
	w := &world{
		t: t, aws: account, forge: forge, dir: t.TempDir(), switches: t.TempDir(),
		clients: bake.Clients{
			S3: s3.NewFromConfig(cfg), SSM: ssm.NewFromConfig(cfg), EC2: ec2.NewFromConfig(cfg),
			ImageBuilder: imagebuilder.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), GitHub: client,
		},
		vars: vars.Bake{
			Common:          vars.Common{Product: "shop", Environment: "dev", Execution: "e-1", Bucket: "shop-dev"},
			ImageRepository: "image", InfrastructureRepository: "infra",
			ImagePipeline: "arn:pipeline", Recipe: "arn:recipe/1", BaseImage: "ami-base", Manifest: "/shop/dev/manifest",
		},
	}
	for _, name := range []string{"image", "infra"} {
		require.NoError(t, forge.CreateRepository(t.Context(), githubsim.Repository{Name: name, DefaultBranch: "dev", AutoInit: true}))
	}
	require.NoError(t, account.PutComponent("arn:component", "c", "1.0.0", fmt.Sprintf(document, w.switches)))
	require.NoError(t, account.PutRecipe("arn:recipe", awssim.Recipe{Name: "r", Version: "1.0.0", Components: []awssim.ComponentRef{{ARN: "arn:component"}}}))
	account.PutInfrastructure("arn:i", awssim.Infrastructure{Name: "i"})
	account.PutDistribution("arn:d", awssim.Distribution{AMIName: "shop-dev-{{ imagebuilder:buildDate }}"})
	require.NoError(t, account.PutImagePipeline("arn:pipeline", awssim.ImagePipeline{
		Name: "p", RecipeARN: "arn:recipe", InfrastructureARN: "arn:i", DistributionARN: "arn:d",
	}))
	w.git("init", "-q", "-b", "dev")
	return w
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	out, err := git.Run(w.t.Context(), w.dir, append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	require.NoError(w.t, err)
	return strings.TrimSpace(out)
}

// commit writes files into the image repository and pushes them, and makes that the commit that is baked.
func (w *world) commit(files map[string]string) string {
	w.t.Helper()
	for name, content := range files {
		require.NoError(w.t, os.MkdirAll(filepath.Dir(filepath.Join(w.dir, name)), 0o755))
		require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o644))
	}
	w.git("add", "-A")
	w.git("commit", "-q", "--allow-empty", "-m", "change")
	w.vars.Commit = w.git("rev-parse", "HEAD")
	require.NoError(w.t, w.forge.Push(w.t.Context(), "image", "dev", w.vars.Commit, filepath.Join(w.dir, ".git")))
	return w.vars.Commit
}

func (w *world) bake() (bake.Result, error) { return w.bakeAs(w.t.Context(), w.vars) }

func (w *world) bakeAs(ctx context.Context, v vars.Bake) (bake.Result, error) {
	return bake.Run(ctx, w.clients, v, "eu-central-1", w.dir, func(format string, args ...any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, fmt.Sprintf(format, args...))
	})
}

func (w *world) said(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(strings.Join(w.lines, "\n"), text)
}

func (w *world) turn(name string, on bool) {
	w.t.Helper()
	if file := filepath.Join(w.switches, name); on {
		require.NoError(w.t, os.WriteFile(file, nil, 0o600))
	} else {
		require.NoError(w.t, os.Remove(file))
	}
}

// builds are those of the image pipeline.
func (w *world) builds() []builds.Build {
	w.t.Helper()
	all, err := builds.List(w.t.Context(), w.clients.ImageBuilder, w.vars.ImagePipeline)
	require.NoError(w.t, err)
	return all
}

func (w *world) baked() bake.Result {
	w.t.Helper()
	result, err := w.bake()
	require.NoError(w.t, err, strings.Join(w.lines, "\n"))
	return result
}

func (w *world) amiID() (string, string) {
	w.t.Helper()
	file, ok, err := w.forge.ReadFile(w.t.Context(), "infra", "dev", release.AMIFile)
	require.NoError(w.t, err)
	if !ok {
		return "", ""
	}
	last, err := w.clients.GitHub.LastCommit(w.t.Context(), "infra", "dev", release.AMIFile)
	require.NoError(w.t, err)
	return strings.TrimSpace(string(file.Content)), last.Message
}

func config(tag, more string) string {
	software, _ := imageconfig.SetSoftware([]byte("{"+more+"}"), imageconfig.Software{
		Tag: tag, Artifact: "s3://shop-dev/software/" + tag + ".tar.gz", SHA256: fmt.Sprintf("%064x", tag), Commit: strings.Repeat("1", 40),
	})
	return string(software)
}

func TestNothingToBakeWithoutSoftware(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"README": "x"})
	result := w.baked()
	assert.Empty(t, result.AMI)
	assert.Contains(t, result.HandOff.Reason, "nothing to bake")
}

func TestBakeTagsAndHandsOff(t *testing.T) {
	w := newWorld(t)
	commit := w.commit(map[string]string{"config.json": config("v1", `"image": {"setup": "bin/setup"}`), "bin/setup": "true", "hold-not": "x"})
	result := w.baked()
	assert.False(t, result.Reused)
	want := release.Release{ArtifactTag: "v1", SoftwareCommit: strings.Repeat("1", 40), ImageCommit: commit, Execution: "e-1"}
	assert.Equal(t, want, result.Release)

	image, ok := w.aws.Image(result.AMI)
	require.True(t, ok)
	assert.Equal(t, want, release.FromTags(image.Tags))
	assert.Equal(t, result.Key, image.Tags[release.KeyImage])

	id, message := w.amiID()
	assert.Equal(t, result.AMI, id)
	assert.Equal(t, want, release.FromMessage(message))

	parameter, ok := w.aws.Parameter("/shop/dev/manifest")
	require.True(t, ok)
	m, err := manifest.Parse(parameter.Value)
	require.NoError(t, err)
	assert.Equal(t, result.Key, m.Key)
	assert.Equal(t, "bin/setup", m.Setup)
	_, key, err := artifact.ParseURI(m.Image.URI)
	require.NoError(t, err)
	_, err = w.aws.GetObject("shop-dev", key)
	require.NoError(t, err)
}

func TestSameThingsAreNotBakedTwice(t *testing.T) {
	w := newWorld(t)
	first := w.commit(map[string]string{"config.json": config("v1", ""), "f": "x"})
	one := w.baked()
	again := w.baked()
	assert.True(t, again.Reused)
	assert.False(t, again.HandOff.Changed)

	// The layout of config.json and a hold do not go into the image.
	w.commit(map[string]string{"config.json": strings.ReplaceAll(config("v1", ""), "\n", "\n\n")})
	assert.Equal(t, one.Key, w.baked().Key)
	// A file, another key of config.json, the software and the recipe do.
	for name, change := range map[string]func(){
		"file":     func() { w.commit(map[string]string{"f": "y"}) },
		"key":      func() { w.commit(map[string]string{"config.json": config("v1", `"x": 1`)}) },
		"software": func() { w.commit(map[string]string{"config.json": config("v2", "")}) },
		"recipe":   func() { w.vars.Recipe = "arn:recipe/2" },
	} {
		change()
		assert.NotEqual(t, one.Key, w.baked().Key, name)
	}

	// Back to what there was: the AMI is used again, and its release is the one it was made for.
	w.vars.Recipe = "arn:recipe/1"
	last := w.commit(map[string]string{"config.json": config("v1", ""), "f": "x"})
	back := w.baked()
	assert.Equal(t, one.AMI, back.AMI)
	assert.Equal(t, first, back.Release.ImageCommit)
	id, message := w.amiID()
	assert.Equal(t, one.AMI, id)
	assert.Equal(t, first, release.FromMessage(message).ImageCommit)

	// Also when an old AMI came back, a run of a commit in between comes too late.
	w.vars.Commit = w.git("rev-parse", last+"^")
	w.git("checkout", "-q", w.vars.Commit)
	late := w.baked()
	assert.False(t, late.HandOff.Changed)
	assert.Contains(t, late.HandOff.Reason, "is older than "+last[:12])
}

func TestOvertakenRunChangesNothing(t *testing.T) {
	w := newWorld(t)
	older := w.commit(map[string]string{"config.json": config("v1", "")})
	w.commit(map[string]string{"config.json": config("v2", "")})
	newer := w.baked()
	w.vars.Commit = older
	w.git("checkout", "-q", older)
	result := w.baked()
	assert.NotEmpty(t, result.AMI)
	assert.False(t, result.HandOff.Changed)
	id, _ := w.amiID()
	assert.Equal(t, newer.AMI, id)
}

func TestRefusedBeforeAnythingIsBaked(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", `"image": {"base": "ami-other"}`)})
	_, err := w.bake()
	var base *bake.BaseError
	require.ErrorAs(t, err, &base)
	assert.Contains(t, base.Hint(), "Pulumi.dev.yaml")

	w.commit(map[string]string{"config.json": config("v1", `"image": {"base": "ami-base", "setup": "gone", "test": "also"}`)})
	_, err = w.bake()
	var invalid *imageconfig.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Len(t, invalid.Problems, 2)

	_, ok := w.aws.Parameter("/shop/dev/manifest")
	assert.False(t, ok)
}
