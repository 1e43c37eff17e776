package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/imagebuilder"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// ImageFactoryArgs says what an ImageFactory is.
type ImageFactoryArgs struct {
	// Facts name everything; the recipe's content and version come from them.
	Facts pipelines.Facts
	// Bucket is the artifact bucket: what is baked comes from it, the logs go to it.
	Bucket pulumi.StringInput
	// KeyArn is the ARN of the key that encrypts the bucket.
	KeyArn pulumi.StringInput
}

// ImageFactory is the EC2 Image Builder chain that bakes an environment's AMIs. Component and recipe are immutable in AWS: their
// version derives from their content, and a new one is made before the old one goes, since what is in use cannot be deleted
// (terraform-provider-aws#40037, #40128).
type ImageFactory struct {
	pulumi.ResourceState

	// PipelineArn is the ARN of the Image Builder pipeline.
	PipelineArn pulumi.StringOutput `pulumi:"pipelineArn"`
}

// NewImageFactory registers an ImageFactory.
func NewImageFactory(ctx *pulumi.Context, name string, args *ImageFactoryArgs, opts ...pulumi.ResourceOption) (*ImageFactory, error) {
	if args == nil {
		args = &ImageFactoryArgs{}
	}
	if err := require(TypeImageFactory, name, map[string]bool{
		"Facts": args.Facts.Product != "", "Facts.BaseImage": args.Facts.BaseImage != "", "Bucket": args.Bucket != nil, "KeyArn": args.KeyArn != nil,
	}); err != nil {
		return nil, err
	}
	factory := &ImageFactory{}
	inputs := pulumi.Map{"baseImage": pulumi.String(args.Facts.BaseImage)}
	if err := ctx.RegisterComponentResourceV2(TypeImageFactory, name, inputs, factory, opts...); err != nil {
		return nil, err
	}
	profile, err := factory.profile(ctx, name, args)
	if err != nil {
		return nil, err
	}
	pipeline, err := factory.chain(ctx, name, args, profile)
	if err != nil {
		return nil, err
	}
	factory.PipelineArn = pipeline.Arn
	return factory, ctx.RegisterResourceOutputs(factory, pulumi.Map{"pipelineArn": factory.PipelineArn})
}

// profile is what the instance that is baked may do: report to Systems Manager, read what it installs, write its log.
func (i *ImageFactory) profile(ctx *pulumi.Context, name string, args *ImageFactoryArgs) (pulumi.StringOutput, error) {
	f, parent := args.Facts, pulumi.Parent(i)
	document := pulumi.All(args.Bucket, args.KeyArn).ApplyT(func(all []any) string {
		bucket := "arn:aws:s3:::" + all[0].(string)
		return policy(
			allow(pipelines.Grant{Actions: []string{"s3:GetObject"}, Resources: []string{
				bucket + "/software/*", bucket + "/image/*", f.RelayARN(),
			}}),
			allow(pipelines.Grant{Actions: []string{"s3:PutObject"}, Resources: []string{bucket + "/bakes/*"}}),
			allow(pipelines.Grant{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{all[1].(string)}}),
			allow(pipelines.Grant{Actions: []string{"ssm:GetParameter"}, Resources: []string{f.ARN("ssm", "parameter"+f.ManifestParameter())}}),
			allow(pipelines.Grant{Actions: []string{"imagebuilder:GetComponent"}, Resources: []string{f.ARN("imagebuilder", "component/"+f.Name("bake")+"/*")}}),
		)
	}).(pulumi.StringOutput)
	made, err := newRole(ctx, name, f.Name("bake"), trust("ec2.amazonaws.com", f.Account), document, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return newProfile(ctx, name, f.Name("bake"), made.name, parent)
}

func (i *ImageFactory) chain(ctx *pulumi.Context, name string, args *ImageFactoryArgs, profile pulumi.StringOutput) (*imagebuilder.ImagePipeline, error) {
	f, parent := args.Facts, pulumi.Parent(i)
	component, err := imagebuilder.NewComponent(ctx, name, &imagebuilder.ComponentArgs{
		Name: pulumi.String(f.Name("bake")), Version: pulumi.String(f.BakeVersion()), Platform: pulumi.String("Linux"),
		Data: pulumi.String(pipelines.BakeDocument(f)),
	}, parent)
	if err != nil {
		return nil, err
	}
	recipe, err := imagebuilder.NewImageRecipe(ctx, name, &imagebuilder.ImageRecipeArgs{
		Name: pulumi.String(f.Name("image")), Version: pulumi.String(f.BakeVersion()), ParentImage: pulumi.String(f.BaseImage),
		Components: imagebuilder.ImageRecipeComponentArray{imagebuilder.ImageRecipeComponentArgs{ComponentArn: component.Arn}},
		BlockDeviceMappings: imagebuilder.ImageRecipeBlockDeviceMappingArray{imagebuilder.ImageRecipeBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: imagebuilder.ImageRecipeBlockDeviceMappingEbsArgs{
				VolumeSize: pulumi.Int(16), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
			},
		}},
	}, parent)
	if err != nil {
		return nil, err
	}
	tags := pulumi.StringMap{"product": pulumi.String(f.Product), "environment": pulumi.String(f.Environment), "managed-by": pulumi.String("ha-devops")}
	infrastructure, err := imagebuilder.NewInfrastructureConfiguration(ctx, name, &imagebuilder.InfrastructureConfigurationArgs{
		Name: pulumi.String(f.Name("image")), InstanceProfileName: profile, InstanceTypes: pulumi.ToStringArray([]string{"t3.medium"}),
		InstanceMetadataOptions: imagebuilder.InfrastructureConfigurationInstanceMetadataOptionsArgs{
			HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		Logging: imagebuilder.InfrastructureConfigurationLoggingArgs{S3Logs: imagebuilder.InfrastructureConfigurationLoggingS3LogsArgs{
			S3BucketName: args.Bucket, S3KeyPrefix: pulumi.String("bakes"),
		}},
		TerminateInstanceOnFailure: pulumi.Bool(true), ResourceTags: tags,
	}, parent)
	if err != nil {
		return nil, err
	}
	distribution, err := imagebuilder.NewDistributionConfiguration(ctx, name, &imagebuilder.DistributionConfigurationArgs{
		Name: pulumi.String(f.Name("image")),
		Distributions: imagebuilder.DistributionConfigurationDistributionArray{imagebuilder.DistributionConfigurationDistributionArgs{
			Region: pulumi.String(f.Region),
			AmiDistributionConfiguration: imagebuilder.DistributionConfigurationDistributionAmiDistributionConfigurationArgs{
				Name: pulumi.String(f.Name() + "-{{ imagebuilder:buildDate }}"), AmiTags: tags,
			},
		}},
	}, parent)
	if err != nil {
		return nil, err
	}
	return imagebuilder.NewImagePipeline(ctx, name, &imagebuilder.ImagePipelineArgs{
		Name: pulumi.String(f.Name("image")), ImageRecipeArn: recipe.Arn, InfrastructureConfigurationArn: infrastructure.Arn,
		DistributionConfigurationArn: distribution.Arn, EnhancedImageMetadataEnabled: pulumi.Bool(true),
		ImageTestsConfiguration: imagebuilder.ImagePipelineImageTestsConfigurationArgs{
			ImageTestsEnabled: pulumi.Bool(true), TimeoutMinutes: pulumi.Int(60),
		},
	}, parent)
}
