package environments_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

type statement struct {
	Sid, Effect      string
	Principal        any
	Action, Resource any
	Condition        map[string]map[string]any
}

func statements(t *testing.T, made mocks.Resource, property string) []statement {
	t.Helper()
	text, ok := made.Inputs.Mappable()[property].(string)
	if !ok {
		return nil // unknown in a preview
	}
	var document struct{ Statement []statement }
	require.NoError(t, json.Unmarshal([]byte(text), &document), "%s %s", made.Type, made.Name)
	return document.Statement
}

func list(value any) []string {
	if text, ok := value.(string); ok {
		return []string{text}
	}
	var out []string
	if all, ok := value.([]any); ok {
		for _, item := range all {
			out = append(out, item.(string))
		}
	}
	return out
}

// The settings of a bucket have its logical name; the bucket's ID is not known in a preview.
func TestEveryBucketIsPrivateEncryptedAndReachedThroughTLSOnly(t *testing.T) {
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		buckets := r.Of("aws:s3/bucketV2:BucketV2")
		require.NotEmpty(t, buckets)
		for _, bucket := range buckets {
			setting := func(token string) mocks.Resource {
				for _, made := range r.Of(token) {
					if made.Name == bucket.Name {
						return made
					}
				}
				t.Errorf("bucket %s has no %s", bucket.Name, token)
				return mocks.Resource{}
			}
			for _, key := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
				assert.Equal(t, true, setting("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").Inputs.Mappable()[key], "%s: %s", bucket.Name, key)
			}
			encryption := setting("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2")
			assert.NotEmpty(t, encryption.Inputs["rules"].ArrayValue()[0].ObjectValue()["applyServerSideEncryptionByDefault"].ObjectValue()["sseAlgorithm"].StringValue())
			setting("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2")
			owner := setting("aws:s3/bucketOwnershipControls:BucketOwnershipControls").Inputs["rule"].ObjectValue()
			assert.Equal(t, "BucketOwnerEnforced", owner["objectOwnership"].StringValue(), bucket.Name)
			tls := false
			for _, s := range statements(t, setting("aws:s3/bucketPolicy:BucketPolicy"), "policy") {
				tls = tls || s.Effect == "Deny" && s.Condition["Bool"]["aws:SecureTransport"] != nil
				if s.Effect == "Allow" {
					assert.NotEqual(t, "*", s.Principal, "%s is open to everybody", bucket.Name)
				}
			}
			assert.True(t, tls, "%s: no statement refuses what does not come through TLS", bucket.Name)
			assert.True(t, bucket.Protect, bucket.Name)
		}
	})
}

func TestEveryTopicLogGroupVolumeAndImageIsEncrypted(t *testing.T) {
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		for token, key := range map[string]string{"aws:sns/topic:Topic": "kmsMasterKeyId", "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId"} {
			require.NotEmpty(t, r.Of(token))
			for _, made := range r.Of(token) {
				assert.Contains(t, made.Inputs.Mappable(), key, "%s %s", token, made.Name)
			}
		}
		for _, made := range r.Of("aws:cloudwatch/logGroup:LogGroup") {
			assert.Contains(t, made.Inputs.Mappable(), "retentionInDays", "%s is kept for ever", made.Name)
		}
		recipe := r.Only(t, "aws:imagebuilder/imageRecipe:ImageRecipe").Inputs.Mappable()
		for _, mapping := range recipe["blockDeviceMappings"].([]any) {
			assert.Equal(t, "true", mapping.(map[string]any)["ebs"].(map[string]any)["encrypted"])
		}
		template := r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate").Inputs.Mappable()
		for _, mapping := range template["blockDeviceMappings"].([]any) {
			assert.Equal(t, "true", mapping.(map[string]any)["ebs"].(map[string]any)["encrypted"])
		}
	})
}

// What would change what a pipeline is or may do. Anything that a pipeline needs of these services is in allowedOfThose.
var (
	gates = regexp.MustCompile(`^(iam|organizations|sso|codepipeline|codeconnections|codestar-connections|codestar-notifications|codebuild|` +
		`events|cloudwatch|kms|secretsmanager|sns|imagebuilder|ssm|cloudformation|lambda):|^s3:(Put|Delete)(Bucket|Lifecycle|Encryption|Account)|` +
		`^logs:(Delete|Put(Retention|Resource))|:\*$|^\*`)
	allowedOfThose = map[string]bool{
		"kms:Encrypt": true, "kms:Decrypt": true, "kms:GenerateDataKey": true, "codestar-connections:UseConnection": true,
		"codebuild:BatchGetBuilds": true, "codebuild:StartBuild": true, "codebuild:StopBuild": true, "secretsmanager:GetSecretValue": true,
		// What a test report says; the approver reads the review.
		"codebuild:CreateReport": true, "codebuild:UpdateReport": true, "codebuild:BatchPutTestCases": true,
		"sns:Publish": true, "ssm:GetParameter": true, "ssm:GetParameters": true, "ssm:PutParameter": true,
		"imagebuilder:GetImage": true, "imagebuilder:GetComponent": true, "imagebuilder:StartImagePipelineExecution": true,
		"imagebuilder:TagResource": true, "imagebuilder:ListImagePipelineImages": true, "imagebuilder:ListWorkflowExecutions": true,
		"imagebuilder:ListWorkflowStepExecutions": true, "iam:PassRole": true,
		// A look at what was approved and what waits, and an end to what waits; PutApprovalResult would also let them approve.
		"codepipeline:GetPipelineState": true, "codepipeline:ListActionExecutions": true, "codepipeline:StopPipelineExecution": true,
		// Alarms on the systems, which follow environment.json, and the role that EC2 Auto Scaling has in every account.
		"cloudwatch:DescribeAlarms": true, "cloudwatch:ListTagsForResource": true, "cloudwatch:PutMetricAlarm": true, "iam:CreateServiceLinkedRole": true,
	}
)

func TestNoPipelineRoleCanChangeItsOwnGate(t *testing.T) {
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		policies := slices.DeleteFunc(r.Of("aws:iam/rolePolicy:RolePolicy"), func(made mocks.Resource) bool {
			return strings.Contains(made.Parent, components.TypeAppEnvironment) // what the systems' own roles may do is held elsewhere
		})
		require.GreaterOrEqual(t, len(policies), 14)
		for _, made := range policies {
			for _, s := range statements(t, made, "policy") {
				require.Equal(t, "Allow", s.Effect)
				for _, action := range list(s.Action) {
					assert.False(t, gates.MatchString(action) && !allowedOfThose[action], "%s may %s", made.Name, action)
					switch action {
					case "ssm:PutParameter":
						// The other parameter is the configuration that the infrastructure pipeline runs with.
						assert.Len(t, list(s.Resource), 1)
						assert.True(t, strings.HasSuffix(list(s.Resource)[0], "/bake"), "%s may write %v", made.Name, s.Resource)
					case "cloudwatch:PutMetricAlarm":
						for _, alarm := range list(s.Resource) {
							assert.Contains(t, alarm, "-app-*", "%s may change %s", made.Name, alarm)
						}
					case "iam:CreateServiceLinkedRole":
						assert.Len(t, list(s.Resource), 1)
						assert.True(t, strings.HasSuffix(list(s.Resource)[0], "/AWSServiceRoleForAutoScaling"), "%s may make %v", made.Name, s.Resource)
					case "iam:PassRole":
						assert.Equal(t, []string{"ec2.amazonaws.com"}, list(s.Condition["StringEquals"]["iam:PassedToService"]), made.Name)
						for _, role := range list(s.Resource) {
							assert.True(t, strings.HasSuffix(role, "-instance"), "%s may pass %s", made.Name, role)
						}
					case "sts:AssumeRole":
						for _, role := range list(s.Resource) {
							assert.True(t, strings.HasSuffix(role, "-action"), "%s may become %s", made.Name, role)
						}
					}
				}
			}
		}
	})
}

func TestNoRoleHasAManagedPolicyOfFullAccess(t *testing.T) {
	known := map[string]bool{
		"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore":                         true,
		"arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy":                          true,
		"arn:aws:iam::aws:policy/service-role/EC2ImageBuilderLifecycleExecutionPolicy": true,
	}
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		for _, attached := range r.Of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") {
			assert.True(t, known[attached.Inputs["policyArn"].StringValue()], "%s: %s", attached.Name, attached.Inputs["policyArn"].StringValue())
		}
		for _, role := range r.Of("aws:iam/role:Role") {
			assert.NotContains(t, role.Inputs.Mappable(), "managedPolicyArns", role.Name)
		}
	})
}
