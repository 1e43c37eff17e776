package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/imagebuilder"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/pipelines"
)

// profile is what the instance that is baked may do: report to Systems Manager, read what it installs, write its log.
func (i *ImageFactory) profile(ctx *pulumi.Context, name string, args *ImageFactoryArgs) (pulumi.StringOutput, error) {
	f, parent := args.Facts, pulumi.Parent(i)
	// Image Builder would make the log group itself, unencrypted and for ever.
	if _, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name: pulumi.String(f.BakeLogGroup()), RetentionInDays: pulumi.Int(args.LogRetentionDays), KmsKeyId: args.KeyArn,
	}, parent); err != nil {
		return pulumi.StringOutput{}, err
	}
	log := f.ARN("logs", "log-group:"+f.BakeLogGroup())
	document := pulumi.All(args.Bucket, args.KeyArn).ApplyT(func(all []any) string {
		bucket := "arn:aws:s3:::" + all[0].(string)
		return policy(
			allow(pipelines.Grant{Actions: []string{"s3:GetObject"}, Resources: []string{
				bucket + "/software/*", bucket + "/image/*", f.RelayARN(),
			}}),
			// Image Builder's own agent (EC2 Image Builder User Guide, "Manage data perimeters for S3 bucket download access").
			allow(pipelines.Grant{Actions: []string{"s3:GetObject"}, Resources: []string{
				"arn:aws:s3:::ec2imagebuilder-toe-" + f.Region + "-prod/*",
				"arn:aws:s3:::ec2imagebuilder-managed-resources-" + f.Region + "-prod/components/*",
			}}),
			allow(pipelines.Grant{Actions: []string{"s3:PutObject"}, Resources: []string{bucket + "/" + bakeLogs + "/*"}}),
			allow(pipelines.Grant{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{all[1].(string)}}),
			allow(pipelines.Grant{Actions: []string{"ssm:GetParameter"}, Resources: []string{f.ARN("ssm", "parameter"+f.ManifestParameter())}}),
			// What the machine is baked for: relay install holds the manifest against it.
			allow(pipelines.Grant{Actions: []string{"imagebuilder:ListImagePipelineImages"}, Resources: []string{f.ImagePipelineARN()}}),
			allow(pipelines.Grant{Actions: []string{"imagebuilder:GetComponent"}, Resources: []string{f.ARN("imagebuilder", "component/"+f.Name("bake")+"/*")}}),
			allow(pipelines.Grant{
				Actions: []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []string{log, log + ":*"},
			}),
		)
	}).(pulumi.StringOutput)
	made, err := newRole(ctx, name, f.Name("bake"), trust("ec2.amazonaws.com", f.Account), document, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return newProfile(ctx, name, f.Name("bake"), made.name, parent)
}

// Ages at which an image is retired. A deprecated image still starts by its ID, but nobody finds it any more. It is deleted much later,
// and never while it is one of the newest, while it was started within a year, which every environment of the account does with what
// it runs, or while people keep it by a tag.
const (
	monthsToDeprecate = 6
	monthsToDelete    = 24
	monthsUnused      = 12
	months            = pulumi.String("MONTHS")
	imagesToKeep      = 10
	// keepTag keeps an image that bears it with the value "true".
	keepTag = "keep"
)

// retire makes the lifecycle policy of the environment's images, of every version of its recipe: relay bake tags them when it starts
// Image Builder, since a policy that names recipes would have to name each version.
func (i *ImageFactory) retire(ctx *pulumi.Context, name string, args *ImageFactoryArgs) error {
	f, parent := args.Facts, pulumi.Parent(i)
	role, err := iam.NewRole(ctx, name+"-lifecycle", &iam.RoleArgs{
		Name: pulumi.String(f.Name("lifecycle")), AssumeRolePolicy: trust("imagebuilder.amazonaws.com", f.Account),
	}, parent)
	if err != nil {
		return err
	}
	// AWS's own policy for this: it reaches only what Image Builder has made.
	attached, err := iam.NewRolePolicyAttachment(ctx, name+"-lifecycle", &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/service-role/EC2ImageBuilderLifecycleExecutionPolicy"),
	}, parent)
	if err != nil {
		return err
	}
	// EC2 Image Builder User Guide, "How lifecycle management rules work for AMI image resources".
	_, err = imagebuilder.NewLifecyclePolicy(ctx, name, &imagebuilder.LifecyclePolicyArgs{
		Name: pulumi.String(f.Name("image")), Description: pulumi.String("Deprecates and deletes images that nothing uses any more"),
		ExecutionRole: role.Arn, ResourceType: pulumi.String("AMI_IMAGE"), Status: pulumi.String("ENABLED"),
		ResourceSelection: imagebuilder.LifecyclePolicyResourceSelectionArgs{TagMap: pulumi.ToStringMap(names.Tags(f.Product, f.Environment))},
		PolicyDetails: imagebuilder.LifecyclePolicyPolicyDetailArray{
			retirement("DEPRECATE",
				imagebuilder.LifecyclePolicyPolicyDetailActionIncludeResourcesArgs{Amis: pulumi.Bool(true)},
				imagebuilder.LifecyclePolicyPolicyDetailFilterArgs{Type: pulumi.String("AGE"), Unit: months, Value: pulumi.Int(monthsToDeprecate)}),
			retirement("DELETE",
				imagebuilder.LifecyclePolicyPolicyDetailActionIncludeResourcesArgs{Amis: pulumi.Bool(true), Snapshots: pulumi.Bool(true)},
				imagebuilder.LifecyclePolicyPolicyDetailFilterArgs{
					Type: pulumi.String("AGE"), Unit: months, Value: pulumi.Int(monthsToDelete), RetainAtLeast: pulumi.Int(imagesToKeep),
				}),
		},
	}, parent, pulumi.DependsOn([]pulumi.Resource{attached}))
	return err
}

func retirement(
	action string, what imagebuilder.LifecyclePolicyPolicyDetailActionIncludeResourcesArgs, when imagebuilder.LifecyclePolicyPolicyDetailFilterArgs,
) imagebuilder.LifecyclePolicyPolicyDetailArgs {
	return imagebuilder.LifecyclePolicyPolicyDetailArgs{
		Action: imagebuilder.LifecyclePolicyPolicyDetailActionArgs{Type: pulumi.String(action), IncludeResources: what},
		Filter: when,
		ExclusionRules: imagebuilder.LifecyclePolicyPolicyDetailExclusionRulesArgs{
			Amis: imagebuilder.LifecyclePolicyPolicyDetailExclusionRulesAmisArgs{
				LastLaunched: imagebuilder.LifecyclePolicyPolicyDetailExclusionRulesAmisLastLaunchedArgs{
					Unit: months, Value: pulumi.Int(monthsUnused),
				},
				TagMap: pulumi.StringMap{keepTag: pulumi.String("true")},
			},
		},
	}
}
