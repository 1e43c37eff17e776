package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// topics makes the topics for reviews that wait and for what fails.
func (d *Delivery) topics(ctx *pulumi.Context, name string, args *DeliveryArgs, key *kms.Key) error {
	var err error
	if d.ApprovalTopicArn, err = d.topic(ctx, name, "approvals", args, key); err != nil {
		return err
	}
	own := map[string]map[string][]string{"StringEquals": {"aws:SourceAccount": {args.Facts.Account}}}
	publish := func(sid, service string) statement {
		return statement{
			Sid: sid, Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sns:Publish"}, Condition: own,
		}
	}
	d.AlertTopicArn, err = d.topic(ctx, name, "alerts", args, key,
		publish("Alarms", "cloudwatch.amazonaws.com"), publish("Notifications", "codestar-notifications.amazonaws.com"))
	return err
}

// topic makes an encrypted topic, to which the account's roles publish as their own policies allow, and others as these statements
// do, and returns its ARN, known once its policy is in place.
func (d *Delivery) topic(ctx *pulumi.Context, name, kind string, args *DeliveryArgs, key *kms.Key, others ...statement) (pulumi.StringOutput, error) {
	parent, local := pulumi.Parent(d), name+"-"+kind
	topic, err := sns.NewTopic(ctx, local, &sns.TopicArgs{Name: pulumi.String(args.Facts.Name(kind)), KmsMasterKeyId: key.Arn}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	statements := append([]statement{{
		Sid: "OnlyTLS", Effect: "Deny", Principal: "*", Action: []string{"sns:Publish"},
		Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
	}}, others...)
	for i := range statements {
		statements[i].Resource = []string{args.Facts.ARN("sns", args.Facts.Name(kind))}
	}
	attached, err := sns.NewTopicPolicy(ctx, local, &sns.TopicPolicyArgs{Arn: topic.Arn, Policy: pulumi.String(policy(statements...))}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	for _, address := range args.Approvers {
		if _, err := sns.NewTopicSubscription(ctx, local+"-"+address, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(address),
		}, parent); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	return pulumi.All(topic.Arn, attached.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput), nil
}
