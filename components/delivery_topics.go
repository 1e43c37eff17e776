package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// key makes the environment's key. Its policy lets the account decide by IAM, as KMS does by default, and lets those services use it
// that work under no role of the account.
func (d *Delivery) key(ctx *pulumi.Context, name string, f pipelines.Facts) (*kms.Key, error) {
	service := func(name string) map[string]string { return map[string]string{"Service": name} }
	everything := []string{"*"} // in a key's policy: this key
	use := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:       pulumi.String(f.Name() + ": artifacts, reviews, logs and messages"),
		EnableKeyRotation: pulumi.Bool(true),
		Policy: pulumi.String(policy(
			statement{
				Sid: "AccountDecidesByIAM", Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + f.Account + ":root"},
				Action: []string{"kms:*"}, Resource: everything,
			},
			// Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS".
			statement{
				Sid: "LogGroups", Effect: "Allow", Principal: service("logs." + f.Region + ".amazonaws.com"),
				Action:   []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"},
				Resource: everything,
				Condition: map[string]map[string][]string{
					"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {f.ARN("logs", "log-group:*")}},
				},
			},
			// Amazon SNS Developer Guide, "Enable compatibility between event sources from AWS services and encrypted topics".
			statement{
				Sid: "Alarms", Effect: "Allow", Principal: service("cloudwatch.amazonaws.com"), Action: use, Resource: everything,
				Condition: map[string]map[string][]string{"StringEquals": {"aws:SourceAccount": {f.Account}}},
			},
			// AWS Developer Tools Console User Guide, "Configure Amazon SNS topics for notifications".
			statement{
				Sid: "Notifications", Effect: "Allow", Principal: service("codestar-notifications.amazonaws.com"), Action: use, Resource: everything,
				Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {"sns." + f.Region + ".amazonaws.com"}}},
			},
			// EC2 Image Builder User Guide, "Amazon SNS integration in Image Builder". The role exists only once Image Builder was used in
			// the account, and KMS refuses principals that do not exist; hence the condition.
			statement{
				Sid: "ImageBuilder", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Action: use, Resource: everything,
				Condition: map[string]map[string][]string{"StringEquals": {
					"kms:CallerAccount": {f.Account},
					"aws:PrincipalArn": {fmt.Sprintf(
						"arn:aws:iam::%s:role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder", f.Account)},
				}},
			},
		)),
	}, pulumi.Parent(d))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{Name: pulumi.String("alias/" + f.Name()), TargetKeyId: key.KeyId}, pulumi.Parent(d))
	return key, err
}

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
