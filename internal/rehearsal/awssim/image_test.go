package awssim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

func TestImagesAreFoundAndTagged(t *testing.T) {
	w := newWorld(t)
	ctx, client := t.Context(), ec2.NewFromConfig(w.config)
	older := w.RegisterImage(awssim.Image{
		Name: "shop-1", Tags: map[string]string{"Image-Key": "k1"}, CreationDate: time.Now().Add(-time.Hour),
		BlockDevices: []awssim.BlockDevice{{Device: "/dev/xvda", SizeGiB: 8, Type: "gp3", Encrypted: true}},
	})
	newer := w.RegisterImage(awssim.Image{Name: "shop-2", Tags: map[string]string{"Image-Key": "k2"}, State: "pending"})
	foreign := w.RegisterImage(awssim.Image{ID: "ami-0123456789abcdef0", Name: "al2023-base", Owner: "137112412989"})
	assert.Regexp(t, `^ami-[0-9a-f]{17}$`, older)

	find := func(input ec2.DescribeImagesInput) []string {
		t.Helper()
		out, err := client.DescribeImages(ctx, &input)
		require.NoError(t, err)
		ids := []string{}
		for _, image := range out.Images {
			ids = append(ids, *image.ImageId)
		}
		return ids
	}
	filter := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
	self := []string{"self"}
	assert.Equal(t, []string{newer, older}, find(ec2.DescribeImagesInput{Owners: self}))
	assert.Equal(t, []string{older}, find(ec2.DescribeImagesInput{Owners: self, Filters: []types.Filter{filter("tag:Image-Key", "k1"), filter("state", "available")}}))
	assert.Empty(t, find(ec2.DescribeImagesInput{Owners: self, Filters: []types.Filter{filter("tag:Image-Key", "k2"), filter("state", "available")}}))
	assert.Equal(t, []string{newer, older}, find(ec2.DescribeImagesInput{Filters: []types.Filter{filter("name", "shop-?", "none")}}))
	assert.Equal(t, []string{foreign}, find(ec2.DescribeImagesInput{ImageIds: []string{foreign}}))
	assert.Empty(t, find(ec2.DescribeImagesInput{ImageIds: []string{foreign}, Owners: self}))

	_, err := client.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{older},
		Tags:      []types.Tag{{Key: aws.String("Artifact-Tag"), Value: aws.String("v1 <&>")}, {Key: aws.String("Image-Key"), Value: aws.String("k9")}},
	})
	require.NoError(t, err)
	image, ok := w.Image(older)
	require.True(t, ok)
	assert.Equal(t, map[string]string{"Artifact-Tag": "v1 <&>", "Image-Key": "k9"}, image.Tags)
	image.Tags["Image-Key"] = "changed in a copy"

	out, err := client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{older}})
	require.NoError(t, err)
	assert.Equal(t, []types.Tag{{Key: aws.String("Artifact-Tag"), Value: aws.String("v1 <&>")}, {Key: aws.String("Image-Key"), Value: aws.String("k9")}}, out.Images[0].Tags)
	assert.EqualValues(t, 8, *out.Images[0].BlockDeviceMappings[0].Ebs.VolumeSize)

	require.NoError(t, w.DeregisterImage(older))
	_, err = client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{older}})
	assert.Equal(t, "InvalidAMIID.NotFound", code(t, err))
	_, err = client.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{newer, older}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	assert.Equal(t, "InvalidAMIID.NotFound", code(t, err))
	image, _ = w.Image(newer)
	assert.NotContains(t, image.Tags, "a", "nothing is tagged when one is missing")
	require.Error(t, w.DeregisterImage(older))
}

func TestBadImageQueries(t *testing.T) {
	w := newWorld(t)
	_, err := w.FindImages(awssim.ImageQuery{IDs: []string{"i-1"}})
	require.ErrorContains(t, err, "Malformed")
	_, err = w.FindImages(awssim.ImageQuery{Filters: map[string][]string{"architecture": {"arm64"}}})
	require.ErrorContains(t, err, "architecture", "an unknown filter is refused even when there are no images")
	w.RegisterImage(awssim.Image{Name: "x"})
	found, err := w.FindImages(awssim.ImageQuery{Filters: map[string][]string{"name": {"\xff*"}}})
	require.NoError(t, err)
	assert.Empty(t, found)
}
