package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/imagebuilder"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/pipelines"
)

// ImageFactoryArgs says what an ImageFactory is.
type ImageFactoryArgs struct {
	// Facts name everything; the recipe's content and version come from them.
	Facts pipelines.Facts
	// Bucket is the artifact bucket: what is baked comes from it, the logs go to it.
	Bucket pulumi.StringInput
	// KeyArn is the ARN of the key that encrypts the bucket and the logs. Images have another: see pipelines.Bake.
	KeyArn pulumi.StringInput
	// AlertTopicArn is the ARN of the topic that Image Builder tells how a bake ended.
	AlertTopicArn pulumi.StringInput
	// LogRetentionDays is how long the log of a bake is kept.
	LogRetentionDays int
}

// ImageFactory is the EC2 Image Builder chain that bakes an environment's AMIs, tests them and retires old ones. Component and recipe are immutable in AWS: their
// version derives from their content, and a new one is made before the old one goes, since what is in use cannot be deleted
// (terraform-provider-aws#40037, #40128).
type ImageFactory struct {
	pulumi.ResourceState

	// PipelineArn is the ARN of the Image Builder pipeline.
	PipelineArn pulumi.StringOutput `pulumi:"pipelineArn"`
	// Pipeline is the Image Builder pipeline, for those that depend on it: see Repo.Guard.
	Pipeline pulumi.Resource
}

// NewImageFactory registers an ImageFactory.
func NewImageFactory(ctx *pulumi.Context, name string, args *ImageFactoryArgs, opts ...pulumi.ResourceOption) (*ImageFactory, error) {
	if args == nil {
		args = &ImageFactoryArgs{}
	}
	if err := require(TypeImageFactory, name, map[string]bool{
		"Facts": args.Facts.Product != "", "Facts.BaseImage": args.Facts.BaseImage != "", "Bucket": args.Bucket != nil, "KeyArn": args.KeyArn != nil,
		"AlertTopicArn": args.AlertTopicArn != nil, "LogRetentionDays": args.LogRetentionDays > 0,
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
	if err := factory.retire(ctx, name, args); err != nil {
		return nil, err
	}
	factory.PipelineArn, factory.Pipeline = pipeline.Arn, pipeline
	return factory, ctx.RegisterResourceOutputs(factory, pulumi.Map{"pipelineArn": factory.PipelineArn})
}

// bakeLogs is the folder of the artifact bucket that Image Builder keeps the files of a bake's agent in.
const bakeLogs = "bakes"

func (i *ImageFactory) chain(ctx *pulumi.Context, name string, args *ImageFactoryArgs, profile pulumi.StringOutput) (*imagebuilder.ImagePipeline, error) {
	f, parent := args.Facts, pulumi.Parent(i)
	recipe, err := i.recipe(ctx, name, args)
	if err != nil {
		return nil, err
	}
	infrastructure, err := i.infrastructure(ctx, name, args, profile)
	if err != nil {
		return nil, err
	}
	distribution, err := i.distribution(ctx, name, args)
	if err != nil {
		return nil, err
	}
	return imagebuilder.NewImagePipeline(ctx, name, &imagebuilder.ImagePipelineArgs{
		Name: pulumi.String(f.Name("image")), ImageRecipeArn: recipe.Arn, InfrastructureConfigurationArn: infrastructure.Arn,
		DistributionConfigurationArn: distribution.Arn, EnhancedImageMetadataEnabled: pulumi.Bool(true),
		ImageTestsConfiguration: imagebuilder.ImagePipelineImageTestsConfigurationArgs{
			ImageTestsEnabled: pulumi.Bool(true), TimeoutMinutes: pulumi.Int(60),
		},
		ImageScanningConfiguration: imagebuilder.ImagePipelineImageScanningConfigurationArgs{ImageScanningEnabled: pulumi.Bool(f.Bake.Scan)},
	}, parent)
}

// recipe makes the component and the recipe. Whatever is given here replaces them, so that all of it is in pipelines.BakeDocument and
// pipelines.Recipe, from which their version derives.
func (i *ImageFactory) recipe(ctx *pulumi.Context, name string, args *ImageFactoryArgs) (*imagebuilder.ImageRecipe, error) {
	f, parent, recipe := args.Facts, pulumi.Parent(i), args.Facts.Recipe()
	component, err := imagebuilder.NewComponent(ctx, name, &imagebuilder.ComponentArgs{
		Name: pulumi.String(f.Name("bake")), Version: pulumi.String(f.BakeVersion()), Platform: pulumi.String("Linux"),
		Data: pulumi.String(pipelines.BakeDocument(f)),
	}, parent)
	if err != nil {
		return nil, err
	}
	volume := imagebuilder.ImageRecipeBlockDeviceMappingEbsArgs{
		VolumeSize: pulumi.Int(recipe.VolumeGiB), VolumeType: pulumi.String("gp3"), Encrypted: pulumi.String("true"), DeleteOnTermination: pulumi.String("true"),
	}
	if recipe.Key != "" {
		volume.KmsKeyId = pulumi.String(recipe.Key)
	}
	return imagebuilder.NewImageRecipe(ctx, name, &imagebuilder.ImageRecipeArgs{
		Name: pulumi.String(f.Name("image")), Version: pulumi.String(f.BakeVersion()), ParentImage: pulumi.String(recipe.ParentImage),
		Components: imagebuilder.ImageRecipeComponentArray{imagebuilder.ImageRecipeComponentArgs{ComponentArn: component.Arn}},
		BlockDeviceMappings: imagebuilder.ImageRecipeBlockDeviceMappingArray{imagebuilder.ImageRecipeBlockDeviceMappingArgs{
			DeviceName: pulumi.String(recipe.RootDevice), Ebs: volume,
		}},
	}, parent)
}

// infrastructure says what images are baked on.
func (i *ImageFactory) infrastructure(ctx *pulumi.Context, name string, args *ImageFactoryArgs, profile pulumi.StringOutput) (*imagebuilder.InfrastructureConfiguration, error) {
	f := args.Facts
	configuration := &imagebuilder.InfrastructureConfigurationArgs{
		Name: pulumi.String(f.Name("image")), InstanceProfileName: profile, InstanceTypes: pulumi.ToStringArray(f.Bake.Types()),
		InstanceMetadataOptions: imagebuilder.InfrastructureConfigurationInstanceMetadataOptionsArgs{
			HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		Logging: imagebuilder.InfrastructureConfigurationLoggingArgs{S3Logs: imagebuilder.InfrastructureConfigurationLoggingS3LogsArgs{
			S3BucketName: args.Bucket, S3KeyPrefix: pulumi.String(bakeLogs),
		}},
		SnsTopicArn: args.AlertTopicArn, TerminateInstanceOnFailure: pulumi.Bool(true), ResourceTags: imageTags(f),
	}
	if f.Bake.Subnet != "" {
		configuration.SubnetId = pulumi.String(f.Bake.Subnet)
		configuration.SecurityGroupIds = pulumi.ToStringArray([]string{f.Bake.SecurityGroup})
	}
	return imagebuilder.NewInfrastructureConfiguration(ctx, name, configuration, pulumi.Parent(i))
}

// distribution says where the AMI goes and who else may start it.
func (i *ImageFactory) distribution(ctx *pulumi.Context, name string, args *ImageFactoryArgs) (*imagebuilder.DistributionConfiguration, error) {
	f := args.Facts
	ami := imagebuilder.DistributionConfigurationDistributionAmiDistributionConfigurationArgs{
		Name: pulumi.String(f.Name() + "-{{ imagebuilder:buildDate }}"), AmiTags: imageTags(f),
	}
	if len(f.Bake.Accounts) > 0 {
		ami.LaunchPermission = imagebuilder.DistributionConfigurationDistributionAmiDistributionConfigurationLaunchPermissionArgs{
			UserIds: pulumi.ToStringArray(f.Bake.Accounts),
		}
	}
	return imagebuilder.NewDistributionConfiguration(ctx, name, &imagebuilder.DistributionConfigurationArgs{
		Name: pulumi.String(f.Name("image")),
		Distributions: imagebuilder.DistributionConfigurationDistributionArray{imagebuilder.DistributionConfigurationDistributionArgs{
			Region: pulumi.String(f.Region), AmiDistributionConfiguration: ami,
		}},
	}, pulumi.Parent(i))
}

// imageTags are those of whatever Image Builder makes: it does not know the provider's default tags.
func imageTags(f pipelines.Facts) pulumi.StringMap {
	return pulumi.ToStringMap(names.AllTags(f.Product, f.Environment))
}
