package provider

// building is CodeBuild, CodePipeline and the connections to GitHub.
func (a AWS) building() map[string]spec {
	connection := func(service string, out o) spec {
		out["connectionStatus"] = "PENDING" // until a person completes it, which the state does not learn
		return spec{
			name: "name", max: 32, id: "{arn}", tagged: true, out: out, replace: "providerType hostArn", effect: a.Connection,
			arn: "arn:aws:" + service + ":{region}:{account}:connection/{hex8}-{hex4}-{hex4}-{hex4}-{hex12}",
		}
	}
	return map[string]spec{
		"aws:codebuild/project:Project": {
			name: "name", max: 255, id: "{arn}", arn: "arn:aws:codebuild:{region}:{account}:project/{name}", tagged: true,
			out: o{
				"badgeUrl": "", "publicProjectAlias": "", "description": "",
				"encryptionKey": "arn:aws:kms:{region}:{account}:alias/aws/s3",
			},
			required: "artifacts environment serviceRole source", effect: a.BuildProject,
		},
		"aws:codebuild/reportGroup:ReportGroup": {
			name: "name", max: 128, id: "{arn}", arn: "arn:aws:codebuild:{region}:{account}:report-group/{name}", tagged: true,
			out: o{"created": "{now}"}, required: "exportConfig type", replace: "type",
		},
		"aws:codepipeline/pipeline:Pipeline": {
			name: "name", max: 100, id: "{name}", arn: "arn:aws:codepipeline:{region}:{account}:{name}", tagged: true,
			out: o{"triggerAlls": []any{}}, required: "artifactStores roleArn stages", effect: a.Pipeline,
		},
		"aws:codestarconnections/connection:Connection": connection("codestar-connections", o{}),
		"aws:codeconnections/connection:Connection":     connection("codeconnections", o{"ownerAccountId": "{account}"}),
	}
}
