package awssim_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// TestWhatIsDeletedThroughTheAPIIsGone: a group with its processes, and a launch template with all its versions.
func TestWhatIsDeletedThroughTheAPIIsGone(t *testing.T) {
	w := newWorld(t)
	group := version(t, w, 1, "well", "v1")
	group.Tags = map[string]string{"product": "shop"}
	require.NoError(t, w.PutGroup(group))
	instances := healthy(t, w, "shop-dev", 2)
	groups := autoscaling.NewFromConfig(w.config)
	describe := func() *autoscaling.DescribeAutoScalingGroupsOutput {
		out, err := groups.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"shop-dev"}})
		require.NoError(t, err)
		return out
	}
	described := describe().AutoScalingGroups[0]
	require.Len(t, described.Tags, 1)
	assert.Equal(t, "product", *described.Tags[0].Key)
	assert.Equal(t, "shop", *described.Tags[0].Value)
	assert.Nil(t, described.Status)
	_, err := groups.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop-dev")})
	assert.Equal(t, "ResourceInUse", code(t, err))
	healthy(t, w, "shop-dev", 2)
	_, err = groups.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop-dev"), ForceDelete: aws.Bool(true)})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(describe().AutoScalingGroups) == 0 }, patience, tick)
	assert.False(t, w.GroupExists("shop-dev"))
	for _, in := range instances {
		assertSilent(t, in.URL)
	}
	_, err = groups.DeleteAutoScalingGroup(t.Context(), &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop-dev"), ForceDelete: aws.Bool(true)})
	assert.Equal(t, "ValidationError", code(t, err))

	w.PutLaunchTemplate("lt-2", 1, awssim.LaunchTemplate{Name: "app", ImageID: "ami-1"})
	w.PutLaunchTemplate("lt-2", 2, awssim.LaunchTemplate{Name: "app", ImageID: "ami-2"})
	client := ec2.NewFromConfig(w.config)
	named := &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{"app"}}
	found, err := client.DescribeLaunchTemplates(t.Context(), named)
	require.NoError(t, err)
	require.Len(t, found.LaunchTemplates, 1)
	assert.Equal(t, "lt-2", *found.LaunchTemplates[0].LaunchTemplateId)
	assert.EqualValues(t, 2, *found.LaunchTemplates[0].LatestVersionNumber)
	_, err = client.DeleteLaunchTemplate(t.Context(), &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: aws.String("lt-2")})
	require.NoError(t, err)
	_, err = client.DescribeLaunchTemplates(t.Context(), named)
	assert.Equal(t, "InvalidLaunchTemplateName.NotFoundException", code(t, err))
	_, err = client.DeleteLaunchTemplate(t.Context(), &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: aws.String("lt-2")})
	assert.Equal(t, "InvalidLaunchTemplateId.NotFound", code(t, err))
	assert.True(t, w.LaunchTemplateExists(""), "another one is left alone")
}
