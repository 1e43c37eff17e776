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
	outputAccount     = "account"
	outputHistory     = "history"
	outputNetworks    = "networks"
	// OutputPromotion is how the release stands to that of the environment it is promoted from.
	OutputPromotion = "promotion"
	// OutputGroup is the name of the Auto Scaling group, empty while no release runs.
	OutputGroup = "group"
)

func (s *stack) export(ctx *pulumi.Context, p Profile, c Config, now running, up upstream, before history) error {
	text := func(key, value string) { ctx.Export(key, pulumi.String(value)) }
	text("environment", p.Environment)
	text(outputArtifactTag, now.ArtifactTag)
	text(outputAMI, now.AMI)
	text("softwareCommit", now.SoftwareCommit)
	text("imageCommit", now.ImageCommit)
	text("release", strings.TrimSpace(now.ArtifactTag+" "+now.AMI))
	text(outputAccount, c.Account)
	text(outputHistory, before.with(now).String())
	text(outputNetworks, up.handedOn(p, c))
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
	return exportPromotion(ctx, c, now.promotion(p, c, up))
}

// exportPromotion says how the release stands to upstream's. Upstream moves on while a review waits for its approval, and an output
// that differs from the plan's breaks the plan. An output that the plan does not know may become anything; so the preview of a review,
// which pins its commit, tells the value in a message instead.
func exportPromotion(ctx *pulumi.Context, c Config, promotion string) error {
	if ctx.DryRun() && c.Commit != "" {
		ctx.Export(OutputPromotion, pulumi.UnsafeUnknownOutput(nil))
		return ctx.Log.Info(OutputPromotion+": "+promotion, nil)
	}
	ctx.Export(OutputPromotion, pulumi.String(promotion))
	return nil
}

// stateBucket returns the bucket of a backend on S3.
func stateBucket(backend string) string {
	parsed, err := url.Parse(backend)
	if err != nil || parsed.Scheme != "s3" {
		return ""
	}
	return parsed.Host
}
