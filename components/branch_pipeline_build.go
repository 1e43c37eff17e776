package components

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codebuild"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// What a build runs on (AWS CodeBuild User Guide, "Docker images provided by CodeBuild"). The image's major version is pinned; what
// decides a result, relay and Pulumi and its plugins, is pinned by digest.
const (
	buildImage   = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
	buildCompute = "BUILD_GENERAL1_MEDIUM"
	// queuedMinutes is how long a build may wait for a machine.
	queuedMinutes = 30
)

// projectName is the name of a build's project, of its role and of its log group.
func projectName(args *BranchPipelineArgs, stage pipelines.Stage) string {
	return args.Facts.Project(args.Definition.Role, stage.Name)
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
	parent, local, physical := pulumi.Parent(p), name+"-"+stage.Name, projectName(args, stage)
	logs, err := cloudwatch.NewLogGroup(ctx, local, &cloudwatch.LogGroupArgs{
		Name: pulumi.String("/aws/codebuild/" + physical), RetentionInDays: pulumi.Int(args.LogRetentionDays), KmsKeyId: args.KeyArn,
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
	if stage.Build.Buildspec.Report != nil {
		if _, err := codebuild.NewReportGroup(ctx, local, &codebuild.ReportGroupArgs{
			Name: pulumi.String(args.Facts.Findings()), Type: pulumi.String("TEST"), DeleteReports: pulumi.Bool(true),
			ExportConfig: codebuild.ReportGroupExportConfigArgs{Type: pulumi.String("NO_EXPORT")}, // the review's files are kept already
		}, parent); err != nil {
			return nil, err
		}
	}
	return codebuild.NewProject(ctx, local, &codebuild.ProjectArgs{
		Name: pulumi.String(physical), Description: pulumi.String(stage.Build.Description),
		ServiceRole: role, BuildTimeout: pulumi.Int(stage.Build.TimeoutMinutes), QueuedTimeout: pulumi.Int(queuedMinutes),
		EncryptionKey: args.KeyArn,
		Source: codebuild.ProjectSourceArgs{
			Type: pulumi.String("CODEPIPELINE"), Buildspec: pulumi.String(stage.Build.Buildspec.Render()),
		},
		Artifacts: codebuild.ProjectArtifactsArgs{Type: pulumi.String("CODEPIPELINE")},
		Cache:     codebuild.ProjectCacheArgs{Type: pulumi.String("LOCAL"), Modes: pulumi.ToStringArray([]string{"LOCAL_CUSTOM_CACHE"})},
		Environment: codebuild.ProjectEnvironmentArgs{
			Type: pulumi.String("LINUX_CONTAINER"), Image: pulumi.String(buildImage), ComputeType: pulumi.String(buildCompute),
			ImagePullCredentialsType: pulumi.String("CODEBUILD"), PrivilegedMode: pulumi.Bool(false),
			EnvironmentVariables: environment,
		},
		LogsConfig: codebuild.ProjectLogsConfigArgs{CloudwatchLogs: codebuild.ProjectLogsConfigCloudwatchLogsArgs{GroupName: logs.Name}},
	}, parent)
}

// buildRole is the role of one build: its log, its source, and what its definition grants. The role is known to be usable only
// once its policy is attached.
func (p *BranchPipeline) buildRole(ctx *pulumi.Context, local, physical string, args *BranchPipelineArgs, grants []pipelines.Grant) (pulumi.StringOutput, error) {
	f, parent := args.Facts, pulumi.Parent(p)
	document := args.policy(func(at means) []pipelines.Grant {
		return append([]pipelines.Grant{
			{
				Actions:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				Resources: []string{f.ARN("logs", "log-group:/aws/codebuild/"+physical+":*")},
			},
			at.source(args.Repository), at.encryption(), at.artifacts(),
		}, grants...)
	})
	made, err := newRole(ctx, local, physical, trust("codebuild.amazonaws.com", f.Account), document, parent)
	return made.arn, err
}
