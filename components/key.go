package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// key makes the environment's key. Its policy lets the account decide by IAM, as KMS does by default, and lets those services use it
// that work under no role of the account.
func (d *Delivery) key(ctx *pulumi.Context, name string, f pipelines.Facts) (*kms.Key, error) {
	service := func(name string) map[string]string { return map[string]string{"Service": name} }
	everything := []string{"*"} // in a key's policy: this key
	use := []string{"kms:Decrypt", "kms:GenerateDataKey"}
	encrypting := []string{
		"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
	}
	// By the role's ARN in a condition: KMS refuses a principal that does not exist yet, and the service makes its role when it is
	// first used in the account.
	linked := func(arn string) map[string]map[string][]string {
		return map[string]map[string][]string{"StringEquals": {"kms:CallerAccount": {f.Account}, "aws:PrincipalArn": {arn}}}
	}
	attaching := linked(f.ScalingRoleARN())
	attaching["Bool"] = map[string][]string{"kms:GrantIsForAWSResource": {"true"}}
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
				Action: encrypting, Resource: everything,
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
			// EC2 Image Builder User Guide, "Amazon SNS integration in Image Builder".
			statement{
				Sid: "ImageBuilder", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Action: use, Resource: everything,
				Condition: linked("arn:aws:iam::" + f.Account + ":role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"),
			},
			// Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes".
			statement{
				Sid: "EncryptVolumes", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Action: encrypting, Resource: everything,
				Condition: linked(f.ScalingRoleARN()),
			},
			statement{
				Sid: "AttachVolumes", Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Action: []string{"kms:CreateGrant"}, Resource: everything,
				Condition: attaching,
			},
		)),
	}, pulumi.Parent(d))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{Name: pulumi.String("alias/" + f.Name()), TargetKeyId: key.KeyId}, pulumi.Parent(d))
	return key, err
}
