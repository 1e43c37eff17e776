package provider

// baking is EC2 Image Builder. Components and recipes are immutable, so every change replaces them, see
// https://docs.aws.amazon.com/imagebuilder/latest/userguide/manage-components.html.
func (a AWS) baking() map[string]spec {
	arn := func(kind, rest string) string {
		return "arn:aws:imagebuilder:{region}:{account}:" + kind + "/{name}" + rest
	}
	return map[string]spec{
		"aws:imagebuilder/component:Component": {
			name: "name", max: 128, id: "{arn}", arn: arn("component", "/{version}/1"), tagged: true,
			out:      o{"dateCreated": "{now}", "encrypted": true, "owner": "{account}", "type": "BUILD"},
			required: "platform version", replace: "platform version data uri description changeDescription kmsKeyId supportedOsVersions",
			effect: a.Component,
		},
		"aws:imagebuilder/imageRecipe:ImageRecipe": {
			name: "name", max: 128, id: "{arn}", arn: arn("image-recipe", "/{version}"), tagged: true,
			out:      o{"dateCreated": "{now}", "owner": "{account}", "platform": "Linux"},
			required: "components parentImage version",
			replace: "components parentImage version blockDeviceMappings description systemsManagerAgent userDataBase64 " +
				"workingDirectory",
			effect: a.Recipe,
		},
		"aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration": {
			name: "name", max: 128, id: "{arn}", arn: arn("infrastructure-configuration", ""), tagged: true,
			out: o{"dateCreated": "{now}", "dateUpdated": "{now}"}, required: "instanceProfileName", effect: a.Infrastructure,
		},
		"aws:imagebuilder/distributionConfiguration:DistributionConfiguration": {
			name: "name", max: 128, id: "{arn}", arn: arn("distribution-configuration", ""), tagged: true,
			out: o{"dateCreated": "{now}", "dateUpdated": "{now}"}, required: "distributions", effect: a.Distribution,
		},
		"aws:imagebuilder/imagePipeline:ImagePipeline": {
			name: "name", max: 128, id: "{arn}", arn: arn("image-pipeline", ""), tagged: true,
			out: o{
				"dateCreated": "{now}", "dateUpdated": "{now}", "dateLastRun": "", "dateNextRun": "", "platform": "Linux",
			},
			required: "infrastructureConfigurationArn", effect: a.ImagePipeline,
		},
		"aws:imagebuilder/lifecyclePolicy:LifecyclePolicy": {
			name: "name", max: 128, id: "{arn}", arn: arn("lifecycle-policy", ""), tagged: true, out: o{"status": "ENABLED"},
			required: "executionRole resourceType",
		},
	}
}
