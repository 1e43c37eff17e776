package components_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

func delivery(ctx *pulumi.Context) error {
	_, err := components.NewDelivery(ctx, "delivery", &components.DeliveryArgs{
		Facts: facts, Config: "{}", Approvers: []string{"kim@example.com"}, LogRetentionDays: 30,
	})
	return err
}

func TestReleasesAndReviewsNeverExpireAndWhatCanBeMadeAgainDoes(t *testing.T) {
	bothWays(t, delivery, func(t *testing.T, r *mocks.Recorder) {
		days := map[string]float64{}
		for _, rule := range named(t, r, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "delivery").Inputs["rules"].ArrayValue() {
			inputs := rule.ObjectValue()
			prefix := inputs["filter"].ObjectValue()["prefix"].StringValue()
			if expiration, ok := inputs["expiration"]; ok && expiration.ObjectValue().HasValue("days") {
				days[prefix] = expiration.ObjectValue()["days"].NumberValue()
			}
		}
		assert.Equal(t, map[string]float64{
			"bakes/": 30, "shop-dev-software/": 30, "shop-dev-image/": 30, "shop-dev-infrastruct/": 30,
		}, days, "software/, image/ and reviews/ are not among what expires; artifact folders are cut as CodePipeline cuts them")
	})
}

func TestTheBucketItselfKeepsReleasesAndReviewsFromBeingOverwritten(t *testing.T) {
	bothWays(t, delivery, func(t *testing.T, r *mocks.Recorder) {
		bySid := map[string]statement{}
		for _, s := range statements(t, named(t, r, "aws:s3/bucketPolicy:BucketPolicy", "delivery"), "policy") {
			bySid[s.Sid] = s
			assert.Equal(t, "Deny", s.Effect, "the bucket's policy opens nothing")
		}
		bucket := "arn:aws:s3:::" + facts.Bucket()
		immutable := bySid["NothingIsOverwritten"]
		assert.ElementsMatch(t, []string{bucket + "/software/*", bucket + "/image/*", bucket + "/reviews/*"}, immutable.Resource)
		assert.Equal(t, []string{"true"}, immutable.Condition["Null"]["s3:if-none-match"])
		assert.Contains(t, bySid, "OnlyTLS")
		assert.Contains(t, bySid, "OnlyTheBucketsEncryption")
	})
}

func TestAccessIsLoggedToABucketThatOnlyTheLogServiceWrites(t *testing.T) {
	bothWays(t, delivery, func(t *testing.T, r *mocks.Recorder) {
		logging := r.Only(t, "aws:s3/bucketLoggingV2:BucketLoggingV2").Inputs.Mappable()
		if target, ok := logging["targetBucket"].(string); ok {
			assert.Equal(t, facts.LogBucket(), target)
		}
		assert.NotEqual(t, facts.Bucket(), facts.LogBucket())
		var allowed []statement
		for _, s := range statements(t, named(t, r, "aws:s3/bucketPolicy:BucketPolicy", "delivery-logs"), "policy") {
			if s.Effect == "Allow" {
				allowed = append(allowed, s)
			}
		}
		require.Len(t, allowed, 1)
		assert.Equal(t, map[string]any{"Service": "logging.s3.amazonaws.com"}, allowed[0].Principal)
		assert.Equal(t, []string{"111122223333"}, allowed[0].Condition["StringEquals"]["aws:SourceAccount"])
		assert.EqualValues(t, []string{"arn:aws:s3:::" + facts.LogBucket() + "/" + facts.Bucket() + "/*"}, allowed[0].Resource)
		assert.Equal(t, []string{"arn:aws:s3:::" + facts.Bucket()}, allowed[0].Condition["ArnLike"]["aws:SourceArn"])
	})
}

func TestTheKeyServesTheAccountAndNobodyElse(t *testing.T) {
	bothWays(t, delivery, func(t *testing.T, r *mocks.Recorder) {
		key := r.Only(t, "aws:kms/key:Key")
		assert.True(t, key.Inputs["enableKeyRotation"].BoolValue())
		services := map[any]bool{}
		for _, s := range statements(t, key, "policy") {
			if s.Sid == "AccountDecidesByIAM" {
				continue
			}
			assert.NotEmpty(t, s.Condition, "%s is open to other accounts", s.Sid)
			assert.NotContains(t, s.Action, "kms:*", s.Sid)
			principal := s.Principal.(map[string]any)
			if service, ok := principal["Service"]; ok {
				services[service] = true
				continue
			}
			assert.Equal(t, []string{facts.Account}, s.Condition["StringEquals"]["kms:CallerAccount"], s.Sid)
			assert.NotEmpty(t, s.Condition["StringEquals"]["aws:PrincipalArn"], s.Sid)
		}
		assert.Equal(t, map[any]bool{
			"logs.eu-west-1.amazonaws.com": true, "cloudwatch.amazonaws.com": true, "codestar-notifications.amazonaws.com": true,
		}, services)
	})
}

func TestTopicsAreTLSOnlyAndTellTheApprovers(t *testing.T) {
	bothWays(t, delivery, func(t *testing.T, r *mocks.Recorder) {
		policies := r.Of("aws:sns/topicPolicy:TopicPolicy")
		require.Len(t, policies, 2)
		for _, made := range policies {
			all := statements(t, made, "policy")
			require.NotEmpty(t, all)
			assert.Equal(t, "OnlyTLS", all[0].Sid)
			for _, s := range all[1:] {
				assert.Equal(t, []string{facts.Account}, s.Condition["StringEquals"]["aws:SourceAccount"], "%s: %s", made.Name, s.Sid)
			}
		}
		assert.Len(t, statements(t, policies[1], "policy"), 1, "%s: only a pipeline's role asks for approvals", policies[1].Name)
		assert.Len(t, r.Of("aws:sns/topicSubscription:TopicSubscription"), 2)
	})
}
