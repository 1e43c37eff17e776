package components

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codebuild"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codepipeline"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// What a build runs on (AWS CodeBuild User Guide, "Docker images provided by CodeBuild").
const (
	buildImage   = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
	buildCompute = "BUILD_GENERAL1_MEDIUM"
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
	// ConnectionArn, Bucket, KeyArn and ApprovalTopicArn come from the environment's Delivery.
	ConnectionArn    pulumi.StringInput
	Bucket           pulumi.StringInput
	KeyArn           pulumi.StringInput
	ApprovalTopicArn pulumi.StringInput
	// LogRetentionDays is how long the builds' logs are kept.
	LogRetentionDays int
}

// BranchPipeline runs a definition whenever a commit reaches a branch: a CodePipeline of type V2 with a push trigger, a CodeBuild
// project and a role for each build, and their logs. The execution mode comes from the definition: software is QUEUED, so that
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
		"ApprovalTopicArn": args.ApprovalTopicArn != nil,
	}); err != nil {
		return nil, err
	}
	p := &BranchPipeline{}
	inputs := pulumi.Map{"repository": pulumi.String(args.Repository), "branch": pulumi.String(args.Branch)}
	if err := ctx.RegisterComponentResourceV2(TypeBranchPipeline, name, inputs, p, opts...); err != nil {
		return nil, err
	}
	stages := codepipeline.PipelineStageArray{sourceStage(args)}
	for _, stage := range args.Definition.Stages {
		action, err := p.action(ctx, name, args, stage)
		if err != nil {
			return nil, err
		}
		stages = append(stages, codepipeline.PipelineStageArgs{
			Name: pulumi.String(stage.Name), Actions: codepipeline.PipelineStageActionArray{action},
		})
	}
	pipeline, err := p.pipeline(ctx, name, args, stages)
	if err != nil {
		return nil, err
	}
	p.Name = pipeline.Name
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"name": p.Name})
}

const (
	sourceAction   = "Source"
	sourceArtifact = "source"
)

func sourceStage(args *BranchPipelineArgs) codepipeline.PipelineStageArgs {
	return codepipeline.PipelineStageArgs{
		Name: pulumi.String(sourceAction),
		Actions: codepipeline.PipelineStageActionArray{codepipeline.PipelineStageActionArgs{
			Name: pulumi.String(sourceAction), Category: pulumi.String("Source"), Owner: pulumi.String("AWS"),
			Provider: pulumi.String("CodeStarSourceConnection"), Version: pulumi.String("1"),
			Namespace:       pulumi.String(pipelines.SourceNamespace),
			OutputArtifacts: pulumi.ToStringArray([]string{sourceArtifact}),
			Configuration: pulumi.StringMap{
				"ConnectionArn":    args.ConnectionArn,
				"FullRepositoryId": pulumi.String(args.Repository),
				"BranchName":       pulumi.String(args.Branch),
				// A full clone: the artifact's tag needs the history and the git tags.
				"OutputArtifactFormat": pulumi.String("CODEBUILD_CLONE_REF"),
				// The trigger below starts the pipeline, filtered by branch; two ways to start would be one too many.
				"DetectChanges": pulumi.String("false"),
			},
		}},
	}
}

func (p *BranchPipeline) action(ctx *pulumi.Context, name string, args *BranchPipelineArgs, stage pipelines.Stage) (codepipeline.PipelineStageActionArgs, error) {
	if stage.Approval != nil {
		return codepipeline.PipelineStageActionArgs{
			Name: pulumi.String(stage.Name), Category: pulumi.String("Approval"), Owner: pulumi.String("AWS"),
			Provider: pulumi.String("Manual"), Version: pulumi.String("1"),
			Configuration: pulumi.StringMap{
				"NotificationArn": args.ApprovalTopicArn, "CustomData": pulumi.String(stage.Approval.Message),
				"ExternalEntityLink": pulumi.String(stage.Approval.Link),
			},
		}, nil
	}
	project, err := p.project(ctx, name, args, stage)
	if err != nil {
		return codepipeline.PipelineStageActionArgs{}, err
	}
	action := codepipeline.PipelineStageActionArgs{
		Name: pulumi.String(stage.Name), Category: pulumi.String("Build"), Owner: pulumi.String("AWS"),
		Provider: pulumi.String("CodeBuild"), Version: pulumi.String("1"),
		InputArtifacts: pulumi.ToStringArray([]string{sourceArtifact}),
		Configuration: pulumi.StringMap{
			"ProjectName": project.Name, "EnvironmentVariables": pulumi.String(pipelineVariables(stage.Build.Variables)),
		},
	}
	if stage.Build.Namespace != "" {
		action.Namespace = pulumi.String(stage.Build.Namespace)
	}
	return action, nil
}

// pipelineVariables are the variables whose values CodePipeline fills in at each execution, as the CodeBuild action's
// configuration wants them. The others are the project's own: an action may hold no more than 1,000 characters of them.
func pipelineVariables(all []vars.Variable) string {
	type variable struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		Type  string `json:"type"`
	}
	var list []variable
	for _, v := range all {
		if fromPipeline(v) {
			list = append(list, variable{v.Name, v.Value, "PLAINTEXT"})
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

func fromPipeline(v vars.Variable) bool { return len(v.Value) > 1 && v.Value[:2] == "#{" }

func (p *BranchPipeline) project(ctx *pulumi.Context, name string, args *BranchPipelineArgs, stage pipelines.Stage) (*codebuild.Project, error) {
	f, parent, local := args.Facts, pulumi.Parent(p), name+"-"+stage.Name
	physical := f.Name(string(args.Definition.Role), strings.ToLower(stage.Name))
	logs, err := cloudwatch.NewLogGroup(ctx, local, &cloudwatch.LogGroupArgs{
		Name: pulumi.String("/aws/codebuild/" + physical), RetentionInDays: pulumi.Int(args.LogRetentionDays),
	}, parent)
	if err != nil {
		return nil, err
	}
	role, err := p.buildRole(ctx, local, physical, args, stage.Build.Grants)
	if err != nil {
		return nil, err
	}
	var environment codebuild.ProjectEnvironmentEnvironmentVariableArray
	for _, v := range stage.Build.Variables {
		if fromPipeline(v) {
			continue
		}
		kind := "PLAINTEXT"
		if v.Parameter {
			kind = "PARAMETER_STORE"
		}
		environment = append(environment, codebuild.ProjectEnvironmentEnvironmentVariableArgs{
			Name: pulumi.String(v.Name), Value: pulumi.String(v.Value), Type: pulumi.String(kind),
		})
	}
	return codebuild.NewProject(ctx, local, &codebuild.ProjectArgs{
		Name: pulumi.String(physical), Description: pulumi.String(stage.Build.Description),
		ServiceRole: role, BuildTimeout: pulumi.Int(stage.Build.TimeoutMinutes), EncryptionKey: args.KeyArn,
		Source: codebuild.ProjectSourceArgs{
			Type: pulumi.String("CODEPIPELINE"), Buildspec: pulumi.String(stage.Build.Buildspec.Render()),
		},
		Artifacts: codebuild.ProjectArtifactsArgs{Type: pulumi.String("CODEPIPELINE")},
		Cache:     codebuild.ProjectCacheArgs{Type: pulumi.String("LOCAL"), Modes: pulumi.ToStringArray([]string{"LOCAL_CUSTOM_CACHE"})},
		Environment: codebuild.ProjectEnvironmentArgs{
			Type: pulumi.String("LINUX_CONTAINER"), Image: pulumi.String(buildImage), ComputeType: pulumi.String(buildCompute),
			EnvironmentVariables: environment,
		},
		LogsConfig: codebuild.ProjectLogsConfigArgs{CloudwatchLogs: codebuild.ProjectLogsConfigCloudwatchLogsArgs{GroupName: logs.Name}},
	}, parent)
}

// buildRole is the role of one build: its log, its source, and what its definition grants. The role is known to be usable only
// once its policy is attached.
func (p *BranchPipeline) buildRole(ctx *pulumi.Context, local, physical string, args *BranchPipelineArgs, grants []pipelines.Grant) (pulumi.StringOutput, error) {
	f, parent := args.Facts, pulumi.Parent(p)
	document := pulumi.All(args.KeyArn, args.ConnectionArn, args.Bucket).ApplyT(func(all []any) string {
		statements := []statement{
			allow(pipelines.Grant{
				Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				Resources: []string{f.ARN("logs", "log-group:/aws/codebuild/"+physical+":*")},
			}),
			allow(pipelines.Grant{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{all[0].(string)}}),
			allow(pipelines.Grant{Actions: []string{"codestar-connections:UseConnection"}, Resources: []string{all[1].(string)}}),
			allow(pipelines.Grant{
				Actions:   []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"},
				Resources: []string{fmt.Sprintf("arn:aws:s3:::%s/%s/*", all[2], artifactFolder(f, args.Definition.Role))},
			}),
		}
		for _, grant := range grants {
			statements = append(statements, allow(grant))
		}
		return policy(statements...)
	}).(pulumi.StringOutput)
	made, err := newRole(ctx, local, physical, trust("codebuild.amazonaws.com", f.Account), document, parent)
	return made.arn, err
}

// artifactFolder is where CodePipeline keeps a pipeline's artifacts: it cuts the pipeline's name after 20 characters.
func artifactFolder(f pipelines.Facts, r pipelines.Role) string {
	name := f.Name(string(r))
	return name[:min(20, len(name))]
}

func (p *BranchPipeline) pipeline(ctx *pulumi.Context, name string, args *BranchPipelineArgs, stages codepipeline.PipelineStageArray) (*codepipeline.Pipeline, error) {
	f, parent := args.Facts, pulumi.Parent(p)
	physical := f.Name(string(args.Definition.Role))
	document := pulumi.All(args.KeyArn, args.ConnectionArn, args.Bucket, args.ApprovalTopicArn).ApplyT(func(all []any) string {
		return policy(
			allow(pipelines.Grant{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{all[0].(string)}}),
			allow(pipelines.Grant{Actions: []string{"codestar-connections:UseConnection"}, Resources: []string{all[1].(string)}}),
			allow(pipelines.Grant{
				Actions:   []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"},
				Resources: []string{fmt.Sprintf("arn:aws:s3:::%s/%s/*", all[2], artifactFolder(f, args.Definition.Role))},
			}),
			allow(pipelines.Grant{Actions: []string{"s3:GetBucketVersioning"}, Resources: []string{fmt.Sprintf("arn:aws:s3:::%s", all[2])}}),
			allow(pipelines.Grant{
				Actions:   []string{"codebuild:BatchGetBuilds", "codebuild:StartBuild"},
				Resources: []string{f.ARN("codebuild", "project/"+physical+"-*")},
			}),
			allow(pipelines.Grant{Actions: []string{"sns:Publish"}, Resources: []string{all[3].(string)}}),
		)
	}).(pulumi.StringOutput)
	made, err := newRole(ctx, name, f.Name(string(args.Definition.Role), "pipeline"), trust("codepipeline.amazonaws.com", f.Account), document, parent)
	if err != nil {
		return nil, err
	}
	return codepipeline.NewPipeline(ctx, name, &codepipeline.PipelineArgs{
		Name: pulumi.String(physical), PipelineType: pulumi.String("V2"), RoleArn: made.arn,
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
				Pushes: codepipeline.PipelineTriggerGitConfigurationPushArray{codepipeline.PipelineTriggerGitConfigurationPushArgs{
					Branches: codepipeline.PipelineTriggerGitConfigurationPushBranchesArgs{Includes: pulumi.ToStringArray([]string{args.Branch})},
				}},
			},
		}},
	}, parent)
}
