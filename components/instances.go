package components

import (
	"cmp"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/names"
)

// instances makes what runs the release, and returns the name of the Auto Scaling group.
func (a *AppEnvironment) instances(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, d door, profile pulumi.StringOutput) (pulumi.StringOutput, error) {
	template, err := a.template(ctx, name, args, d, profile)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		Name: pulumi.String(args.Facts.Group()), MinSize: pulumi.Int(args.Capacity.Min), MaxSize: pulumi.Int(args.Capacity.Max),
		VpcZoneIdentifiers: stringsOf(n.inner), TargetGroupArns: pulumi.StringArray{d.target.Arn},
		HealthCheckType: pulumi.String("ELB"), HealthCheckGracePeriod: pulumi.Int(args.Spec.Health.GraceSeconds),
		LaunchTemplate: autoscaling.GroupLaunchTemplateArgs{
			Id: template.ID(), Version: template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		// No instance is ended before its successor works, and a refresh that fails returns to the version before. Alarms do not end
		// it: the alarm that the release before raised would send back the release that mends it.
		InstanceRefresh: autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: autoscaling.GroupInstanceRefreshPreferencesArgs{
				MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(200),
				AutoRollback: pulumi.Bool(true), InstanceWarmup: pulumi.String(strconv.Itoa(args.Spec.Health.GraceSeconds)),
			},
		},
		TerminationPolicies: pulumi.ToStringArray([]string{"OldestLaunchTemplate", "OldestInstance"}),
		EnabledMetrics: pulumi.ToStringArray([]string{
			"GroupDesiredCapacity", "GroupInServiceInstances", "GroupMaxSize", "GroupMinSize", "GroupPendingInstances", "GroupTotalInstances",
		}),
		// The provider's default tags do not reach Auto Scaling groups (terraform-provider-aws, "Resource tagging").
		Tags: groupTags(args),
		// relay deploy waits for the rollout itself, the first one and every later one alike.
		WaitForCapacityTimeout: pulumi.String("0"),
	}, pulumi.Parent(a), pulumi.DependsOn([]pulumi.Resource{d.listener}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return group.Name, a.scaling(ctx, name, args, d, group)
}

// template makes what instances are launched from. It has no user data: what an instance is was baked into its image.
func (a *AppEnvironment) template(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, d door, profile pulumi.StringOutput) (*ec2.LaunchTemplate, error) {
	tags := pulumi.ToStringMap(names.AllTags(args.Facts.Product, args.Facts.Environment))
	tags["Name"], tags["Artifact-Tag"] = pulumi.String(args.Facts.Name("app")), pulumi.String(args.ArtifactTag)
	return ec2.NewLaunchTemplate(ctx, name, &ec2.LaunchTemplateArgs{
		Name: pulumi.String(args.Facts.Name("app")), ImageId: pulumi.String(args.AMI), InstanceType: pulumi.String(args.Spec.InstanceType),
		// Who launches one by hand gets what the group launches.
		UpdateDefaultVersion: pulumi.Bool(true),
		IamInstanceProfile:   ec2.LaunchTemplateIamInstanceProfileArgs{Name: profile},
		VpcSecurityGroupIds:  pulumi.StringArray{d.instances.ID().ToStringOutput()},
		Monitoring:           ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String(cmp.Or(args.RootDevice, "/dev/xvda")),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(args.Spec.VolumeGiB), DeleteOnTermination: pulumi.String("true"),
				Encrypted: pulumi.String("true"), KmsKeyId: args.KeyArn,
			},
		}},
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("instance"), Tags: tags},
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("volume"), Tags: tags},
		},
	}, pulumi.Parent(a))
}

func groupTags(args *AppEnvironmentArgs) autoscaling.GroupTagArray {
	all := names.AllTags(args.Facts.Product, args.Facts.Environment)
	var tags autoscaling.GroupTagArray
	for _, key := range []string{"product", "environment", "managed-by"} {
		// The launch template tags the instances.
		tags = append(tags, autoscaling.GroupTagArgs{Key: pulumi.String(key), Value: pulumi.String(all[key]), PropagateAtLaunch: pulumi.Bool(false)})
	}
	return tags
}

// scaling keeps the group at its targets: the processors' use, and where environment.json says so the requests per instance. The
// target that wants more instances wins.
func (a *AppEnvironment) scaling(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, d door, group *autoscaling.Group) error {
	track := func(part string, target int, metric autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs) error {
		_, err := autoscaling.NewPolicy(ctx, name+"-"+part, &autoscaling.PolicyArgs{
			Name: pulumi.String(args.Facts.Name(part)), AutoscalingGroupName: group.Name, PolicyType: pulumi.String("TargetTrackingScaling"),
			// What an instance measures while it starts says nothing about the load.
			EstimatedInstanceWarmup: pulumi.Int(args.Spec.Health.GraceSeconds),
			TargetTrackingConfiguration: autoscaling.PolicyTargetTrackingConfigurationArgs{
				TargetValue: pulumi.Float64(target), PredefinedMetricSpecification: metric,
			},
		}, pulumi.Parent(a))
		return err
	}
	if err := track("cpu", args.Spec.Scaling.CPUPercent, autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
		PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
	}); err != nil {
		return err
	}
	if args.Spec.Scaling.RequestsPerTarget == 0 {
		return nil
	}
	return track("requests", args.Spec.Scaling.RequestsPerTarget, autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
		PredefinedMetricType: pulumi.String("ALBRequestCountPerTarget"),
		ResourceLabel:        pulumi.Sprintf("%s/%s", d.balancer.ArnSuffix, d.target.ArnSuffix),
	})
}
