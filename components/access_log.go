package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// accessLog makes the bucket of the load balancer's access log, and returns its name once the load balancer may write to it. Elastic
// Load Balancing writes only to buckets that S3 encrypts with its own keys (Application Load Balancers User Guide, "Enable access
// logs"), which is why it is not the artifact bucket.
func (a *AppEnvironment) accessLog(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringOutput, error) {
	parent, local := pulumi.Parent(a), name+"-access-log"
	bucket, err := s3.NewBucketV2(ctx, local, &s3.BucketV2Args{Bucket: pulumi.String(args.Facts.AccessLogBucket())}, parent, pulumi.Protect(args.Protect))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if _, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, local, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}},
	}, parent); err != nil {
		return pulumi.StringOutput{}, err
	}
	if _, err := s3.NewBucketOwnershipControls(ctx, local, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(), Rule: s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, parent); err != nil {
		return pulumi.StringOutput{}, err
	}
	if _, err := s3.NewBucketLifecycleConfigurationV2(ctx, local, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id: pulumi.String("retention"), Status: pulumi.String("Enabled"),
			Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(args.LogRetentionDays)},
		}},
	}, parent); err != nil {
		return pulumi.StringOutput{}, err
	}
	closed, err := s3.NewBucketPublicAccessBlock(ctx, local, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	written, err := s3.NewBucketPolicy(ctx, local, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(), Policy: pulumi.String(accessLogPolicy(args.Facts)),
	}, parent, pulumi.DependsOn([]pulumi.Resource{closed}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(bucket.Bucket, written.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput), nil
}

// accessLogPolicy lets the log delivery of the account's load balancers write. The service principal is the same in every region; the
// account IDs by region that older policies name are its predecessors (same guide).
func accessLogPolicy(f pipelines.Facts) string {
	arn := "arn:aws:s3:::" + f.AccessLogBucket()
	return policy(
		statement{
			Sid: "LogDelivery", Effect: "Allow", Principal: map[string]string{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
			Action: []string{"s3:PutObject"}, Resource: []string{arn + "/AWSLogs/" + f.Account + "/*"},
			Condition: map[string]map[string][]string{"ArnLike": {"aws:SourceArn": {f.ARN("elasticloadbalancing", "loadbalancer/*")}}},
		},
		statement{
			Sid: "OnlyTLS", Effect: "Deny", Principal: "*", Action: []string{"s3:*"}, Resource: []string{arn, arn + "/*"},
			Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
		},
	)
}
