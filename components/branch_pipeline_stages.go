package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codepipeline"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

const (
	sourceAction   = "Source"
	sourceArtifact = "source"
)

// stages are the pipeline's stages with one action each, every action under a role of its own.
func (p *BranchPipeline) stages(ctx *pulumi.Context, name string, args *BranchPipelineArgs, service role) (codepipeline.PipelineStageArray, error) {
	source, err := p.actionRole(ctx, name, sourceAction, args, service, func(at means) []pipelines.Grant {
		return []pipelines.Grant{at.source(args.Repository), at.encryption(), at.artifacts()}
	})
	if err != nil {
		return nil, err
	}
	stages := codepipeline.PipelineStageArray{one(sourceAction, sourceStep(args, source), nil)}
	for _, stage := range args.Definition.Stages {
		step := p.build
		if stage.Approval != nil {
			step = p.approval
		}
		action, err := step(ctx, name, args, stage, service)
		if err != nil {
			return nil, err
		}
		stages = append(stages, one(stage.Name, action, stage.Skip))
	}
	return stages, nil
}

// one is a stage of one action.
func one(name string, action codepipeline.PipelineStageActionArgs, skip *pipelines.Skip) codepipeline.PipelineStageArgs {
	stage := codepipeline.PipelineStageArgs{Name: pulumi.String(name), Actions: codepipeline.PipelineStageActionArray{action}}
	if skip != nil {
		// The rule says when the stage is entered; the result is what becomes of it otherwise (AWS CodePipeline User Guide, "How do stage
		// conditions work?" and "VariableCheck").
		stage.BeforeEntry = codepipeline.PipelineStageBeforeEntryArgs{Condition: codepipeline.PipelineStageBeforeEntryConditionArgs{
			Result: pulumi.String("SKIP"),
			Rules: codepipeline.PipelineStageBeforeEntryConditionRuleArray{codepipeline.PipelineStageBeforeEntryConditionRuleArgs{
				Name: pulumi.String("Needed"),
				RuleTypeId: codepipeline.PipelineStageBeforeEntryConditionRuleRuleTypeIdArgs{
					Category: pulumi.String("Rule"), Owner: pulumi.String("AWS"), Provider: pulumi.String("VariableCheck"), Version: pulumi.String("1"),
				},
				Configuration: pulumi.StringMap{
					"Variable": pulumi.String(skip.Variable), "Operator": pulumi.String("NE"), "Value": pulumi.String(skip.Value),
				},
			}},
		}}
	}
	return stage
}

func sourceStep(args *BranchPipelineArgs, role pulumi.StringOutput) codepipeline.PipelineStageActionArgs {
	return codepipeline.PipelineStageActionArgs{
		Name: pulumi.String(sourceAction), Category: pulumi.String("Source"), Owner: pulumi.String("AWS"),
		Provider: pulumi.String("CodeStarSourceConnection"), Version: pulumi.String("1"), RoleArn: role,
		Namespace:       pulumi.String(pipelines.SourceNamespace),
		OutputArtifacts: pulumi.ToStringArray([]string{sourceArtifact}),
		Configuration: pulumi.StringMap{
			"ConnectionArn":    args.ConnectionArn,
			"FullRepositoryId": pulumi.String(args.Repository),
			"BranchName":       pulumi.String(args.Branch),
			// A full clone: the artifact's tag needs the history and the git tags.
			"OutputArtifactFormat": pulumi.String("CODEBUILD_CLONE_REF"),
			// The trigger starts the pipeline, filtered by branch and path; two ways to start would be one too many.
			"DetectChanges": pulumi.String("false"),
		},
	}
}

func (p *BranchPipeline) approval(ctx *pulumi.Context, name string, args *BranchPipelineArgs, stage pipelines.Stage, service role) (codepipeline.PipelineStageActionArgs, error) {
	role, err := p.actionRole(ctx, name, stage.Name, args, service, func(at means) []pipelines.Grant {
		return []pipelines.Grant{{Actions: []string{"sns:Publish"}, Resources: []string{at.topic}}, at.encryption()}
	})
	return codepipeline.PipelineStageActionArgs{
		Name: pulumi.String(stage.Name), Category: pulumi.String("Approval"), Owner: pulumi.String("AWS"),
		Provider: pulumi.String("Manual"), Version: pulumi.String("1"), RoleArn: role,
		TimeoutInMinutes: pulumi.Int(stage.Approval.TimeoutMinutes),
		Configuration: pulumi.StringMap{
			"NotificationArn": args.ApprovalTopicArn, "CustomData": pulumi.String(stage.Approval.Message),
			"ExternalEntityLink": pulumi.String(stage.Approval.Link),
		},
	}, err
}

func (p *BranchPipeline) build(ctx *pulumi.Context, name string, args *BranchPipelineArgs, stage pipelines.Stage, service role) (codepipeline.PipelineStageActionArgs, error) {
	project, err := p.project(ctx, name, args, stage)
	if err != nil {
		return codepipeline.PipelineStageActionArgs{}, err
	}
	role, err := p.actionRole(ctx, name, stage.Name, args, service, func(at means) []pipelines.Grant {
		return []pipelines.Grant{
			{
				Actions:   []string{"codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"},
				Resources: []string{args.Facts.ARN("codebuild", "project/"+projectName(args, stage))},
			},
			at.encryption(), at.artifacts(),
		}
	})
	action := codepipeline.PipelineStageActionArgs{
		Name: pulumi.String(stage.Name), Category: pulumi.String("Build"), Owner: pulumi.String("AWS"),
		Provider: pulumi.String("CodeBuild"), Version: pulumi.String("1"), RoleArn: role,
		InputArtifacts: pulumi.ToStringArray([]string{sourceArtifact}),
		Configuration: pulumi.StringMap{
			"ProjectName": project.Name, "EnvironmentVariables": pulumi.String(pipelineVariables(stage.Build.Variables)),
		},
	}
	if stage.Build.Namespace != "" {
		action.Namespace = pulumi.String(stage.Build.Namespace)
	}
	return action, err
}
