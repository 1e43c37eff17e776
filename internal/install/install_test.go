package install_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/install"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/release"
)

// world is an account and a machine.
type world struct {
	t       *testing.T
	aws     *awssim.Account
	store   *s3.Client
	ssm     *ssm.Client
	machine install.Machine
	log     bytes.Buffer
	bin     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	account := awssim.New(awssim.Options{AccountID: "123456789012", Region: "eu-central-1", Dir: t.TempDir()})
	t.Cleanup(account.Close)
	require.NoError(t, account.CreateBucket("shop-dev"))
	endpoint := httptest.NewServer(account)
	t.Cleanup(endpoint.Close)
	cfg := aws.Config{
		Region: "eu-central-1", BaseEndpoint: &endpoint.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}
	w := &world{t: t, aws: account, store: s3.NewFromConfig(cfg), ssm: ssm.NewFromConfig(cfg), bin: t.TempDir()}
	w.command("systemctl", `echo "$@" >> "$DESTDIR/systemctl"`)
	t.Setenv("PATH", w.bin+":"+os.Getenv("PATH"))
	w.machine = install.Machine{
		DestDir: t.TempDir(), Environ: os.Environ(), Log: &w.log, Progress: func(string, ...any) {},
	}
	return w
}

func (w *world) command(name, script string) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// content puts a tar of files into the bucket; a file that begins with #! is executable.
func (w *world) content(name string, files map[string]string) manifest.Content {
	w.t.Helper()
	dir := w.t.TempDir()
	for file, text := range files {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		require.NoError(w.t, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755))
		require.NoError(w.t, os.WriteFile(filepath.Join(dir, file), []byte(text), mode))
	}
	paths, err := artifact.Walk(dir)
	require.NoError(w.t, err)
	var tar bytes.Buffer
	digest, err := artifact.Pack(dir, paths, nil, &tar)
	require.NoError(w.t, err)
	require.NoError(w.t, w.aws.PutObject("shop-dev", name, tar.Bytes()))
	return manifest.Content{URI: artifact.URI("shop-dev", name), SHA256: digest.SHA256}
}

func (w *world) manifest(software, image manifest.Content) manifest.Manifest {
	return manifest.Manifest{
		Product: "shop", Environment: "dev", Key: strings.Repeat("a", 64), Software: software, Image: image, Pipeline: "arn:pipeline",
		Release: release.Release{ArtifactTag: "v1", SoftwareCommit: strings.Repeat("1", 40), ImageCommit: strings.Repeat("2", 40), Execution: "e-1"},
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.machine.DestDir, name))
	require.NoError(w.t, err)
	return string(content)
}

func TestInstall(t *testing.T) {
	w := newWorld(t)
	m := w.manifest(
		w.content("s", map[string]string{"server": "#!", ".relay.yaml": "start: exec ./server --greet \"it's $PORT\"\nport: 9000\n", "old": "x"}),
		w.content("i", map[string]string{
			"bin/setup": "#!/bin/sh\necho \"$PWD|$PRODUCT|$ENVIRONMENT|$RELEASE\" > \"$DESTDIR/seen\"",
			"bin/test":  "test -e bin/setup && cat \"$DESTDIR/seen\"\n", // not executable: bash runs it
		}),
	)
	m.Setup, m.Test = "bin/setup", "bin/test"
	require.NoError(t, install.Run(t.Context(), w.store, w.machine, m))
	image, err := filepath.EvalSymlinks(filepath.Join(w.machine.DestDir, "opt/shop/image"))
	require.NoError(t, err)
	assert.Equal(t, image+"|shop|dev|v1\n", w.read("seen"))
	assert.Equal(t, "enable shop\n", w.read("systemctl"))
	unit := w.read("etc/systemd/system/shop.service")
	for _, line := range []string{
		"WorkingDirectory=/opt/shop/software", "EnvironmentFile=-/etc/shop/environment", "Environment=PORT=9000", "Environment=RELEASE=v1",
		`ExecStart=/bin/sh -c 'exec ./server --greet "it\'s $$PORT"'`, "Restart=always", "DynamicUser=yes", "WantedBy=multi-user.target",
	} {
		assert.Contains(t, unit, "\n"+line+"\n")
	}
	record, err := install.ReadRecord(filepath.Join(w.machine.DestDir, "etc/shop/release.json"))
	require.NoError(t, err)
	assert.Equal(t, install.Record{Release: m.Release, Product: "shop", Environment: "dev", SHA256: m.Software.SHA256, ImageKey: m.Key}, record)

	require.ErrorContains(t, install.Check(t.Context(), w.machine, m), "bin/relay", "the component has not put relay there")
	require.NoError(t, os.MkdirAll(filepath.Join(w.machine.DestDir, "opt/shop/bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(w.machine.DestDir, "opt/shop/bin/relay"), nil, 0o755))
	require.NoError(t, install.Check(t.Context(), w.machine, m))
	assert.Contains(t, w.log.String(), "|shop|dev|v1")

	// Another release over it leaves nothing of this one.
	next := w.manifest(w.content("s2", map[string]string{"new": "x"}), m.Image)
	next.Release.ArtifactTag = "v2"
	require.ErrorContains(t, install.Check(t.Context(), w.machine, next), "the image is release v1")
	require.NoError(t, install.Run(t.Context(), w.store, w.machine, next))
	assert.NoFileExists(t, filepath.Join(w.machine.DestDir, "opt/shop/software/old"))
	assert.Contains(t, w.read("etc/systemd/system/shop.service"), "\nExecStart=/opt/shop/bin/relay serve --product shop\n")
	require.NoError(t, install.Run(t.Context(), w.store, w.machine, next), "once more")
	left, err := filepath.Glob(filepath.Join(w.machine.DestDir, "opt/shop/.*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no download is left behind")

	unitFile := filepath.Join(w.machine.DestDir, "etc/systemd/system/shop.service")
	require.NoError(t, os.WriteFile(unitFile, []byte("changed"), 0o644))
	require.ErrorContains(t, install.Check(t.Context(), w.machine, next), "drop-in")
}

func TestOtherBytesAreNotUnpacked(t *testing.T) {
	w := newWorld(t)
	m := w.manifest(w.content("s", map[string]string{"a": "x"}), w.content("i", map[string]string{"b": "x"}))
	m.Image.SHA256 = strings.Repeat("0", 64)
	var digest *artifact.DigestError
	require.ErrorAs(t, install.Run(t.Context(), w.store, w.machine, m), &digest)
	for _, dir := range []string{"opt/shop/software", "opt/shop/image", "etc"} {
		assert.NoDirExists(t, filepath.Join(w.machine.DestDir, dir))
	}
}

func TestFailingScriptSaysWhatItSaid(t *testing.T) {
	w := newWorld(t)
	m := w.manifest(w.content("s", map[string]string{"a": "x"}), w.content("i", map[string]string{"setup": "echo no such package >&2\nexit 3\n"}))
	m.Setup = "setup"
	err := install.Run(t.Context(), w.store, w.machine, m)
	var script *install.ScriptError
	require.ErrorAs(t, err, &script)
	require.EqualError(t, err, "config.json: image.setup: setup: exit status 3\nno such package")
	assert.NoFileExists(t, filepath.Join(w.machine.DestDir, "systemctl"))
}

func TestManifestOfTheParameter(t *testing.T) {
	w := newWorld(t)
	_, err := install.Manifest(t.Context(), w.ssm, "/shop/dev/manifest", "shop")
	require.ErrorContains(t, err, "the parameter /shop/dev/manifest")
	m := w.manifest(manifest.Content{URI: "s3://shop-dev/s", SHA256: strings.Repeat("b", 64)}, manifest.Content{URI: "s3://shop-dev/i", SHA256: strings.Repeat("c", 64)})
	text, err := m.Format()
	require.NoError(t, err)
	require.NoError(t, w.aws.SetParameter(awssim.Parameter{Name: "/shop/dev/manifest", Value: text, Type: "String"}))
	got, err := install.Manifest(t.Context(), w.ssm, "/shop/dev/manifest", "shop")
	require.NoError(t, err)
	assert.Equal(t, m, got)
	_, err = install.Manifest(t.Context(), w.ssm, "/shop/dev/manifest", "forum")
	require.ErrorContains(t, err, `is for product "shop", this machine is for "forum"`)
}
