// Package bake turns a commit of the image repository into an AMI and hands the AMI off to the infrastructure repository. An
// AMI that was made of the same things is used again. The baking itself is Image Builder's and, on the instance, package
// install's.
package bake

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/bake/builds"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// Clients are the services that a bake uses.
type Clients struct {
	S3  artifact.Store
	SSM interface {
		PutParameter(context.Context, *ssm.PutParameterInput, ...func(*ssm.Options)) (*ssm.PutParameterOutput, error)
	}
	EC2 interface {
		DescribeImages(context.Context, *ec2.DescribeImagesInput, ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error)
		CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	}
	ImageBuilder interface {
		ImageGetter
		builds.Lister
		ListWorkflowExecutions(context.Context, *imagebuilder.ListWorkflowExecutionsInput, ...func(*imagebuilder.Options)) (*imagebuilder.ListWorkflowExecutionsOutput, error)
		ListWorkflowStepExecutions(context.Context, *imagebuilder.ListWorkflowStepExecutionsInput, ...func(*imagebuilder.Options)) (*imagebuilder.ListWorkflowStepExecutionsOutput, error)
		StartImagePipelineExecution(context.Context, *imagebuilder.StartImagePipelineExecutionInput, ...func(*imagebuilder.Options)) (*imagebuilder.StartImagePipelineExecutionOutput, error)
	}
	Logs interface {
		GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
	}
	GitHub interface {
		handoff.Hub
		LastCommit(ctx context.Context, repository, ref, path string) (github.Commit, error)
	}
}

// Result is what became of a bake. A bake with nothing to do is a success.
type Result struct {
	// AMI is empty when there was nothing to bake.
	AMI string `json:"ami,omitempty"`
	// Key is the image key.
	Key string `json:"imageKey,omitempty"`
	// Reused says that the AMI was there already, so that nothing was baked.
	Reused bool `json:"reused"`
	// Release is what the AMI is: the release that it was made for, also when another run started its bake.
	Release release.Release `json:"release"`
	// HandOff is the commit of the AMI's ID.
	HandOff handoff.Result `json:"handOff"`
}

// BaseError says that config.json asks for another base image than the recipe has.
type BaseError struct{ Want, Recipe, Environment string }

// Error names both base images.
func (e *BaseError) Error() string {
	return fmt.Sprintf("%s: image.base: %q: the recipe's base image is %q", imageconfig.Name, e.Want, e.Recipe)
}

// Hint says where the base image is changed.
func (e *BaseError) Hint() string {
	return fmt.Sprintf("the base image belongs to the recipe: change it in Pulumi.%s.yaml and run pulumi up, or leave image.base out", e.Environment)
}

type baker struct {
	clients  Clients
	vars     vars.Bake
	region   string
	progress func(format string, args ...any)
	// end is when to give up waiting.
	end time.Time
}

// Patience is how long Run waits for Image Builder, be it for its own bake or for another one that is in the way. A bake takes 15 to
// 40 minutes. The build that runs relay must have more time than this, so that relay can say what it waited for.
const Patience = 105 * time.Minute

// Run bakes the checkout in dir. It is safe to run again after being killed at any point, and to run twice at once: there is one bake
// of an image key, and bakes of several keys come one after another. progress gets lines for people.
func Run(ctx context.Context, clients Clients, v vars.Bake, region, dir string, progress func(format string, args ...any)) (Result, error) {
	b := &baker{clients: clients, vars: v, region: region, progress: progress, end: time.Now().Add(Patience)}
	content, err := readContent(ctx, dir)
	if err != nil {
		return Result{}, err
	}
	if base := content.config.Image.Base; base != "" && base != v.BaseImage {
		return Result{}, &BaseError{Want: base, Recipe: v.BaseImage, Environment: v.Environment}
	}
	software := content.config.Software
	if software == nil {
		return Result{HandOff: handoff.Result{Reason: "nothing to bake: config.json names no software yet"}}, nil
	}
	file, err := os.CreateTemp("", "relay-image-*.tar.gz")
	if err != nil {
		return Result{}, fmt.Errorf("packing the image repository: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	digest, err := content.pack(file)
	if err != nil {
		return Result{}, err
	}
	result := Result{Key: Key(software.SHA256, digest.SHA256, v.Recipe, v.BaseImage)}
	if result.AMI, result.Release, err = b.find(ctx, result.Key); err != nil {
		return Result{}, err
	}
	if result.Reused = result.AMI != ""; result.Reused {
		progress("%s has image key %.12s already, nothing is baked", result.AMI, result.Key)
	} else {
		result.Release = release.Release{
			ArtifactTag: software.Tag, SoftwareCommit: software.Commit, ImageCommit: v.Commit, Execution: v.Execution,
		}
		if err = b.make(ctx, content, &result, digest, file); err != nil {
			return Result{}, err
		}
	}
	result.HandOff, err = b.handOff(ctx, result)
	return result, err
}

// make bakes a new AMI, or takes the one that an earlier run had baked, and tags it.
func (b *baker) make(ctx context.Context, c content, r *Result, digest artifact.Digest, tar io.ReadSeeker) error {
	key := artifact.ImageKey(digest.SHA256)
	if err := artifact.Upload(ctx, b.clients.S3, artifact.Object{
		Bucket: b.vars.Bucket, Key: key, ContentType: "application/gzip", Digest: digest, Body: tar,
	}); err != nil {
		return err
	}
	text, err := manifest.Manifest{
		Product: b.vars.Product, Environment: b.vars.Environment, Key: r.Key, Release: r.Release, Pipeline: b.vars.ImagePipeline,
		Software: manifest.Content{URI: c.config.Software.Artifact, SHA256: c.config.Software.SHA256},
		Image:    manifest.Content{URI: artifact.URI(b.vars.Bucket, key), SHA256: digest.SHA256},
		Setup:    c.config.Image.Setup, Test: c.config.Image.Test,
	}.Format()
	if err != nil {
		return err
	}
	if err := b.build(ctx, r, text); err != nil {
		return err
	}
	return b.tag(ctx, r.AMI, r.Key, r.Release)
}

// announce writes the manifest for the machine that is baked.
func (b *baker) announce(ctx context.Context, text string) error {
	if _, err := b.clients.SSM.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &b.vars.Manifest, Value: &text, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
	}); err != nil {
		return fmt.Errorf("writing the bake manifest to the parameter %s: %w", b.vars.Manifest, err)
	}
	return nil
}

func (b *baker) waiter() Waiter {
	return Waiter{
		Client: b.clients.ImageBuilder, MinDelay: 250 * time.Millisecond, MaxDelay: 20 * time.Second, MaxWait: time.Until(b.end), Now: time.Now,
		Sleep: sleep,
		Progress: func(state string, waited time.Duration) {
			b.progress("image is %s after %s", state, waited.Round(time.Second))
		},
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
