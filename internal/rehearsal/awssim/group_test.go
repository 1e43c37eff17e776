package awssim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// version makes a launch template version whose image holds a service of a mode, and returns the group that runs it.
func version(t *testing.T, w *world, number int, mode, release string) awssim.Group {
	t.Helper()
	root := t.TempDir()
	application(t, root, mode, release)
	w.PutLaunchTemplate("lt-1", number, awssim.LaunchTemplate{ImageID: w.RegisterImage(awssim.Image{Root: root}), InstanceType: "t4g.small"})
	require.NoError(t, w.PutTargetGroup("arn:target", awssim.TargetGroup{Name: "shop", Port: 8080, HealthPath: "/healthz", Matcher: "200-299"}))
	return awssim.Group{
		Name: "shop-dev", LaunchTemplateID: "lt-1", Version: number, Min: 1, Max: 4, Desired: 2, TargetGroupARNs: []string{"arn:target"},
		Zones: []string{"eu-central-1a", "eu-central-1b"}, HealthCheckGrace: 10 * time.Second, RefreshOnChange: true, MinHealthyPercentage: 100,
	}
}

func healthy(t *testing.T, w *world, group string, n int) []awssim.Instance {
	t.Helper()
	var instances []awssim.Instance
	require.Eventually(t, func() bool {
		instances = w.Instances(group)
		good := 0
		for _, in := range instances {
			if in.Health == awssim.Healthy {
				good++
			}
		}
		return good == n && len(instances) == n
	}, patience, tick)
	return instances
}

// refreshed waits for the newest of n refreshes to end.
func refreshed(t *testing.T, w *world, n int) types.InstanceRefresh {
	t.Helper()
	client := autoscaling.NewFromConfig(w.config)
	var newest types.InstanceRefresh
	require.Eventually(t, func() bool {
		out, err := client.DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("shop-dev")})
		require.NoError(t, err)
		require.Len(t, out.InstanceRefreshes, n)
		newest = out.InstanceRefreshes[0]
		return newest.EndTime != nil
	}, patience, tick)
	return newest
}

func releases(t *testing.T, w *world) []string {
	t.Helper()
	var out []string
	for _, in := range w.Instances("shop-dev") {
		release, _, _ := strings.Cut(get(t, in.URL+"/version"), " ")
		out = append(out, release)
	}
	return out
}

func TestGroupRunsItsImage(t *testing.T) {
	w := newWorld(t)
	t.Setenv("SECRET", "of the person who rehearses")
	group := version(t, w, 1, "well", "v1")
	require.NoError(t, w.PutGroup(group))
	instances := healthy(t, w, "shop-dev", 2)
	assert.NotEqual(t, instances[0].Zone, instances[1].Zone)
	assert.NotEqual(t, instances[0].URL, instances[1].URL)
	for _, in := range instances {
		assert.Equal(t, "v1 software ", get(t, in.URL+"/version"), "release, working directory, nothing of this process's environment")
		log, err := os.ReadFile(in.ConsoleLog)
		require.NoError(t, err)
		assert.Contains(t, string(log), "serving in mode well")
		assert.Equal(t, filepath.Join(w.dir, "instances", in.ID, "console.log"), in.ConsoleLog)
	}

	client := autoscaling.NewFromConfig(w.config)
	groups, err := client.DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"shop-dev", "none"}})
	require.NoError(t, err)
	require.Len(t, groups.AutoScalingGroups, 1)
	described := groups.AutoScalingGroups[0]
	assert.EqualValues(t, 2, *described.DesiredCapacity)
	assert.Equal(t, group.Zones, described.AvailabilityZones)
	assert.Equal(t, "1", *described.LaunchTemplate.Version)
	require.Len(t, described.Instances, 2)
	assert.Equal(t, types.LifecycleStateInService, described.Instances[0].LifecycleState)
	assert.Equal(t, "Healthy", *described.Instances[0].HealthStatus)
	assert.Equal(t, "1", *described.Instances[0].LaunchTemplate.Version)
	assert.Equal(t, instances[0].Zone, *described.Instances[0].AvailabilityZone)

	targets, err := elb.NewFromConfig(w.config).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String("arn:target")})
	require.NoError(t, err)
	require.Len(t, targets.TargetHealthDescriptions, 2)
	assert.Equal(t, elbtypes.TargetHealthStateEnumHealthy, targets.TargetHealthDescriptions[0].TargetHealth.State)
	assert.Equal(t, instances[0].ID, *targets.TargetHealthDescriptions[0].Target.Id)

	machines, err := ec2.NewFromConfig(w.config).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{instances[1].ID}})
	require.NoError(t, err)
	require.Len(t, machines.Reservations, 1)
	assert.Equal(t, instances[1].ImageID, *machines.Reservations[0].Instances[0].ImageId)
	templates, err := ec2.NewFromConfig(w.config).DescribeLaunchTemplateVersions(t.Context(),
		&ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: aws.String("lt-1"), Versions: []string{"1"}})
	require.NoError(t, err)
	assert.Equal(t, instances[0].ImageID, *templates.LaunchTemplateVersions[0].LaunchTemplateData.ImageId)

	group.Desired = 3
	require.NoError(t, w.PutGroup(group))
	healthy(t, w, "shop-dev", 3)
	group.Desired = 1
	require.NoError(t, w.PutGroup(group))
	left := healthy(t, w, "shop-dev", 1)
	require.NoError(t, w.DeleteGroup("shop-dev"))
	require.Error(t, w.DeleteGroup("shop-dev"))
	_, err = os.Stat(left[0].ConsoleLog)
	require.NoError(t, err, "logs stay")
	for _, in := range append(instances, left...) {
		assertSilent(t, in.URL)
	}
	_, err = client.DescribeScalingActivities(t.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("shop-dev")})
	assert.Equal(t, "ValidationError", code(t, err))
}

func TestRefreshReplacesOneByOne(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.PutGroup(version(t, w, 1, "well", "v1")))
	before := healthy(t, w, "shop-dev", 2)
	require.NoError(t, w.PutGroup(version(t, w, 2, "well", "v2")))
	client := autoscaling.NewFromConfig(w.config)
	_, err := client.StartInstanceRefresh(t.Context(), &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("shop-dev")})
	assert.Equal(t, "InstanceRefreshInProgress", code(t, err))
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for range 30 {
			good := 0
			for _, in := range w.Instances("shop-dev") {
				if in.Health == awssim.Healthy {
					good++
				}
			}
			assert.GreaterOrEqual(t, good, 2, "nobody is ended before a new one is healthy")
			time.Sleep(50 * time.Millisecond)
		}
	}()
	done := refreshed(t, w, 1)
	<-watching
	assert.Equal(t, types.InstanceRefreshStatusSuccessful, done.Status)
	assert.EqualValues(t, 100, *done.PercentageComplete)
	assert.Equal(t, []string{"v2", "v2"}, releases(t, w))
	for _, in := range before {
		assertSilent(t, in.URL)
	}
	started, err := client.StartInstanceRefresh(t.Context(), &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String("shop-dev"), Preferences: &types.RefreshPreferences{MinHealthyPercentage: aws.Int32(90)},
	})
	require.NoError(t, err)
	again := refreshed(t, w, 2)
	assert.Equal(t, *started.InstanceRefreshId, *again.InstanceRefreshId)
	assert.Equal(t, types.InstanceRefreshStatusSuccessful, again.Status)
	assert.EqualValues(t, 90, *again.Preferences.MinHealthyPercentage)
	one, err := client.DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{
		AutoScalingGroupName: aws.String("shop-dev"), InstanceRefreshIds: []string{*done.InstanceRefreshId},
	})
	require.NoError(t, err)
	require.Len(t, one.InstanceRefreshes, 1)
}

func TestFailedRefreshLeavesTheOldInstances(t *testing.T) {
	for name, test := range map[string]struct {
		rollback bool
		status   types.InstanceRefreshStatus
		version  string
	}{
		"without rollback": {false, types.InstanceRefreshStatusFailed, "2"},
		"with rollback":    {true, types.InstanceRefreshStatusRollbackSuccessful, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			require.NoError(t, w.PutGroup(version(t, w, 1, "well", "v1")))
			healthy(t, w, "shop-dev", 2)
			next := version(t, w, 2, "sick", "v2")
			next.HealthCheckGrace, next.AutoRollback = time.Second, test.rollback
			require.NoError(t, w.PutGroup(next))
			failed := refreshed(t, w, 1)
			assert.Equal(t, test.status, failed.Status)
			for _, word := range []string{"503", "/healthz", "serving in mode sick"} {
				assert.Contains(t, *failed.StatusReason, word)
			}
			assert.Equal(t, []string{"v1", "v1"}, releases(t, w))
			client := autoscaling.NewFromConfig(w.config)
			groups, err := client.DescribeAutoScalingGroups(t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, test.version, *groups.AutoScalingGroups[0].LaunchTemplate.Version)
			activities, err := client.DescribeScalingActivities(t.Context(), &autoscaling.DescribeScalingActivitiesInput{AutoScalingGroupName: aws.String("shop-dev")})
			require.NoError(t, err)
			assert.Contains(t, *activities.Activities[0].Description, "Terminating", "the newest is first")
			assert.Equal(t, types.ScalingActivityStatusCodeFailed, activities.Activities[1].StatusCode)
			assert.Contains(t, *activities.Activities[1].StatusMessage, "503")
		})
	}
}

func TestRollbackReplacesBackWhatWasReplaced(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.PutGroup(version(t, w, 1, "well", "v1")))
	before := healthy(t, w, "shop-dev", 2)
	next := version(t, w, 2, "once", "v2")
	next.AutoRollback, next.HealthCheckGrace = true, time.Second
	require.NoError(t, w.PutGroup(next))
	ended := refreshed(t, w, 1)
	assert.Equal(t, types.InstanceRefreshStatusRollbackSuccessful, ended.Status)
	assert.EqualValues(t, 50, *ended.PercentageComplete)
	assert.Equal(t, []string{"v1", "v1"}, releases(t, w))
	assertSilent(t, before[0].URL)
}

func TestNewerChangeCancelsARefresh(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.PutGroup(version(t, w, 1, "well", "v1")))
	healthy(t, w, "shop-dev", 2)
	require.NoError(t, w.PutGroup(version(t, w, 2, "sick", "v2")))
	require.NoError(t, w.PutGroup(version(t, w, 3, "well", "v3")))
	assert.Equal(t, types.InstanceRefreshStatusSuccessful, refreshed(t, w, 2).Status)
	assert.Equal(t, []string{"v3", "v3"}, releases(t, w))
	out, err := autoscaling.NewFromConfig(w.config).DescribeInstanceRefreshes(t.Context(), &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("shop-dev")})
	require.NoError(t, err)
	assert.Equal(t, types.InstanceRefreshStatusCancelled, out.InstanceRefreshes[1].Status)
}

func TestUnhealthyInstancesSayWhy(t *testing.T) {
	w := newWorld(t)
	unhealthy := func() awssim.Instance {
		t.Helper()
		var in awssim.Instance
		require.Eventually(t, func() bool {
			instances := w.Instances("shop-dev")
			require.NotEmpty(t, instances)
			in = instances[0]
			return in.Health == awssim.Unhealthy
		}, patience, tick)
		return in
	}
	require.NoError(t, w.PutGroup(version(t, w, 1, "crashing", "v1")))
	crashed := unhealthy()
	assert.Contains(t, crashed.Reason, "3 times, at last with exit status 3")
	assert.Contains(t, crashed.Reason, "no database")
	targets, err := elb.NewFromConfig(w.config).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String("arn:target")})
	require.NoError(t, err)
	assert.Equal(t, elbtypes.TargetHealthReasonEnumFailedHealthChecks, targets.TargetHealthDescriptions[0].TargetHealth.Reason)
	require.NoError(t, w.DeleteGroup("shop-dev"))

	group := version(t, w, 2, "well", "v1")
	w.PutLaunchTemplate("lt-1", 3, awssim.LaunchTemplate{ImageID: w.RegisterImage(awssim.Image{Root: t.TempDir()})})
	group.Version = 3
	require.NoError(t, w.PutGroup(group))
	empty := unhealthy()
	assert.Contains(t, empty.Reason, "no .service unit")
	assert.Contains(t, empty.Reason, empty.ImageID)
	assert.Empty(t, empty.URL)
	require.NoError(t, w.DeleteGroup("shop-dev"))

	w.PutLaunchTemplate("lt-1", 4, awssim.LaunchTemplate{ImageID: w.RegisterImage(awssim.Image{State: "pending"})})
	group.Version = 4
	require.NoError(t, w.PutGroup(group))
	assert.Contains(t, unhealthy().Reason, "pending, not available")
}

func TestGroupRefusals(t *testing.T) {
	w := newWorld(t)
	group := version(t, w, 1, "well", "v1")
	group.Version = 9
	require.ErrorContains(t, w.PutGroup(group), "no version 9")
	group.Version, group.Desired = 1, 9
	require.ErrorContains(t, w.PutGroup(group), "capacity")
	assert.Empty(t, w.Instances("shop-dev"))
	require.ErrorContains(t, w.PutTargetGroup("arn:target", awssim.TargetGroup{Matcher: "2xx"}), "2xx")
	_, err := elb.NewFromConfig(w.config).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: aws.String("arn:none")})
	assert.Equal(t, "TargetGroupNotFound", code(t, err))
}

func TestCloseLeavesNoProcessAndNoPort(t *testing.T) {
	w := newWorld(t)
	group := version(t, w, 1, "stubborn", "v1")
	group.Desired = 1
	require.NoError(t, w.PutGroup(group))
	in := healthy(t, w, "shop-dev", 1)[0]
	image, _ := w.Image(in.ImageID)
	running := pids(t, image.Root)
	w.Close()
	for _, pid := range running {
		assert.Eventually(t, func() bool { return !alive(pid) }, patience, tick, "a process that ignores SIGTERM is killed")
	}
	assertSilent(t, in.URL)
	require.ErrorContains(t, w.PutGroup(version(t, w, 2, "well", "v2")), "closed")
}
