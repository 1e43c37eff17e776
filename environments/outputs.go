package environments

import (
	"net/url"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// The stack outputs that other stacks and relay read. All outputs are plain scalars: others break update plans (pulumi/pulumi#16681).
const (
	outputArtifactTag = "artifactTag"
	outputAMI         = "amiId"
	// OutputGroup is the name of the Auto Scaling group, empty while no release runs.
	OutputGroup = "group"
)

func (s *stack) export(ctx *pulumi.Context, p Profile, c Config, now running, up upstream) {
	text := func(key, value string) { ctx.Export(key, pulumi.String(value)) }
	text("environment", p.Environment)
	text(outputArtifactTag, now.ArtifactTag)
	text(outputAMI, now.AMI)
	text("softwareCommit", now.SoftwareCommit)
	text("imageCommit", now.ImageCommit)
	text("release", strings.TrimSpace(now.ArtifactTag+" "+now.AMI))
	text("promotion", now.promotion(p, up))
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure} {
		ctx.Export(string(role)+"Repository", pulumi.Sprintf("%s/%s", c.GitHub.Owner, s.repositories[role].Name))
		ctx.Export(string(role)+"Pipeline", s.pipelines[role].Name)
	}
	ctx.Export("imagePipelineArn", s.factory.PipelineArn)
	ctx.Export("bucket", s.delivery.Bucket)
	ctx.Export("connectionArn", s.delivery.ConnectionArn)
	ctx.Export("vpcId", s.app.VpcId)
	ctx.Export("url", s.app.Url)
	ctx.Export("alarmTopicArn", s.app.AlarmTopicArn)
	ctx.Export(OutputGroup, s.app.Group)
}

// stateBucket returns the bucket of a backend on S3.
func stateBucket(backend string) string {
	parsed, err := url.Parse(backend)
	if err != nil || parsed.Scheme != "s3" {
		return ""
	}
	return parsed.Host
}
