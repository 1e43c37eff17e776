package components

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// means are what a pipeline's roles are allowed to use, once it is known.
type means struct {
	key, connection, bucket, topic string
	// folder is where in the bucket the pipeline's artifacts lie.
	folder string
}

// policy renders a role's policy from what is known only when its resources exist.
func (args *BranchPipelineArgs) policy(grants func(means) []pipelines.Grant) pulumi.StringOutput {
	folder := artifactFolder(args.Facts, args.Definition.Role)
	return pulumi.All(args.KeyArn, args.ConnectionArn, args.Bucket, args.ApprovalTopicArn).ApplyT(func(all []any) string {
		text := func(i int) string { return all[i].(string) }
		var statements []statement
		for _, grant := range grants(means{text(0), text(1), text(2), text(3), folder}) {
			statements = append(statements, allow(grant))
		}
		return policy(statements...)
	}).(pulumi.StringOutput)
}

// encryption lets a role read and write what the environment's key encrypts.
func (m means) encryption() pipelines.Grant {
	return pipelines.Grant{Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{m.key}}
}

// artifacts lets a role pass the pipeline's artifacts on.
func (m means) artifacts() pipelines.Grant {
	return pipelines.Grant{
		Actions: []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}, Resources: []string{"arn:aws:s3:::" + m.bucket + "/" + m.folder + "/*"},
	}
}

// source lets a role read one repository through the connection. Not every request of a connection names a repository (AWS Developer
// Tools Console User Guide, "AWS CodeConnections permissions reference").
func (m means) source(repository string) pipelines.Grant {
	return pipelines.Grant{
		Actions: []string{"codestar-connections:UseConnection"}, Resources: []string{m.connection},
		Condition: map[string]map[string][]string{"ForAllValues:StringEquals": {"codestar-connections:FullRepositoryId": {repository}}},
	}
}

// serviceRole is what CodePipeline itself is: it keeps artifacts, and takes on the role of the action that it runs.
func (p *BranchPipeline) serviceRole(ctx *pulumi.Context, name string, args *BranchPipelineArgs) (role, error) {
	f := args.Facts
	roles := []string{actionRoleARN(args, sourceAction)}
	for _, stage := range args.Definition.Stages {
		roles = append(roles, actionRoleARN(args, stage.Name))
	}
	document := args.policy(func(at means) []pipelines.Grant {
		return []pipelines.Grant{
			{Actions: []string{"sts:AssumeRole"}, Resources: roles},
			{Actions: []string{"s3:GetBucketVersioning"}, Resources: []string{"arn:aws:s3:::" + at.bucket}},
			at.encryption(), at.artifacts(),
		}
	})
	return newRole(ctx, name, f.Name(string(args.Definition.Role), "pipeline"), trust("codepipeline.amazonaws.com", f.Account), document, pulumi.Parent(p))
}

func actionRoleName(args *BranchPipelineArgs, stage string) string {
	return args.Facts.Name(string(args.Definition.Role), strings.ToLower(stage), "action")
}

func actionRoleARN(args *BranchPipelineArgs, stage string) string {
	return "arn:aws:iam::" + args.Facts.Account + ":role/" + actionRoleName(args, stage)
}

// actionRole is the role under which CodePipeline runs one action: only this pipeline's own role may take it on.
func (p *BranchPipeline) actionRole(ctx *pulumi.Context, name, stage string, args *BranchPipelineArgs, service role, grants func(means) []pipelines.Grant) (pulumi.StringOutput, error) {
	trusted := service.arn.ApplyT(func(arn string) string {
		return policy(statement{Effect: "Allow", Principal: map[string]string{"AWS": arn}, Action: []string{"sts:AssumeRole"}})
	}).(pulumi.StringOutput)
	made, err := newRole(ctx, name+"-"+stage+"-action", actionRoleName(args, stage), trusted, args.policy(grants), pulumi.Parent(p))
	return made.arn, err
}
