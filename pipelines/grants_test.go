package pipelines_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/bake"
	"github.com/tekpossible/ha-devops/pipelines"
)

// folderActions are what the infrastructure pipeline's build of a stage may do in a folder of the bucket.
func folderActions(f pipelines.Facts, stage, folder string) []string {
	var actions []string
	for _, s := range pipelines.InfrastructurePipeline(f).Stages {
		if s.Name != stage {
			continue
		}
		for _, grant := range s.Build.Grants {
			if slices.Contains(grant.Resources, "arn:aws:s3:::"+f.Bucket()+"/"+folder+"/*") {
				actions = append(actions, grant.Actions...)
			}
		}
	}
	return actions
}

// TestReviewsAreWrittenByTheReviewAndReadByTheDeployment has tools and keys in every combination: what both builds may do is the same
// list, and what one of them gets besides must not end up with the other.
func TestReviewsAreWrittenByTheReviewAndReadByTheDeployment(t *testing.T) {
	tool := pipelines.Tool{URI: "s3://tools/x"}
	for _, pulumi := range []pipelines.Tool{{}, tool} {
		for plugins := range 4 {
			for _, key := range []string{"", "arn:aws:kms:eu-west-1:111122223333:key/x"} {
				f := pipelines.Facts{
					Product: "shop", Environment: "dev", Account: "111122223333", Region: "eu-west-1", StateBucket: "state",
					Relay: tool, Pulumi: pulumi, SecretsKey: key, Plugins: make([]pipelines.Plugin, plugins),
				}
				assert.Equal(t, []string{"s3:PutObject"}, folderActions(f, "Review", "reviews"))
				assert.Equal(t, []string{"s3:GetObject"}, folderActions(f, "Deploy", "reviews"))
				assert.Equal(t, []string{"s3:GetObject"}, folderActions(f, "Review", "deployments"))
				assert.Equal(t, []string{"s3:GetObject", "s3:PutObject"}, folderActions(f, "Deploy", "deployments"))
			}
		}
	}
}

func TestABakeHasMoreTimeThanRelayWaits(t *testing.T) {
	build := pipelines.ImagePipeline(facts("dev")).Stages[0].Build
	assert.Greater(t, time.Duration(build.TimeoutMinutes)*time.Minute, bake.Patience+10*time.Minute, "relay says what it waited for before it is ended")
}
