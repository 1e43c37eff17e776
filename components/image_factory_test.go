package components_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/pipelines"
)

func factory(f pipelines.Facts) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := components.NewImageFactory(ctx, "image-factory", &components.ImageFactoryArgs{
			Facts: f, Bucket: pulumi.String("bucket"), KeyArn: pulumi.String("arn:key"), AlertTopicArn: pulumi.String("arn:alerts"), LogRetentionDays: 30,
		})
		return err
	}
}

func ebs(t *testing.T, r *mocks.Recorder) (string, map[string]any) {
	t.Helper()
	mapping := r.Only(t, "aws:imagebuilder/imageRecipe:ImageRecipe").Inputs.Mappable()["blockDeviceMappings"].([]any)[0].(map[string]any)
	return mapping["deviceName"].(string), mapping["ebs"].(map[string]any)
}

func distributed(t *testing.T, r *mocks.Recorder) map[string]any {
	t.Helper()
	distributions := r.Only(t, "aws:imagebuilder/distributionConfiguration:DistributionConfiguration").Inputs.Mappable()["distributions"].([]any)
	require.Len(t, distributions, 1)
	return distributions[0].(map[string]any)["amiDistributionConfiguration"].(map[string]any)
}

func TestImagesAreEncryptedSoThatTheyOutliveTheirEnvironment(t *testing.T) {
	bothWays(t, factory(facts), func(t *testing.T, r *mocks.Recorder) {
		device, volume := ebs(t, r)
		assert.Equal(t, "/dev/xvda", device)
		assert.Equal(t, "true", volume["encrypted"])
		assert.NotContains(t, volume, "kmsKeyId", "the account's default key, which no environment takes with it")
		assert.NotContains(t, distributed(t, r), "launchPermission", "nobody else starts it")
		infrastructure := r.Only(t, "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration").Inputs.Mappable()
		assert.NotContains(t, infrastructure, "subnetId")
		assert.Equal(t, true, infrastructure["terminateInstanceOnFailure"])
		assert.Equal(t, "arn:alerts", infrastructure["snsTopicArn"])
		assert.NotContains(t, infrastructure, "keyPair")
		metadata := infrastructure["instanceMetadataOptions"].(map[string]any)
		assert.Equal(t, "required", metadata["httpTokens"])
		assert.EqualValues(t, 1, metadata["httpPutResponseHopLimit"])
		pipeline := r.Only(t, "aws:imagebuilder/imagePipeline:ImagePipeline").Inputs.Mappable()
		assert.Equal(t, true, pipeline["imageTestsConfiguration"].(map[string]any)["imageTestsEnabled"])
	})
}

func TestImagesAreMadeAsThePlatformTeamSays(t *testing.T) {
	f := facts
	f.Bake = pipelines.Bake{
		RootDevice: "/dev/sda1", VolumeGiB: 40, Key: "arn:aws:kms:eu-west-1:111122223333:key/images", Accounts: []string{"444455556666"},
		InstanceTypes: []string{"m7g.large"}, Subnet: "subnet-12345678", SecurityGroup: "sg-12345678", Scan: true,
	}
	bothWays(t, factory(f), func(t *testing.T, r *mocks.Recorder) {
		device, volume := ebs(t, r)
		assert.Equal(t, "/dev/sda1", device)
		assert.EqualValues(t, 40, volume["volumeSize"])
		assert.Equal(t, f.Bake.Key, volume["kmsKeyId"])
		assert.Equal(t, map[string]any{"userIds": []any{"444455556666"}}, distributed(t, r)["launchPermission"])
		infrastructure := r.Only(t, "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration").Inputs.Mappable()
		assert.Equal(t, "subnet-12345678", infrastructure["subnetId"])
		assert.Equal(t, []any{"sg-12345678"}, infrastructure["securityGroupIds"])
		assert.Equal(t, []any{"m7g.large"}, infrastructure["instanceTypes"])
		pipeline := r.Only(t, "aws:imagebuilder/imagePipeline:ImagePipeline").Inputs.Mappable()
		assert.Equal(t, true, pipeline["imageScanningConfiguration"].(map[string]any)["imageScanningEnabled"])
	})
}

func TestWhatIsImmutableHasTheVersionOfItsContent(t *testing.T) {
	bothWays(t, factory(facts), func(t *testing.T, r *mocks.Recorder) {
		component := r.Only(t, "aws:imagebuilder/component:Component").Inputs
		assert.Equal(t, facts.BakeVersion(), component["version"].StringValue())
		// Whatever else were given would replace component or recipe without a new version, which AWS refuses.
		assert.ElementsMatch(t, []string{"name", "version", "platform", "data"}, keysOf(component.Mappable()))
		recipe := r.Only(t, "aws:imagebuilder/imageRecipe:ImageRecipe").Inputs
		var given []string
		for key := range recipe {
			given = append(given, string(key))
		}
		assert.ElementsMatch(t, []string{"name", "version", "parentImage", "components", "blockDeviceMappings"}, given)
	})
}

func keysOf(inputs map[string]any) []string {
	var keys []string
	for key := range inputs {
		keys = append(keys, key)
	}
	return keys
}

func TestImagesThatAreInUseAreNotDeleted(t *testing.T) {
	bothWays(t, factory(facts), func(t *testing.T, r *mocks.Recorder) {
		policy := r.Only(t, "aws:imagebuilder/lifecyclePolicy:LifecyclePolicy").Inputs.Mappable()
		assert.Equal(t, map[string]any{"tagMap": map[string]any{"product": "shop", "environment": "dev"}}, policy["resourceSelection"],
			"this environment's images only")
		details := policy["policyDetails"].([]any)
		require.Len(t, details, 2)
		for _, detail := range details {
			excluded := detail.(map[string]any)["exclusionRules"].(map[string]any)["amis"].(map[string]any)
			assert.Equal(t, map[string]any{"keep": "true"}, excluded["tagMap"])
			assert.EqualValues(t, 12, excluded["lastLaunched"].(map[string]any)["value"])
		}
		deletes := details[1].(map[string]any)
		assert.Equal(t, "DELETE", deletes["action"].(map[string]any)["type"])
		assert.EqualValues(t, 10, deletes["filter"].(map[string]any)["retainAtLeast"])
	})
}

func TestTheInstanceThatIsBakedReadsItsReleaseAndWritesItsLog(t *testing.T) {
	bothWays(t, factory(facts), func(t *testing.T, r *mocks.Recorder) {
		log := r.Only(t, "aws:cloudwatch/logGroup:LogGroup").Inputs
		assert.Equal(t, "/aws/imagebuilder/shop-dev-image", log["name"].StringValue())
		assert.Equal(t, "arn:key", log["kmsKeyId"].StringValue())
		for _, s := range statements(t, r.Only(t, "aws:iam/rolePolicy:RolePolicy"), "policy") {
			for _, action := range s.Action {
				if strings.HasPrefix(action, "s3:Put") {
					assert.EqualValues(t, []string{"arn:aws:s3:::bucket/bakes/*"}, s.Resource)
				}
				assert.NotRegexp(t, `^(iam|ec2|sts|secretsmanager|imagebuilder:(Create|Delete|Update|Start)|ssm:Put)`, action)
			}
		}
		var managed []string
		for _, attached := range r.Of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") {
			managed = append(managed, attached.Inputs["policyArn"].StringValue())
		}
		assert.ElementsMatch(t, []string{
			"arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", "arn:aws:iam::aws:policy/service-role/EC2ImageBuilderLifecycleExecutionPolicy",
		}, managed)
	})
}
