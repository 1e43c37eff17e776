package bake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"

	"github.com/tekpossible/ha-devops/internal/bake/builds"
)

const (
	// starts bounds how often one run tries to start the pipeline.
	starts = 20
	// settle is how long to wait before looking again for what another run has just started, and settles how often until it is taken for
	// gone.
	settle  = 2 * time.Second
	settles = 5
)

// build sets the AMI of an image key, and the release that it is. In this order it takes what an earlier or another run has done: a
// bake that is under way is waited for, one that has ended well is taken, and only then another is started. What has failed before
// counts in the client token, so that two runs that start at once start one bake, and a run after a failure starts a new one.
//
// The pipeline has one manifest, so that a bake of another key is waited for first. Two runs that see none and start at the same time
// are kept apart by the machines that are baked, which refuse (see install.Confirm).
func (b *baker) build(ctx context.Context, r *Result, manifest string) error {
	begin := time.Now()
	spent, mismatches := 0, 0
	for range starts {
		failed, done, err := b.settled(ctx, r)
		if err != nil || done {
			return err
		}
		if err := b.announce(ctx, manifest); err != nil {
			return err
		}
		arn, err := b.start(ctx, r, clientToken(r.Key, failed+spent))
		if mismatch := (*types.IdempotentParameterMismatchException)(nil); errors.As(err, &mismatch) {
			// Another run has just started the bake of this key, for its own release. Or one did long ago, and people deleted the build.
			b.progress("another run has started a bake of image key %.12s, looking for it", r.Key)
			if mismatches++; mismatches%settles == 0 {
				spent++
			}
			if err := sleep(ctx, settle); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		image, err := b.waiter().look(ctx, arn)
		if end := (*FailedError)(nil); errors.As(err, &end) && createdBefore(image, begin) {
			b.progress("%s of an earlier run is %s, starting another", arn, end.State)
			spent++
			continue
		}
		b.progress("baking %s", arn)
		return b.await(ctx, arn, r)
	}
	return fmt.Errorf("starting the image pipeline %s: no new bake of image key %.12s after %d tries; "+
		"look at the pipeline's output images in the EC2 Image Builder console", b.vars.ImagePipeline, r.Key, starts)
}

// settled takes the bake that is there already. If there is none it waits until no other is under way, and says how many of the key
// there were that cannot be used.
func (b *baker) settled(ctx context.Context, r *Result) (failed int, done bool, err error) {
	for {
		all, err := builds.List(ctx, b.clients.ImageBuilder, b.vars.ImagePipeline)
		if err != nil {
			return 0, false, err
		}
		if i := slices.IndexFunc(all, func(o builds.Build) bool { return o.Key == r.Key && o.UnderWay() }); i >= 0 {
			b.progress("%s bakes image key %.12s already, waiting for it", all[i].ARN, r.Key)
			r.Release = all[i].Release
			return 0, true, b.await(ctx, all[i].ARN, r)
		}
		failed, done, err := b.ended(ctx, all, r)
		if err != nil || done {
			return 0, done, err
		}
		other := slices.IndexFunc(all, builds.Build.UnderWay)
		if other < 0 {
			return failed, false, nil
		}
		b.progress("waiting for %s, a bake of other content: bakes of one pipeline come one after another", all[other].ARN)
		// How it ends is the business of those who started it.
		ends := (*FailedError)(nil)
		if _, err := b.waiter().Wait(ctx, all[other].ARN); err != nil && !errors.As(err, &ends) {
			return 0, false, err
		}
	}
}

// ended takes the AMI of a bake of the key that has ended well, whose run did not get to tag it, or counts those that cannot be used.
func (b *baker) ended(ctx context.Context, all []builds.Build, r *Result) (failed int, done bool, err error) {
	for _, other := range all {
		if other.Key != r.Key {
			continue
		}
		if ami := other.AMIs[b.region]; other.Status == types.ImageStatusAvailable && ami != "" {
			there, err := b.exists(ctx, ami)
			if err != nil {
				return 0, false, err
			}
			if there {
				b.progress("%s has made %s of image key %.12s already, nothing is baked", other.ARN, ami, r.Key)
				r.AMI, r.Release, r.Reused = ami, other.Release, true
				return 0, true, nil
			}
		}
		failed++
	}
	return failed, false, nil
}

func (b *baker) start(ctx context.Context, r *Result, token string) (string, error) {
	out, err := b.clients.ImageBuilder.StartImagePipelineExecution(ctx, &imagebuilder.StartImagePipelineExecutionInput{
		ImagePipelineArn: &b.vars.ImagePipeline, ClientToken: &token,
		Tags: builds.Tags(b.vars.Product, b.vars.Environment, r.Key, r.Release),
	})
	if err != nil {
		return "", fmt.Errorf("starting the image pipeline %s: %w", b.vars.ImagePipeline, err)
	}
	return aws.ToString(out.ImageBuildVersionArn), nil
}

// await waits until a build has ended, and says why if it has failed.
func (b *baker) await(ctx context.Context, arn string, r *Result) error {
	image, err := b.waiter().Wait(ctx, arn)
	if failed := (*FailedError)(nil); errors.As(err, &failed) {
		b.explain(ctx, failed)
	}
	if err != nil {
		return err
	}
	if r.AMI = builds.AMIs(image.OutputResources)[b.region]; r.AMI == "" {
		return fmt.Errorf("baking %s: it is available but has no AMI in %s; check the distribution configuration", arn, b.region)
	}
	return nil
}

// createdBefore says whether an image is older than a time; Image Builder may cut fractions of a second off.
func createdBefore(image *types.Image, t time.Time) bool {
	created, err := time.Parse(time.RFC3339, aws.ToString(image.DateCreated))
	return err == nil && created.Before(t.Add(-time.Second))
}

// clientToken has 32 characters; Image Builder takes 36. How long Image Builder remembers a token is not documented, and nothing
// depends on it: it covers the moments between a look at the pipeline's builds and the start.
func clientToken(key string, failed int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", key, failed))
	return hex.EncodeToString(sum[:16])
}
