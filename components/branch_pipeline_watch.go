package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codepipeline"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codestarnotifications"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// watch tells people what went wrong. The notification says which execution and which stage; the alarm is a state that dashboards
// and on-call tools read, and that passes five minutes after the last failure.
func (p *BranchPipeline) watch(ctx *pulumi.Context, name string, args *BranchPipelineArgs, pipeline *codepipeline.Pipeline) error {
	physical, parent := args.Facts.Pipeline(args.Definition.Role), pulumi.Parent(p)
	// AWS CodePipeline User Guide, "CloudWatch metrics for CodePipeline".
	_, err := cloudwatch.NewMetricAlarm(ctx, name+"-failed", &cloudwatch.MetricAlarmArgs{
		Name: pulumi.String(args.Facts.Name(string(args.Definition.Role), "failed")), AlarmDescription: pulumi.String("An execution of the pipeline " + physical + " failed"),
		Namespace: pulumi.String("AWS/CodePipeline"), MetricName: pulumi.String("FailedPipelineExecutions"),
		Dimensions: pulumi.StringMap{"PipelineName": pipeline.Name}, Statistic: pulumi.String("Sum"), Period: pulumi.Int(300),
		EvaluationPeriods: pulumi.Int(1), Threshold: pulumi.Float64(1), ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
		// Between executions there is no metric.
		TreatMissingData: pulumi.String("notBreaching"), AlarmActions: pulumi.Array{args.AlertTopicArn},
	}, parent)
	if err != nil {
		return err
	}
	// AWS Developer Tools Console User Guide, "Events for notification rules on pipelines".
	_, err = codestarnotifications.NewNotificationRule(ctx, name, &codestarnotifications.NotificationRuleArgs{
		Name: pulumi.String(physical), DetailType: pulumi.String("FULL"), Resource: pipeline.Arn,
		EventTypeIds: pulumi.ToStringArray([]string{
			"codepipeline-pipeline-manual-approval-failed",
			"codepipeline-pipeline-pipeline-execution-canceled",
			"codepipeline-pipeline-pipeline-execution-failed",
		}),
		Targets: codestarnotifications.NotificationRuleTargetArray{codestarnotifications.NotificationRuleTargetArgs{
			Address: args.AlertTopicArn, Type: pulumi.String("SNS"),
		}},
	}, parent)
	return err
}
