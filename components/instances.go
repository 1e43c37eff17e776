package components

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// instances makes what runs the release, and returns the name of the Auto Scaling group.
func (a *AppEnvironment) instances(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, d door, profile pulumi.StringOutput) (pulumi.StringOutput, error) {
	parent := pulumi.Parent(a)
	tags := pulumi.StringMap{
		"Name": pulumi.String(args.Facts.Name("app")), "product": pulumi.String(args.Facts.Product),
		"environment": pulumi.String(args.Facts.Environment), "managed-by": pulumi.String("ha-devops"),
		"Artifact-Tag": pulumi.String(args.ArtifactTag),
	}
	template, err := ec2.NewLaunchTemplate(ctx, name, &ec2.LaunchTemplateArgs{
		Name: pulumi.String(args.Facts.Name("app")), ImageId: pulumi.String(args.AMI), InstanceType: pulumi.String(args.Spec.InstanceType),
		IamInstanceProfile:  ec2.LaunchTemplateIamInstanceProfileArgs{Name: profile},
		VpcSecurityGroupIds: pulumi.StringArray{d.instances.ID().ToStringOutput()},
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: ec2.LaunchTemplateTagSpecificationArray{
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("instance"), Tags: tags},
			ec2.LaunchTemplateTagSpecificationArgs{ResourceType: pulumi.String("volume"), Tags: tags},
		},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	group, err := autoscaling.NewGroup(ctx, name, &autoscaling.GroupArgs{
		Name: pulumi.String(args.Facts.Group()), MinSize: pulumi.Int(args.Capacity.Min), MaxSize: pulumi.Int(args.Capacity.Max),
		VpcZoneIdentifiers: stringsOf(n.private), TargetGroupArns: pulumi.StringArray{d.target.Arn},
		HealthCheckType: pulumi.String("ELB"), HealthCheckGracePeriod: pulumi.Int(args.Spec.Health.GraceSeconds),
		LaunchTemplate: autoscaling.GroupLaunchTemplateArgs{
			Id: template.ID(), Version: template.LatestVersion.ApplyT(strconv.Itoa).(pulumi.StringOutput),
		},
		InstanceRefresh: autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: autoscaling.GroupInstanceRefreshPreferencesArgs{
				MinHealthyPercentage: pulumi.Int(100), MaxHealthyPercentage: pulumi.Int(200), AutoRollback: pulumi.Bool(true),
				InstanceWarmup: pulumi.String(strconv.Itoa(args.Spec.Health.GraceSeconds)),
			},
		},
		// relay deploy waits for the rollout itself, the first one and every later one alike.
		WaitForCapacityTimeout: pulumi.String("0"),
	}, parent, pulumi.DependsOn([]pulumi.Resource{d.listener}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	_, err = autoscaling.NewPolicy(ctx, name, &autoscaling.PolicyArgs{
		Name: pulumi.String(args.Facts.Name("cpu")), AutoscalingGroupName: group.Name, PolicyType: pulumi.String("TargetTrackingScaling"),
		TargetTrackingConfiguration: autoscaling.PolicyTargetTrackingConfigurationArgs{
			TargetValue: pulumi.Float64(args.Spec.Scaling.CPUPercent),
			PredefinedMetricSpecification: autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("ASGAverageCPUUtilization"),
			},
		},
	}, parent)
	return group.Name, err
}

// profile is what an instance may do: be reached through Systems Manager, nothing else. It exists before the first release does, so
// that the infrastructure pipeline never touches roles.
func (a *AppEnvironment) profile(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringOutput, error) {
	physical := args.Facts.Name("instance")
	made, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(physical), AssumeRolePolicy: trust("ec2.amazonaws.com", args.Facts.Account),
	}, pulumi.Parent(a))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return newProfile(ctx, name, physical, made.Name, pulumi.Parent(a))
}
