package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// accessLog makes the bucket of the load balancer's access log, and returns its name once the load balancer may write to it. Elastic
// Load Balancing writes only to buckets that S3 encrypts with its own keys (Application Load Balancers User Guide, "Enable access
// logs"), which is why it is not the artifact bucket. The service principal is the same in every region; the account IDs by region
// that older policies name are its predecessors (same guide).
func (a *AppEnvironment) accessLog(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringOutput, error) {
	f := args.Facts
	return newStore(ctx, name+"-access-log", storeArgs{
		Name: f.AccessLogBucket(),
		// The last entries arrive when the load balancer is gone already.
		Disposable: true,
		Rules:      []s3.BucketLifecycleConfigurationV2RuleInput{expire("AWSLogs", args.LogRetentionDays)},
		Statements: []statement{{
			Sid: "LogDelivery", Effect: "Allow", Principal: map[string]string{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
			Action: []string{"s3:PutObject"}, Resource: []string{"arn:aws:s3:::" + f.AccessLogBucket() + "/AWSLogs/" + f.Account + "/*"},
			Condition: map[string]map[string][]string{"ArnLike": {"aws:SourceArn": {f.ARN("elasticloadbalancing", "loadbalancer/*")}}},
		}},
	}, pulumi.Parent(a))
}
