package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/rollout"
)

// cloud is a group that goes through states, one at each look; the last one stays.
type cloud struct {
	states []state
	looks  int
}

type state struct {
	// versions are the launch template versions of the instances, healthy says which of them are.
	versions []string
	healthy  []bool
	refresh  astypes.InstanceRefreshStatus
	failed   string
}

func (c *cloud) now() state { return c.states[min(c.looks, len(c.states))-1] }

func (c *cloud) DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	c.looks++
	group := astypes.AutoScalingGroup{
		DesiredCapacity: aws.Int32(2), LaunchTemplate: &astypes.LaunchTemplateSpecification{Version: aws.String("2")}, TargetGroupARNs: []string{"arn:target"},
	}
	for i, version := range c.now().versions {
		group.Instances = append(group.Instances, astypes.Instance{
			InstanceId: aws.String(string(rune('a' + i))), LifecycleState: astypes.LifecycleStateInService,
			LaunchTemplate: &astypes.LaunchTemplateSpecification{Version: aws.String(version)},
		})
	}
	return &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []astypes.AutoScalingGroup{group}}, nil
}

func (c *cloud) DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	out := &autoscaling.DescribeInstanceRefreshesOutput{}
	if c.now().refresh != "" {
		out.InstanceRefreshes = []astypes.InstanceRefresh{{Status: c.now().refresh, StatusReason: aws.String("too slow"), StartTime: aws.Time(time.Now())}}
	}
	return out, nil
}

func (c *cloud) DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	out := &autoscaling.DescribeScalingActivitiesOutput{}
	if c.now().failed != "" {
		out.Activities = []astypes.Activity{{
			StatusCode: astypes.ScalingActivityStatusCodeFailed, Description: aws.String("Launching"), StatusMessage: aws.String(c.now().failed), StartTime: aws.Time(time.Now()),
		}}
	}
	return out, nil
}

func (c *cloud) DescribeTargetHealth(context.Context, *elb.DescribeTargetHealthInput, ...func(*elb.Options)) (*elb.DescribeTargetHealthOutput, error) {
	out := &elb.DescribeTargetHealthOutput{}
	for i, healthy := range c.now().healthy {
		health := elbtypes.TargetHealthStateEnumUnhealthy
		if healthy {
			health = elbtypes.TargetHealthStateEnumHealthy
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, elbtypes.TargetHealthDescription{
			Target:       &elbtypes.TargetDescription{Id: aws.String(string(rune('a' + i)))},
			TargetHealth: &elbtypes.TargetHealth{State: health, Description: aws.String("code 503")},
		})
	}
	return out, nil
}

func (c *cloud) wait(ctx context.Context, since time.Time) ([]string, error) {
	var progress []string
	err := rollout.Wait{Groups: c, Targets: c, Group: "app", Since: since, Progress: func(s string) { progress = append(progress, s) }}.Until(ctx)
	return progress, err
}

func TestItWaitsForEveryInstance(t *testing.T) {
	c := &cloud{states: []state{
		{versions: []string{"1", "1"}, healthy: []bool{true, true}, refresh: astypes.InstanceRefreshStatusInProgress},
		{versions: []string{"2", "1"}, healthy: []bool{false, true}, refresh: astypes.InstanceRefreshStatusInProgress},
		{versions: []string{"2", "2"}, healthy: []bool{true, true}, refresh: astypes.InstanceRefreshStatusSuccessful},
	}}
	progress, err := c.wait(t.Context(), time.Now())
	assert.NoError(t, err)
	assert.Len(t, progress, 3)
	assert.Contains(t, progress[1], "a: code 503")
	assert.Equal(t, 3, c.looks)
}

func TestItSaysWhyItGivesUp(t *testing.T) {
	running := state{versions: []string{"2", "1"}, healthy: []bool{false, true}}
	for name, c := range map[string]struct {
		end  state
		want string
	}{
		"a failed refresh":      {state{refresh: astypes.InstanceRefreshStatusFailed}, "the instance refresh ended Failed: too slow"},
		"a refresh rolled back": {state{refresh: astypes.InstanceRefreshStatusRollbackSuccessful}, "ended RollbackSuccessful: too slow"},
		"a failed launch":       {state{failed: "no capacity"}, "Launching: no capacity"},
		"no end in time":        {running, "not rolled out in time: 0 of 2 instances run launch template version 2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := (&cloud{states: []state{running, c.end}}).wait(t.Context(), time.Now())
				assert.ErrorContains(t, err, c.want)
			})
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := (&cloud{states: []state{running}}).wait(ctx, time.Now())
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// The deployment may have been cut short hours before: what its retry waits for has its whole time nevertheless.
func TestARetryHoursLaterWaitsAsLongAsTheFirstRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		time.Sleep(3 * time.Hour)
		c := &cloud{states: []state{
			{versions: []string{"2", "1"}, healthy: []bool{false, true}}, {versions: []string{"2", "2"}, healthy: []bool{true, true}},
		}}
		_, err := c.wait(t.Context(), began)
		assert.NoError(t, err)
		assert.Equal(t, 2, c.looks)
	})
}

func TestWhatFailedBeforeTheDeploymentDoesNotCount(t *testing.T) {
	done := state{versions: []string{"2", "2"}, healthy: []bool{true, true}, refresh: astypes.InstanceRefreshStatusFailed, failed: "long ago"}
	_, err := (&cloud{states: []state{done}}).wait(t.Context(), time.Now().Add(time.Hour))
	assert.NoError(t, err)
}
