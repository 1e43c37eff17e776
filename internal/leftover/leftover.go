// Package leftover finds in AWS what a deployment that was cut short may have made without Pulumi's state knowing of it, and deletes it.
// It knows the types of a release of which AWS refuses a second one with the same name. Whose something is, and whether it may be
// deleted, is not decided here.
package leftover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
)

// The types of Pulumi's that are known here.
const (
	Template = "aws:ec2/launchTemplate:LaunchTemplate"
	Group    = "aws:autoscaling/group:Group"
)

// Known says that resources of a type can be found and deleted.
func Known(typ string) bool { return typ == Template || typ == Group }

// Resource is one that is there in AWS.
type Resource struct {
	// Type is Pulumi's type, ID Pulumi's ID of it: the template's own, and the group's name.
	Type, Name, ID string
	Created        time.Time
	Tags           map[string]string
	// Deleting says that its deletion is under way.
	Deleting bool
}

// String names it for people.
func (r Resource) String() string {
	if r.Type == Group {
		return "Auto Scaling group " + r.Name
	}
	return fmt.Sprintf("launch template %s (%s)", r.Name, r.ID)
}

// Templates is the part of EC2 that is used.
type Templates interface {
	DescribeLaunchTemplates(context.Context, *ec2.DescribeLaunchTemplatesInput, ...func(*ec2.Options)) (*ec2.DescribeLaunchTemplatesOutput, error)
	DeleteLaunchTemplate(context.Context, *ec2.DeleteLaunchTemplateInput, ...func(*ec2.Options)) (*ec2.DeleteLaunchTemplateOutput, error)
}

// Groups is the part of Auto Scaling that is used.
type Groups interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DeleteAutoScalingGroup(context.Context, *autoscaling.DeleteAutoScalingGroupInput, ...func(*autoscaling.Options)) (*autoscaling.DeleteAutoScalingGroupOutput, error)
}

// Account is an AWS account in one region.
type Account struct {
	Templates Templates
	Groups    Groups
}

// Find looks for a resource of a type that is Known by its name, and says whether there is one.
func (a Account) Find(ctx context.Context, typ, name string) (Resource, bool, error) {
	find := a.template
	if typ == Group {
		find = a.group
	}
	found, there, err := find(ctx, name)
	if err != nil {
		return found, false, fmt.Errorf("looking for %s %s: %w", typ, name, err)
	}
	return found, there, nil
}

func (a Account) template(ctx context.Context, name string) (Resource, bool, error) {
	out, err := a.Templates.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateNames: []string{name}})
	if code(err) == "InvalidLaunchTemplateName.NotFoundException" {
		return Resource{}, false, nil
	}
	if err != nil || len(out.LaunchTemplates) == 0 {
		return Resource{}, false, err
	}
	t := out.LaunchTemplates[0]
	r := Resource{Type: Template, Name: name, ID: aws.ToString(t.LaunchTemplateId), Created: aws.ToTime(t.CreateTime), Tags: map[string]string{}}
	for _, tag := range t.Tags {
		r.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return r, true, nil
}

func (a Account) group(ctx context.Context, name string) (Resource, bool, error) {
	out, err := a.Groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil || len(out.AutoScalingGroups) == 0 {
		return Resource{}, false, err
	}
	g := out.AutoScalingGroups[0]
	// The group has a status while it is being deleted, and at no other time (Auto Scaling API Reference, AutoScalingGroup).
	r := Resource{Type: Group, Name: name, ID: name, Created: aws.ToTime(g.CreatedTime), Tags: map[string]string{}, Deleting: g.Status != nil}
	for _, tag := range g.Tags {
		r.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return r, true, nil
}

const (
	// patience is how long a resource may take to go: a group's instances leave their load balancer first.
	patience = 15 * time.Minute
	// The pause between two looks grows by half from the first to the last of these.
	firstPause = 200 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Delete deletes what was found, a group with its instances, and returns when it is gone.
func (a Account) Delete(ctx context.Context, r Resource) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is still there after %s; run again when it is gone", patience))
	defer cancel()
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		now, there, err := a.Find(ctx, r.Type, r.Name)
		if err != nil {
			return err
		}
		if !there || now.ID != r.ID || !now.Created.Equal(r.Created) { // another one of its name is not what was to go
			return nil
		}
		if !now.Deleting {
			if err := a.begin(ctx, now); err != nil {
				return fmt.Errorf("deleting %s: %w", r, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("deleting %s: %w", r, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// begin begins to delete. What is gone already, as when the answer to the first try was lost, and what changes just now is looked at
// again.
func (a Account) begin(ctx context.Context, r Resource) error {
	var err error
	if r.Type == Group {
		_, err = a.Groups.DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: &r.Name, ForceDelete: aws.Bool(true)})
	} else {
		_, err = a.Templates.DeleteLaunchTemplate(ctx, &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: &r.ID})
	}
	switch code(err) {
	case "InvalidLaunchTemplateId.NotFound", "ResourceInUse", "ScalingActivityInProgress", "ResourceContention":
		return nil
	case "ValidationError":
		if _, there, again := a.Find(ctx, r.Type, r.Name); again == nil && !there { // Auto Scaling's word for a group that is not there
			return nil
		}
	}
	return err
}

// code is AWS's code of an error, empty for none.
func code(err error) string {
	var problem smithy.APIError
	if errors.As(err, &problem) {
		return problem.ErrorCode()
	}
	return ""
}
