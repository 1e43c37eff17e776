package provider

import (
	"context"
	"maps"
)

// AWS is the simulated account and what happens in it. Every effect may be left empty.
type AWS struct {
	// Account is the account's ID, 12 digits; Region the region, such as "eu-central-1".
	Account, Region string

	// Bucket is an S3 bucket; Resource.Name is its name.
	Bucket Effect
	// Parameter is an SSM parameter; properties name, type, value or insecureValue, version.
	Parameter Effect
	// Component, Recipe, Infrastructure, Distribution and ImagePipeline are those of EC2 Image Builder, known by ARN.
	Component, Recipe, Infrastructure, Distribution, ImagePipeline Effect
	// LaunchTemplate is a launch template; Put is called once for each version, the property latestVersion.
	LaunchTemplate Effect
	// TargetGroup is a load balancer's target group, known by ARN.
	TargetGroup Effect
	// AutoScalingGroup is an Auto Scaling group, known by name.
	AutoScalingGroup Effect
	// BuildProject is a CodeBuild project, known by name.
	BuildProject Effect
	// Connection is a connection to GitHub, known by ARN; property connectionStatus is that of its creation.
	Connection Effect
	// Certificate is a certificate of ACM, known by ARN; property status is that of its creation. CertificateValidation waits for its issue.
	Certificate, CertificateValidation Effect
	// Network is a VPC, Address an Elastic IP address, both known by ID.
	Network, Address Effect
	// Pipeline is a CodePipeline pipeline, known by name.
	Pipeline Effect

	// Images answers aws:ec2/getAmi:getAmi with every image that matches. Nil: there are none.
	Images func(context.Context, ImageQuery) ([]Image, error)
	// LookupParameter answers aws:ssm/getParameter:getParameter with the value of a parameter that exists. Nil: none do.
	LookupParameter func(ctx context.Context, name string) (value string, found bool, err error)
}

// awsVersion is the version of the provider that the tables follow, that of the Go SDK.
const awsVersion = "6.83.2"

// Schema is the plugin aws of this account.
func (a AWS) Schema() Schema {
	table := map[string]spec{}
	for _, part := range []map[string]spec{
		a.storage(), a.identity(), a.monitoring(), a.building(), a.baking(), a.network(), a.serving(),
	} {
		maps.Copy(table, part)
	}
	return Schema{
		Package: "aws", Version: awsVersion, Functions: a.functions(),
		Types: schemaTypes(table, constants{"account": a.Account, "region": a.Region}),
	}
}

// o is short for the outputs of a spec.
type o = map[string]any
