// Package rollout waits until an Auto Scaling group runs what its launch template says, and says why when it does not come to that.
// It changes nothing.
package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Groups is the part of Auto Scaling that the wait looks at.
type Groups interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error)
}

// The time between two looks grows by half from the first to the last of these.
const (
	firstDelay = 250 * time.Millisecond
	lastDelay  = 10 * time.Second
)

// Targets is the part of Elastic Load Balancing that the wait looks at.
type Targets interface {
	DescribeTargetHealth(context.Context, *elasticloadbalancingv2.DescribeTargetHealthInput, ...func(*elasticloadbalancingv2.Options)) (*elasticloadbalancingv2.DescribeTargetHealthOutput, error)
}

// Wait is a rollout that is waited for.
type Wait struct {
	Groups  Groups
	Targets Targets
	// Group is the Auto Scaling group's name.
	Group string
	// Since is when the deployment started: what happened to the group before does not count.
	Since time.Time
	// Progress receives a line whenever the state has changed.
	Progress func(string)
}

// Until returns when every instance of the group runs the group's launch template version and every target is healthy. It gives up
// when a refresh fails or is rolled back, when an instance cannot be launched, or after it has waited for the group's own grace period
// for each instance and five minutes, with the last state and where to look.
func (w Wait) Until(ctx context.Context) error {
	last := ""
	var deadline time.Time
	for delay := firstDelay; ; delay = min(delay*3/2, lastDelay) {
		group, err := w.group(ctx)
		if err != nil {
			return err
		}
		if deadline.IsZero() {
			each := time.Duration(aws.ToInt32(group.HealthCheckGracePeriod)+60) * time.Second
			deadline = time.Now().Add(each*time.Duration(aws.ToInt32(group.DesiredCapacity)+1) + 5*time.Minute)
		}
		state, done, err := w.look(ctx, group)
		if err != nil {
			return err
		}
		if state != last {
			w.Progress(state)
			last = state
		}
		if done {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("group %s: not rolled out in time: %s; look at its activity and its target group in the EC2 console", w.Group, state)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("group %s: %s: %w", w.Group, state, context.Cause(ctx))
		case <-time.After(delay):
		}
	}
}

func (w Wait) group(ctx context.Context) (astypes.AutoScalingGroup, error) {
	out, err := w.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{w.Group}})
	if err != nil {
		return astypes.AutoScalingGroup{}, fmt.Errorf("looking at group %s: %w", w.Group, err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return astypes.AutoScalingGroup{}, fmt.Errorf("group %s does not exist, though the deployment made it", w.Group)
	}
	return out.AutoScalingGroups[0], nil
}

// look returns the state in a line, and whether the rollout is done.
func (w Wait) look(ctx context.Context, group astypes.AutoScalingGroup) (string, bool, error) {
	refreshing, err := w.refresh(ctx)
	if err != nil {
		return "", false, err
	}
	if err := w.launches(ctx); err != nil {
		return "", false, err
	}
	healthy, reason, err := w.targets(ctx, group.TargetGroupARNs)
	if err != nil {
		return "", false, err
	}
	version, current := "", 0
	if group.LaunchTemplate != nil {
		version = aws.ToString(group.LaunchTemplate.Version)
	}
	for _, instance := range group.Instances {
		if instance.LaunchTemplate != nil && aws.ToString(instance.LaunchTemplate.Version) == version &&
			instance.LifecycleState == astypes.LifecycleStateInService && healthy[aws.ToString(instance.InstanceId)] {
			current++
		}
	}
	state := fmt.Sprintf("%d of %d instances run launch template version %s and are healthy", current, len(group.Instances), version)
	if refreshing != "" {
		state += ", " + refreshing
	}
	if reason != "" {
		state += ", " + reason
	}
	done := refreshing == "" && current == len(group.Instances) && current >= int(aws.ToInt32(group.DesiredCapacity))
	return state, done, nil
}

// refresh returns how far the running instance refresh is, or an error when the newest one did not succeed.
func (w Wait) refresh(ctx context.Context) (string, error) {
	out, err := w.Groups.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &w.Group, MaxRecords: aws.Int32(1)})
	if err != nil {
		return "", fmt.Errorf("looking at the instance refreshes of group %s: %w", w.Group, err)
	}
	if len(out.InstanceRefreshes) == 0 {
		return "", nil
	}
	newest := out.InstanceRefreshes[0]
	switch newest.Status {
	case astypes.InstanceRefreshStatusSuccessful:
		return "", nil
	case astypes.InstanceRefreshStatusFailed, astypes.InstanceRefreshStatusCancelled, astypes.InstanceRefreshStatusRollbackFailed, astypes.InstanceRefreshStatusRollbackSuccessful:
		if aws.ToTime(newest.StartTime).Before(w.Since.Truncate(time.Second)) {
			return "", nil
		}
		return "", fmt.Errorf("group %s: the instance refresh ended %s: %s", w.Group, newest.Status, strings.TrimSpace(aws.ToString(newest.StatusReason)))
	}
	return fmt.Sprintf("refresh %d%%", aws.ToInt32(newest.PercentageComplete)), nil
}

// launches returns an error when an instance could not be launched since the deployment started.
func (w Wait) launches(ctx context.Context) error {
	out, err := w.Groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: &w.Group, MaxRecords: aws.Int32(20)})
	if err != nil {
		return fmt.Errorf("looking at the activities of group %s: %w", w.Group, err)
	}
	for _, activity := range out.Activities {
		if activity.StatusCode == astypes.ScalingActivityStatusCodeFailed && !aws.ToTime(activity.StartTime).Before(w.Since.Truncate(time.Second)) {
			return fmt.Errorf("group %s: %s: %s", w.Group, aws.ToString(activity.Description), strings.TrimSpace(aws.ToString(activity.StatusMessage)))
		}
	}
	return nil
}

// targets returns which instances all target groups call healthy, and why one is not.
func (w Wait) targets(ctx context.Context, groups []string) (map[string]bool, string, error) {
	healthy, reason := map[string]bool{}, ""
	for _, arn := range groups {
		out, err := w.Targets.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
		if err != nil {
			return nil, "", fmt.Errorf("looking at the targets of %s: %w", arn, err)
		}
		for _, target := range out.TargetHealthDescriptions {
			id := aws.ToString(target.Target.Id)
			healthy[id] = target.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy
			if target.TargetHealth.State == elbtypes.TargetHealthStateEnumUnhealthy {
				reason = fmt.Sprintf("%s: %s", id, aws.ToString(target.TargetHealth.Description))
			}
		}
	}
	return healthy, reason, nil
}
