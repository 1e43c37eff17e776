package awssim

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
)

func (a *Account) autoScalingActions() map[string]queryAction {
	return map[string]queryAction{
		"DescribeAutoScalingGroups": a.describeGroups,
		"DescribeInstanceRefreshes": a.describeRefreshes,
		"DescribeScalingActivities": a.describeActivities,
		"StartInstanceRefresh":      a.startInstanceRefresh,
		"DeleteAutoScalingGroup":    a.deleteGroup,
	}
}

type templateXML struct{ LaunchTemplateId, Version string }

func (t templateVersion) xml() templateXML { return templateXML{t.id, strconv.Itoa(t.version)} }

type groupXML struct {
	AutoScalingGroupName, AutoScalingGroupARN string
	LaunchTemplate                            templateXML
	MinSize, MaxSize, DesiredCapacity         int
	AvailabilityZones, TargetGroupARNs        members[string]
	HealthCheckType                           string
	HealthCheckGracePeriod                    int
	CreatedTime                               string
	Status                                    string `xml:",omitempty"`
	Instances                                 members[groupInstanceXML]
	Tags                                      members[groupTagXML]
}

type groupTagXML struct {
	Key, Value, ResourceId, ResourceType string
	PropagateAtLaunch                    bool
}

type groupInstanceXML struct {
	InstanceId, InstanceType, AvailabilityZone string
	LifecycleState, HealthStatus               string
	LaunchTemplate                             templateXML
	ProtectedFromScaleIn                       bool
}

func (a *Account) describeGroups(form url.Values) (any, error) {
	if err := taught(form, "AutoScalingGroupNames"); err != nil {
		return nil, err
	}
	wanted := list(form, "AutoScalingGroupNames.member")
	var out struct{ AutoScalingGroups members[groupXML] }
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		if len(wanted) > 0 && !slices.Contains(wanted, name) {
			continue
		}
		g := a.groups[name]
		x := groupXML{
			AutoScalingGroupName: name, AutoScalingGroupARN: a.groupARN(name), LaunchTemplate: g.template().xml(),
			MinSize: g.Min, MaxSize: g.Max, DesiredCapacity: g.Desired,
			AvailabilityZones: members[string]{g.Zones}, TargetGroupARNs: members[string]{g.TargetGroupARNs},
			HealthCheckType: "EC2", HealthCheckGracePeriod: int(g.HealthCheckGrace.Seconds()), CreatedTime: queryTime(g.created),
		}
		if len(g.TargetGroupARNs) > 0 {
			x.HealthCheckType = "ELB"
		}
		if g.deleting {
			x.Status = "Delete in progress"
		}
		for _, key := range slices.Sorted(maps.Keys(g.Tags)) {
			x.Tags.Members = append(x.Tags.Members, groupTagXML{Key: key, Value: g.Tags[key], ResourceId: name, ResourceType: "auto-scaling-group"})
		}
		for _, in := range g.instances {
			state, health := "InService", "Healthy"
			switch in.Health {
			case Starting:
				state = "Pending"
			case Unhealthy:
				health = "Unhealthy"
			}
			x.Instances.Members = append(x.Instances.Members, groupInstanceXML{
				InstanceId: in.ID, InstanceType: in.instanceType, AvailabilityZone: in.Zone, LifecycleState: state, HealthStatus: health,
				LaunchTemplate: in.template.xml(),
			})
		}
		out.AutoScalingGroups.Members = append(out.AutoScalingGroups.Members, x)
	}
	return out, nil
}

func (a *Account) groupARN(name string) string {
	return a.arn("autoscaling", "autoScalingGroup:"+requestID+":autoScalingGroupName/"+name)
}

// group returns the group that a form names, which must exist. The caller holds mu.
func (a *Account) group(form url.Values) (*group, error) {
	if g := a.groups[form.Get("AutoScalingGroupName")]; g != nil {
		return g, nil
	}
	return nil, refuse("ValidationError", "AutoScalingGroup name not found - no such group: %s", form.Get("AutoScalingGroupName"))
}

// deleteGroup begins to delete a group; it is listed until its instances have ended.
func (a *Account) deleteGroup(form url.Values) (any, error) {
	if err := taught(form, "AutoScalingGroupName", "ForceDelete"); err != nil {
		return nil, err
	}
	a.mu.Lock()
	g, err := a.group(form)
	if err == nil {
		switch {
		case g.deleting:
			err = refuse("ScalingActivityInProgress", "the group %s is being deleted", g.Name)
		case len(g.instances) > 0 && form.Get("ForceDelete") != "true":
			err = refuse("ResourceInUse", "you cannot delete group %s while there are instances in it", g.Name)
		default:
			g.deleting = true
		}
	}
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	a.log("autoscaling", g.Name, "deleting it, with its instances")
	a.spawn(func() { _ = a.DeleteGroup(g.Name) }) // nobody else deletes it
	return struct{}{}, nil
}

type refreshXML struct {
	InstanceRefreshId, AutoScalingGroupName string
	Status                                  string
	StatusReason                            string `xml:",omitempty"`
	StartTime                               string
	EndTime                                 string `xml:",omitempty"`
	PercentageComplete, InstancesToUpdate   int
	Preferences                             struct {
		MinHealthyPercentage int
		AutoRollback         bool
	}
}

func (a *Account) describeRefreshes(form url.Values) (any, error) {
	if err := taught(form, "AutoScalingGroupName", "InstanceRefreshIds"); err != nil {
		return nil, err
	}
	wanted := list(form, "InstanceRefreshIds.member")
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.group(form)
	if err != nil {
		return nil, err
	}
	var out struct{ InstanceRefreshes members[refreshXML] }
	for _, r := range slices.Backward(g.refreshes) {
		if len(wanted) > 0 && !slices.Contains(wanted, r.id) {
			continue
		}
		x := refreshXML{
			InstanceRefreshId: r.id, AutoScalingGroupName: g.Name, Status: r.status, StatusReason: r.reason,
			StartTime: queryTime(r.start), EndTime: queryTime(r.end), PercentageComplete: 100, InstancesToUpdate: r.total - r.replaced,
		}
		if r.total > 0 {
			x.PercentageComplete = 100 * r.replaced / r.total
		}
		x.Preferences.MinHealthyPercentage, x.Preferences.AutoRollback = r.minHealthyPercentage, r.autoRollback
		out.InstanceRefreshes.Members = append(out.InstanceRefreshes.Members, x)
	}
	return out, nil
}

type activityXML struct {
	ActivityId, AutoScalingGroupName, Description, Cause string
	StartTime                                            string
	EndTime                                              string `xml:",omitempty"`
	StatusCode                                           string
	StatusMessage                                        string `xml:",omitempty"`
	Progress                                             int
}

func (a *Account) describeActivities(form url.Values) (any, error) {
	if err := taught(form, "AutoScalingGroupName"); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.group(form)
	if err != nil {
		return nil, err
	}
	var out struct{ Activities members[activityXML] }
	for _, t := range slices.Backward(g.activities) {
		x := activityXML{
			ActivityId: t.id, AutoScalingGroupName: g.Name, Description: t.description, Cause: t.cause,
			StartTime: queryTime(t.start), EndTime: queryTime(t.end), StatusCode: t.code, StatusMessage: t.message,
		}
		if !t.end.IsZero() {
			x.Progress = 100
		}
		out.Activities.Members = append(out.Activities.Members, x)
	}
	return out, nil
}

func (a *Account) startInstanceRefresh(form url.Values) (any, error) {
	if err := taught(form, "AutoScalingGroupName", "Preferences", "Strategy"); err != nil {
		return nil, err
	}
	a.mu.Lock()
	g, err := a.group(form)
	a.mu.Unlock()
	if err != nil {
		return nil, err
	}
	minHealthy, _ := strconv.Atoi(form.Get("Preferences.MinHealthyPercentage")) // the SDK writes a number or nothing
	g.ops.Lock()
	defer g.ops.Unlock()
	a.mu.Lock()
	template := g.template()
	a.mu.Unlock()
	id, err := a.startRefresh(g, template, form.Get("Preferences.AutoRollback") == "true", minHealthy)
	if err != nil {
		return nil, err
	}
	return struct{ InstanceRefreshId string }{id}, nil
}

// targetHealthXML is https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html
type targetHealthXML struct {
	Target struct {
		Id               string
		Port             int
		AvailabilityZone string
	}
	HealthCheckPort string
	TargetHealth    struct {
		State       string
		Reason      string `xml:",omitempty"`
		Description string `xml:",omitempty"`
	}
}

func (a *Account) balancerActions() map[string]queryAction {
	return map[string]queryAction{"DescribeTargetHealth": a.describeTargetHealth}
}

func (a *Account) describeTargetHealth(form url.Values) (any, error) {
	if err := taught(form, "TargetGroupArn"); err != nil {
		return nil, err
	}
	arn := form.Get("TargetGroupArn")
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.targetGroups[arn]; !ok {
		return nil, refuse("TargetGroupNotFound", "there is no target group %q", arn)
	}
	var out struct{ TargetHealthDescriptions members[targetHealthXML] }
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		g := a.groups[name]
		for _, in := range g.instances {
			if !slices.Contains(g.TargetGroupARNs, arn) || in.port == 0 { // what was never launched was never registered
				continue
			}
			var x targetHealthXML
			x.Target.Id, x.Target.Port, x.Target.AvailabilityZone = in.ID, in.port, in.Zone
			x.HealthCheckPort = strconv.Itoa(in.port)
			x.TargetHealth.State = string(in.Health)
			switch in.Health {
			case Starting:
				x.TargetHealth.State, x.TargetHealth.Reason = "initial", "Elb.InitialHealthChecking"
				x.TargetHealth.Description = in.check
			case Unhealthy:
				x.TargetHealth.Reason, x.TargetHealth.Description = "Target.FailedHealthChecks", in.Reason
			}
			out.TargetHealthDescriptions.Members = append(out.TargetHealthDescriptions.Members, x)
		}
	}
	return out, nil
}
