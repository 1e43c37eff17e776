package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codepipeline"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// BranchPipelineArgs says what a BranchPipeline is.
type BranchPipelineArgs struct {
	// Facts name everything.
	Facts pipelines.Facts
	// Definition is what the pipeline does.
	Definition pipelines.Pipeline
	// Repository is the repository's full name, owner/name.
	Repository string
	// Branch is the branch whose commits start the pipeline.
	Branch string
	// ConnectionArn, Bucket, KeyArn, ApprovalTopicArn and AlertTopicArn come from the environment's Delivery.
	ConnectionArn    pulumi.StringInput
	Bucket           pulumi.StringInput
	KeyArn           pulumi.StringInput
	ApprovalTopicArn pulumi.StringInput
	AlertTopicArn    pulumi.StringInput
	// LogRetentionDays is how long the builds' logs are kept.
	LogRetentionDays int
}

// BranchPipeline runs a definition whenever a commit reaches a branch: a CodePipeline of type V2 with a push trigger, a role for each
// action, a CodeBuild project with a role and a log for each build, and what tells people of failures. The execution mode comes from the definition: software is QUEUED, so that
// every commit gets its artifact; image and infrastructure are SUPERSEDED, so that the newest wins and a waiting approval never
// blocks it.
type BranchPipeline struct {
	pulumi.ResourceState

	// Name is the pipeline's name.
	Name pulumi.StringOutput `pulumi:"name"`
}

// NewBranchPipeline registers a BranchPipeline.
func NewBranchPipeline(ctx *pulumi.Context, name string, args *BranchPipelineArgs, opts ...pulumi.ResourceOption) (*BranchPipeline, error) {
	if args == nil {
		args = &BranchPipelineArgs{}
	}
	if err := require(TypeBranchPipeline, name, map[string]bool{
		"Definition": len(args.Definition.Stages) > 0, "Repository": args.Repository != "", "Branch": args.Branch != "",
		"ConnectionArn": args.ConnectionArn != nil, "Bucket": args.Bucket != nil, "KeyArn": args.KeyArn != nil,
		"ApprovalTopicArn": args.ApprovalTopicArn != nil, "AlertTopicArn": args.AlertTopicArn != nil, "LogRetentionDays": args.LogRetentionDays > 0,
	}); err != nil {
		return nil, err
	}
	p := &BranchPipeline{}
	inputs := pulumi.Map{"repository": pulumi.String(args.Repository), "branch": pulumi.String(args.Branch)}
	if err := ctx.RegisterComponentResourceV2(TypeBranchPipeline, name, inputs, p, opts...); err != nil {
		return nil, err
	}
	service, err := p.serviceRole(ctx, name, args)
	if err != nil {
		return nil, err
	}
	stages, err := p.stages(ctx, name, args, service)
	if err != nil {
		return nil, err
	}
	pipeline, err := p.pipeline(ctx, name, args, service, stages)
	if err != nil {
		return nil, err
	}
	if err := p.watch(ctx, name, args, pipeline); err != nil {
		return nil, err
	}
	p.Name = pipeline.Name
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"name": p.Name})
}

func (p *BranchPipeline) pipeline(ctx *pulumi.Context, name string, args *BranchPipelineArgs, service role, stages codepipeline.PipelineStageArray) (*codepipeline.Pipeline, error) {
	push := codepipeline.PipelineTriggerGitConfigurationPushArgs{
		Branches: codepipeline.PipelineTriggerGitConfigurationPushBranchesArgs{Includes: pulumi.ToStringArray([]string{args.Branch})},
	}
	if len(args.Definition.Ignore) > 0 {
		push.FilePaths = codepipeline.PipelineTriggerGitConfigurationPushFilePathsArgs{Excludes: pulumi.ToStringArray(args.Definition.Ignore)}
	}
	return codepipeline.NewPipeline(ctx, name, &codepipeline.PipelineArgs{
		Name: pulumi.String(args.Facts.Pipeline(args.Definition.Role)), PipelineType: pulumi.String("V2"), RoleArn: service.arn,
		ExecutionMode: pulumi.String(string(args.Definition.Mode)),
		ArtifactStores: codepipeline.PipelineArtifactStoreArray{codepipeline.PipelineArtifactStoreArgs{
			Type: pulumi.String("S3"), Location: args.Bucket,
			EncryptionKey: codepipeline.PipelineArtifactStoreEncryptionKeyArgs{Id: args.KeyArn, Type: pulumi.String("KMS")},
		}},
		Stages: stages,
		Triggers: codepipeline.PipelineTriggerArray{codepipeline.PipelineTriggerArgs{
			ProviderType: pulumi.String("CodeStarSourceConnection"),
			GitConfiguration: codepipeline.PipelineTriggerGitConfigurationArgs{
				SourceActionName: pulumi.String(sourceAction),
				Pushes:           codepipeline.PipelineTriggerGitConfigurationPushArray{push},
			},
		}},
	}, pulumi.Parent(p))
}

// artifactFolder is where CodePipeline keeps a pipeline's artifacts: it cuts the pipeline's name after 20 characters.
func artifactFolder(f pipelines.Facts, r pipelines.Role) string {
	name := f.Name(string(r))
	return name[:min(20, len(name))]
}
