package pipelines_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/pipelines"
)

// reading are the actions that change nothing and tell no secret of Secrets Manager (AWS Service Authorization Reference, access levels
// List and Read; kms:Decrypt is a write there, and needs the data that it decrypts).
var reading = regexp.MustCompile(`^([a-z0-9-]+:Describe\w+|s3:GetObject|s3:ListBucket|ssm:GetParameter|kms:Decrypt)$`)

func TestPullRequestsOnlyRead(t *testing.T) {
	f := pipelines.Facts{
		Product: "shop", Environment: "qa", Account: "111122223333", Region: "eu-west-1", StateBucket: "state",
		Relay: pipelines.Tool{URI: "s3://tools/relay"}, Pulumi: pipelines.Tool{URI: "s3://tools/pulumi"},
		Plugins: []pipelines.Plugin{{Name: "aws", Tool: pipelines.Tool{URI: "s3://tools/aws"}}}, SecretsKey: "arn:aws:kms:eu-west-1:111122223333:key/x",
	}
	f.GitHub.Secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"
	resources := map[string][]string{}
	for _, grant := range append(pipelines.PreviewGrants(f), pipelines.CheckGrants(f)...) {
		for _, action := range grant.Actions {
			assert.Regexp(t, reading, action)
			resources[action] = append(resources[action], grant.Resources...)
			for _, resource := range grant.Resources {
				assert.True(t, resource != "*" || strings.Contains(action, ":Describe"), "%s knows a resource", action)
				assert.NotContains(t, resource, f.GitHub.Secret, "the token commits past the rulesets")
			}
		}
	}
	assert.Subset(t, resources["s3:GetObject"], []string{
		"arn:aws:s3:::tools/relay", "arn:aws:s3:::tools/pulumi", "arn:aws:s3:::tools/aws", "arn:aws:s3:::state/.pulumi/*",
	})
	assert.Equal(t, []string{f.SecretsKey}, resources["kms:Decrypt"])
	assert.Equal(t, []string{"arn:aws:ssm:eu-west-1:111122223333:parameter/shop/qa/config"}, resources["ssm:GetParameter"])
}

func TestAPreviewReadsWhatTheReviewReads(t *testing.T) {
	f := pipelines.Facts{Product: "shop", Environment: "qa", Account: "111122223333", Region: "eu-west-1"}
	described := func(grants []pipelines.Grant) map[string]bool {
		found := map[string]bool{}
		for _, grant := range grants {
			for _, action := range grant.Actions {
				if strings.Contains(action, ":Describe") {
					found[action] = true
				}
			}
		}
		return found
	}
	review := pipelines.InfrastructurePipeline(f).Stages[0]
	require.Equal(t, "Review", review.Name)
	require.NotEmpty(t, described(review.Build.Grants))
	assert.Equal(t, described(review.Build.Grants), described(pipelines.PreviewGrants(f)))
}

func TestChecksAreToldWhatThePipelinesRun(t *testing.T) {
	tool := pipelines.Tool{URI: "s3://tools/x", SHA256: "ab"}
	f := pipelines.Facts{Product: "shop", Environment: "qa", Region: "eu-west-1", Relay: tool, Plugins: []pipelines.Plugin{{Name: "aws", Version: "6.83.2", Tool: tool}}}
	told := func() (told map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(pipelines.NewChecks(f, "arn:role", "s3://state").String()), &told))
		return told
	}
	where := map[string]any{"uri": "s3://tools/x", "sha256": "ab"}
	want := map[string]any{
		"region": "eu-west-1", "role": "arn:role", "backend": "s3://state", "config": "/shop/qa/config", "relay": where,
		"plugins": []any{map[string]any{"name": "aws", "version": "6.83.2", "uri": "s3://tools/x", "sha256": "ab"}},
	}
	assert.Equal(t, want, told())
	f.Pulumi, want["pulumi"] = tool, where
	assert.Equal(t, want, told())
}
