package bake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

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

// exists says whether an AMI of this account is there and can be started: people may have deregistered what a build made.
func (b *baker) exists(ctx context.Context, ami string) (bool, error) {
	out, err := b.clients.EC2.DescribeImages(ctx, &ec2.DescribeImagesInput{
		Owners: []string{"self"},
		Filters: []ec2types.Filter{
			{Name: aws.String("image-id"), Values: []string{ami}},
			{Name: aws.String("state"), Values: []string{"available"}},
		},
	})
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", ami, err)
	}
	return len(out.Images) > 0, nil
}

// tag marks the AMI with all tags at once, so that one with the image key has the release's too. The same tags again change nothing.
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
