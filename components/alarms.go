package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// busyPercent is the processors' use at which scaling has not kept up: environment.json asks for at most 95, and Auto Scaling adds
// instances within minutes.
const busyPercent = 97

// alarm is what an operator is told of. A minute without a metric is no reason: there are no requests at night, and no instances
// before the first release.
type alarm struct {
	part, description string
	namespace, metric string
	dimensions        pulumi.StringMap
	statistic         string
	comparison        string
	threshold         float64
	minutes           int
}

const (
	above = "GreaterThanThreshold"
	below = "LessThanThreshold"
)

// alarms makes the environment's alarms and the topic that they go to, and returns the topic's ARN. The group is known by its name,
// so that its alarms wait for it.
func (a *AppEnvironment) alarms(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, d door) (pulumi.StringOutput, error) {
	topic, err := a.alarmTopic(ctx, name, args)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	const balancing = "AWS/ApplicationELB"
	balancer := pulumi.StringMap{"LoadBalancer": d.balancer.ArnSuffix}
	group := pulumi.StringMap{"AutoScalingGroupName": pulumi.String(args.Facts.Group())}
	for _, x := range []alarm{
		{
			part: "unhealthy", description: "Instances fail their health check", namespace: balancing, metric: "UnHealthyHostCount",
			dimensions: pulumi.StringMap{"LoadBalancer": d.balancer.ArnSuffix, "TargetGroup": d.target.ArnSuffix},
			statistic:  "Maximum", comparison: above, threshold: 0, minutes: 5,
		},
		{
			part: "refused", description: "The load balancer itself answers with errors: nobody behind it does", namespace: balancing,
			metric: "HTTPCode_ELB_5XX_Count", dimensions: balancer, statistic: "Sum", comparison: above, threshold: 10, minutes: 3,
		},
		{
			part: "latency", description: "Answers are slower than environment.json allows", namespace: balancing, metric: "TargetResponseTime",
			dimensions: balancer, statistic: "p99", comparison: above, threshold: float64(args.Spec.Alarms.LatencyMilliseconds) / 1000, minutes: 5,
		},
		{
			part: "busy", description: "Processors are busy although Auto Scaling should have added instances", namespace: "AWS/EC2",
			metric: "CPUUtilization", dimensions: group, statistic: "Average", comparison: above, threshold: busyPercent, minutes: 15,
		},
		{
			part: "capacity", description: "Fewer instances are in service than the least that must be", namespace: "AWS/AutoScaling",
			metric: "GroupInServiceInstances", dimensions: group, statistic: "Minimum", comparison: below, threshold: float64(args.Capacity.Min), minutes: 10,
		},
	} {
		made := a.alarm(x, args, topic)
		made.Namespace, made.MetricName, made.Dimensions = pulumi.String(x.namespace), pulumi.String(x.metric), x.dimensions
		made.Period = pulumi.Int(60)
		if x.statistic == "p99" {
			made.ExtendedStatistic = pulumi.String(x.statistic)
		} else {
			made.Statistic = pulumi.String(x.statistic)
		}
		if _, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+x.part, made, pulumi.Parent(a)); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	return topic, a.errorAlarm(ctx, name, args, balancer, topic)
}

// errorAlarm watches the share of requests that the software answers with an error, rather than their number, which grows with the
// traffic.
func (a *AppEnvironment) errorAlarm(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, balancer pulumi.StringMap, topic pulumi.StringOutput) error {
	count := func(id, metric string) cloudwatch.MetricAlarmMetricQueryArgs {
		return cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String(id), Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace: pulumi.String("AWS/ApplicationELB"), MetricName: pulumi.String(metric), Dimensions: balancer,
			Period: pulumi.Int(60), Stat: pulumi.String("Sum"),
		}}
	}
	made := a.alarm(alarm{
		part: "errors", description: "The software answers more requests with errors than environment.json allows",
		comparison: above, threshold: float64(args.Spec.Alarms.ErrorPercent), minutes: 5,
	}, args, topic)
	made.MetricQueries = cloudwatch.MetricAlarmMetricQueryArray{
		cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String("percent"), Label: pulumi.String("Errors in percent of requests"), ReturnData: pulumi.Bool(true),
			Expression: pulumi.String("100 * errors / requests"),
		},
		count("errors", "HTTPCode_Target_5XX_Count"),
		count("requests", "RequestCount"),
	}
	_, err := cloudwatch.NewMetricAlarm(ctx, name+"-errors", made, pulumi.Parent(a))
	return err
}

// alarm is what all alarms have in common.
func (a *AppEnvironment) alarm(x alarm, args *AppEnvironmentArgs, topic pulumi.StringOutput) *cloudwatch.MetricAlarmArgs {
	return &cloudwatch.MetricAlarmArgs{
		Name:               pulumi.String(args.Facts.Alarm(x.part)),
		AlarmDescription:   pulumi.String(fmt.Sprintf("%s: %s for %d minutes", args.Facts.Name(), x.description, x.minutes)),
		ComparisonOperator: pulumi.String(x.comparison), Threshold: pulumi.Float64(x.threshold), EvaluationPeriods: pulumi.Int(x.minutes),
		TreatMissingData: pulumi.String("notBreaching"),
		AlarmActions:     pulumi.Array{topic}, OkActions: pulumi.Array{topic},
	}
}

// alarmTopic makes the topic that alarms go to. Nobody else of the account's services may publish to it.
func (a *AppEnvironment) alarmTopic(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringOutput, error) {
	f, parent, local := args.Facts, pulumi.Parent(a), name+"-alarms"
	topic, err := sns.NewTopic(ctx, local, &sns.TopicArgs{Name: pulumi.String(f.Name("alarms")), KmsMasterKeyId: args.KeyArn}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	arn := f.ARN("sns", f.Name("alarms"))
	published, err := sns.NewTopicPolicy(ctx, local, &sns.TopicPolicyArgs{Arn: topic.Arn, Policy: pulumi.String(policy(
		statement{
			Sid: "Alarms", Effect: "Allow", Principal: map[string]string{"Service": "cloudwatch.amazonaws.com"},
			Action: []string{"sns:Publish"}, Resource: []string{arn},
			Condition: map[string]map[string][]string{"ArnLike": {"aws:SourceArn": {f.ARN("cloudwatch", "alarm:"+f.Alarm("*"))}}},
		},
		statement{
			Sid: "OnlyTLS", Effect: "Deny", Principal: "*", Action: []string{"sns:Publish"}, Resource: []string{arn},
			Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
		},
	))}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	for _, address := range args.Operators {
		if _, err := sns.NewTopicSubscription(ctx, local+"-"+address, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(address),
		}, parent); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	return pulumi.All(topic.Arn, published.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput), nil
}
