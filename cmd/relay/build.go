package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/process"
	"github.com/tekpossible/ha-devops/internal/relayfile"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// buildResult is what `relay build --output json` prints.
type buildResult struct {
	imageconfig.Software
	Size    int64          `json:"size"`
	HandOff handoff.Result `json:"handOff"`
}

func newBuildCommand(d *deps) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build and pack the software, and hand it off to the image repository",
		Long: "build runs the build command of .relay.yaml, packs the tree, puts it on S3 with its provenance, and writes its tag into\n" +
			"config.json of the image repository. Running it again for the same commit changes nothing, and finishes what a killed run began.\n\n" + exits("the artifact is stored and handed off, now or before"),
		Example: "  relay build --dir . --output json",
		Args:    cobra.NoArgs,
		RunE:    run(func(ctx context.Context) error { return build(ctx, d, dir) }),
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the software repository's checkout, with history and tags")
	return cmd
}

func build(ctx context.Context, d *deps, dir string) error {
	var v vars.Build
	if err := vars.Read(&v, d.getenv); err != nil {
		return err
	}
	file, raw, err := relayfile.Read(dir)
	if err != nil {
		return err
	}
	head, err := artifact.Head(ctx, dir)
	if err != nil {
		return err
	}
	if head != v.Commit {
		return &inputError{fmt.Errorf("the checkout in %s is at %s, the pipeline says %s; check out that commit", dir, head, v.Commit)}
	}
	tag, err := artifact.Tag(ctx, dir)
	if err != nil {
		return err
	}
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	if err := runBuild(ctx, d, dir, file.Build); err != nil {
		return err
	}
	tar, err := os.CreateTemp("", "relay-software-*.tar.gz")
	if err != nil {
		return fmt.Errorf("packing: %w", err)
	}
	defer os.Remove(tar.Name())
	defer tar.Close()
	digest, err := packSoftware(dir, file.Package, raw, tar)
	if err != nil {
		return err
	}
	d.ui.progress("packed %s: %d bytes, sha256 %s", tag, digest.Size, digest.SHA256)
	key := artifact.SoftwareKey(v.Product, tag)
	software := imageconfig.Software{Tag: tag, Artifact: artifact.URI(v.Bucket, key), SHA256: digest.SHA256, Commit: v.Commit}
	store := s3.NewFromConfig(cfg)
	if err := artifact.Upload(ctx, store, artifact.Object{
		Bucket: v.Bucket, Key: key, ContentType: "application/gzip", Digest: digest, Body: tar,
	}); err != nil {
		return err
	}
	if err := uploadProvenance(ctx, store, v, software, digest, file, started); err != nil {
		return err
	}
	client, err := connectGitHub(ctx, cfg, v.GitHub)
	if err != nil {
		return err
	}
	result, err := handOffSoftware(ctx, client, v, software)
	if err != nil {
		return err
	}
	if result.Changed {
		d.ui.progress("%s is handed off to %s at %s: commit %s", tag, v.ImageRepository, v.Environment, result.Commit)
	} else {
		d.ui.progress("%s is not handed off: %s", tag, result.Reason)
	}
	return d.ui.result(buildResult{Software: software, Size: digest.Size, HandOff: result})
}

// runBuild runs the build command. A command of several lines stops at the first one that fails.
func runBuild(ctx context.Context, d *deps, dir, command string) error {
	if command == "" {
		return nil
	}
	d.ui.progress("building: %.100q", command)
	cmd := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", command)
	cmd.Dir = dir
	cmd.Env = d.environ
	var tail process.Tail
	out := io.MultiWriter(d.ui.stderr, &tail)
	cmd.Stdout, cmd.Stderr = out, out
	if err := process.Run(cmd); err != nil {
		return fmt.Errorf("%s: build: %w\n%s", relayfile.Name, err, tail.String())
	}
	return nil
}

// packSoftware packs the package directory, with .relay.yaml so that start, port and health travel with the software.
func packSoftware(dir, pkg string, relayFile []byte, w io.Writer) (artifact.Digest, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return artifact.Digest{}, fmt.Errorf("packing: %w", err)
	}
	from, err := filepath.EvalSymlinks(filepath.Join(root, pkg))
	if err != nil {
		return artifact.Digest{}, fmt.Errorf("%s: package: %s: %w; does the build make it?", relayfile.Name, pkg, err)
	}
	if relative, err := filepath.Rel(root, from); err != nil || !filepath.IsLocal(relative) {
		return artifact.Digest{}, fmt.Errorf("%s: package: %s: leads out of the repository by a symbolic link", relayfile.Name, pkg)
	}
	if info, err := os.Stat(from); err != nil || !info.IsDir() {
		return artifact.Digest{}, fmt.Errorf("%s: package: %s: is not a directory", relayfile.Name, pkg)
	}
	paths, err := artifact.Walk(from)
	if err != nil {
		return artifact.Digest{}, err
	}
	extra := map[string][]byte{}
	if relayFile != nil {
		extra[relayfile.Name] = relayFile
	}
	return artifact.Pack(from, paths, extra, w)
}
