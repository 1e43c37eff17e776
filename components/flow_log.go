package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// flowLog writes down who spoke to whom in the network, and who was refused.
func (a *AppEnvironment) flowLog(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, vpc *ec2.Vpc) error {
	f, parent, local := args.Facts, pulumi.Parent(a), name+"-flow"
	logs, err := a.logGroup(ctx, local, f.LogGroup("flow"), args)
	if err != nil {
		return err
	}
	// The log group is there, so that the service need not make it (Amazon VPC User Guide, "IAM role for publishing flow logs to
	// CloudWatch Logs").
	writer, err := newRole(ctx, local, f.Name("flow"), trust("vpc-flow-logs.amazonaws.com", f.Account), pulumi.String(policy(
		allow(pipelines.Grant{
			Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: []string{f.ARN("logs", "log-group:"+f.LogGroup("flow")+":*")},
		}),
		allow(pipelines.Grant{Actions: []string{"logs:DescribeLogGroups"}, Resources: []string{"*"}}),
	)), parent)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(ctx, name, &ec2.FlowLogArgs{
		VpcId: vpc.ID(), TrafficType: pulumi.String("ALL"), LogDestinationType: pulumi.String("cloud-watch-logs"),
		LogDestination: logs.Arn, IamRoleArn: writer.arn, Tags: a.named(args),
	}, parent)
	return err
}

// logGroup makes an encrypted log group.
func (a *AppEnvironment) logGroup(ctx *pulumi.Context, local, physical string, args *AppEnvironmentArgs) (*cloudwatch.LogGroup, error) {
	return cloudwatch.NewLogGroup(ctx, local, &cloudwatch.LogGroupArgs{
		Name: pulumi.String(physical), RetentionInDays: pulumi.Int(args.LogRetentionDays), KmsKeyId: args.KeyArn,
	}, pulumi.Parent(a))
}
