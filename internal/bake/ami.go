package bake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/internal/release"
)

// find returns the newest available AMI of this account that has the key, or an empty ID.
func (b *baker) find(ctx context.Context, key string) (string, release.Release, error) {
	out, err := b.clients.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners: []string{"self"},
		Filters: []ec2types.Filter{
			{Name: aws.String("tag:" + release.KeyImage), Values: []string{key}},
			{Name: aws.String("state"), Values: []string{"available"}},
		},
	})
	if err != nil {
		return "", release.Release{}, fmt.Errorf("looking for an AMI with image key %.12s: %w", key, err)
	}
	if len(out.Images) == 0 {
		return "", release.Release{}, nil
	}
	newest := slices.MaxFunc(out.Images, func(a, b ec2types.Image) int {
		return strings.Compare(aws.ToString(a.CreationDate), aws.ToString(b.CreationDate))
	})
	tags := map[string]string{}
	for _, tag := range newest.Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return aws.ToString(newest.ImageId), release.FromTags(tags), nil
}

// tag marks the AMI with all tags at once: with the image key it must have the release's.
func (b *baker) tag(ctx context.Context, ami, key string, r release.Release) error {
	tags := []ec2types.Tag{{Key: aws.String(release.KeyImage), Value: &key}}
	for name, value := range r.Tags() {
		tags = append(tags, ec2types.Tag{Key: &name, Value: &value})
	}
	if _, err := b.clients.EC2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{ami}, Tags: tags}); err != nil {
		return fmt.Errorf("tagging %s: %w", ami, err)
	}
	return nil
}

// starts bounds how many failed builds of one execution are passed over.
const starts = 10

// build has Image Builder make the image and returns its AMI. Run again in one execution, it goes on waiting for the build
// that is under way, which is what the client token is for. A failed build that is older than this run belongs to an earlier
// run of the action, which people have just retried, so the next token starts another.
func (b *baker) build(ctx context.Context, key string) (string, error) {
	waiter := b.waiter()
	// Image Builder cuts fractions of a second off.
	begin := time.Now().Add(-time.Second)
	for n := 1; ; n++ {
		out, err := b.clients.ImageBuilder.StartImagePipelineExecution(ctx, &imagebuilder.StartImagePipelineExecutionInput{
			ImagePipelineArn: &b.vars.ImagePipeline, ClientToken: aws.String(clientToken(key, b.vars.Execution, n)),
			// By these tags the lifecycle policy knows which images it may retire.
			Tags: names.Tags(b.vars.Product, b.vars.Environment),
		})
		if err != nil {
			return "", fmt.Errorf("starting the image pipeline %s: %w", b.vars.ImagePipeline, err)
		}
		arn := aws.ToString(out.ImageBuildVersionArn)
		var failed *FailedError
		if image, err := waiter.look(ctx, arn); errors.As(err, &failed) && n < starts && createdBefore(image, begin) {
			b.progress("%s of an earlier run is %s, starting another", arn, failed.State)
			continue
		}
		b.progress("baking %s", arn)
		image, err := waiter.Wait(ctx, arn)
		if err != nil {
			return "", err
		}
		return amiOf(image, arn, b.region)
	}
}

func createdBefore(image *types.Image, t time.Time) bool {
	created, err := time.Parse(time.RFC3339, aws.ToString(image.DateCreated))
	return err == nil && created.Before(t)
}

// clientToken has 32 characters; Image Builder takes 36.
func clientToken(key, execution string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", key, execution, n))
	return hex.EncodeToString(sum[:16])
}

func amiOf(image *types.Image, arn, region string) (string, error) {
	if image.OutputResources != nil {
		for _, ami := range image.OutputResources.Amis {
			if aws.ToString(ami.Region) == region && aws.ToString(ami.Image) != "" {
				return *ami.Image, nil
			}
		}
	}
	return "", fmt.Errorf("baking %s: it is available but has no AMI in %s; check the distribution configuration", arn, region)
}
