package pipelines

import (
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// ImagePipeline bakes an AMI with the software and the image repository's configuration, and hands its ID off to the
// infrastructure repository.
func ImagePipeline(f Facts) Pipeline {
	return Pipeline{Role: Image, Mode: Superseded, Writes: []File{{Infrastructure, release.AMIFile}}, Ignore: notes(), Stages: []Stage{{
		Name: "Bake",
		Build: &Build{
			Description: "Bakes the AMI and hands its ID off to the infrastructure repository",
			Buildspec: Buildspec{
				Install: install("relay", f.Relay),
				Build:   []string{"relay bake"},
				Cache:   []string{toolCache + "/**/*"},
			},
			Variables: vars.Write(vars.Bake{
				Common:                   f.common(),
				ImageRepository:          f.Repositories[Image],
				InfrastructureRepository: f.Repositories[Infrastructure],
				ImagePipeline:            f.ImagePipelineARN(),
				Recipe:                   f.BakeVersion(),
				BaseImage:                f.BaseImage,
				Manifest:                 f.ManifestParameter(),
			}),
			Grants: []Grant{
				fetch(f.Relay),
				readSecret(f),
				{Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{f.object(imageFolder)}},
				{Actions: []string{"ssm:PutParameter"}, Resources: []string{f.ARN("ssm", "parameter"+f.ManifestParameter())}},
				{
					Actions:   []string{"imagebuilder:StartImagePipelineExecution", "imagebuilder:ListImagePipelineImages"},
					Resources: []string{f.ImagePipelineARN()},
				},
				{
					Actions:   []string{"imagebuilder:GetImage", "imagebuilder:TagResource", "imagebuilder:ListWorkflowExecutions"},
					Resources: []string{f.ARN("imagebuilder", "image/"+f.Name("image")+"/*")},
				},
				// Why a bake has failed: the step, and the log. A workflow execution's ID says nothing of its image.
				{Actions: []string{"imagebuilder:ListWorkflowStepExecutions"}, Resources: []string{f.ARN("imagebuilder", "workflow-execution/*")}},
				{Actions: []string{"logs:GetLogEvents"}, Resources: []string{f.ARN("logs", "log-group:"+f.BakeLogGroup()+":log-stream:*")}},
				// EC2 knows no resource for DescribeImages.
				{Actions: []string{"ec2:DescribeImages"}, Resources: []string{"*"}},
				{
					Actions:   []string{"ec2:CreateTags"},
					Resources: []string{"arn:aws:ec2:" + f.Region + "::image/*"},
					Condition: map[string]map[string][]string{"StringEquals": {
						"aws:ResourceTag/product": {f.Product}, "aws:ResourceTag/environment": {f.Environment},
					}},
				},
			},
			// More than relay itself waits (bake.Patience), so that it can say what it waited for.
			TimeoutMinutes: 120,
		},
	}}}
}

// notes are what nothing is baked or deployed for: documents, and the file that holds hand-offs back.
func notes() []string {
	return []string{"**/*.md", "*.md", "LICENSE", "CODEOWNERS", ".github/**", release.HoldFile}
}
