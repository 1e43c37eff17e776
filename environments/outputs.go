package environments

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/pipelines"
)

// The stack outputs that other stacks and relay read. All outputs are plain scalars: others break update plans (pulumi/pulumi#16681).
const (
	OutputArtifactTag    = "artifactTag"
	OutputAMI            = "amiId"
	OutputSoftwareCommit = "softwareCommit"
	OutputImageCommit    = "imageCommit"
	outputAccount        = "account"
	outputHistory        = "history"
	outputNetworks       = "networks"
	// OutputCommit is the infrastructure repository's commit that a pipeline deployed last, empty when none did yet.
	OutputCommit = "infrastructureCommit"
	// OutputShape is what the environment and its mirror must have in common: see Parity.
	OutputShape = "shape"
	// OutputPromotion is how the release stands to that of the environment it is promoted from.
	OutputPromotion = "promotion"
	// OutputGroup is the name of the Auto Scaling group, empty while no release runs.
	OutputGroup = "group"
)

func (s *stack) export(ctx *pulumi.Context, p Profile, c Config, now running, up upstream, before memory) error {
	text := func(key, value string) { ctx.Export(key, pulumi.String(value)) }
	text("environment", p.Environment)
	text(OutputArtifactTag, now.ArtifactTag)
	text(OutputAMI, now.AMI)
	text(OutputSoftwareCommit, now.SoftwareCommit)
	text(OutputImageCommit, now.ImageCommit)
	text(OutputCommit, cmp.Or(c.Commit, before.commit))
	text(OutputShape, c.shape(now.Spec))
	text("release", strings.TrimSpace(now.ArtifactTag+" "+now.AMI))
	text(outputAccount, c.Account)
	text(outputHistory, before.history.with(now).String())
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
		return ctx.Log.Info(preview.PromotionMessage+promotion, nil)
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
