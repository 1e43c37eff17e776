package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codestarconnections"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// DeliveryArgs says what a Delivery is.
type DeliveryArgs struct {
	// Facts name everything.
	Facts pipelines.Facts
	// Config is the stack's configuration in JSON; the infrastructure pipeline runs the program with it.
	Config string
	// Approvers are the e-mail addresses that are told of a review that waits.
	Approvers []string
}

// Delivery is what an environment's pipelines share: the key, the artifact bucket, the connection to GitHub, the topic for
// approvals, and the parameter with the stack's configuration.
type Delivery struct {
	pulumi.ResourceState

	// Bucket is the artifact bucket's name, known once its protections are in place.
	Bucket pulumi.StringOutput `pulumi:"bucket"`
	// KeyArn is the ARN of the environment's KMS key.
	KeyArn pulumi.StringOutput `pulumi:"keyArn"`
	// ConnectionArn is the ARN of the connection to GitHub. It is pending until a person completes the handshake in the console
	// (AWS Developer Tools Console User Guide, "Update a pending connection").
	ConnectionArn pulumi.StringOutput `pulumi:"connectionArn"`
	// ApprovalTopicArn is the ARN of the SNS topic for reviews that wait.
	ApprovalTopicArn pulumi.StringOutput `pulumi:"approvalTopicArn"`
}

// NewDelivery registers a Delivery.
func NewDelivery(ctx *pulumi.Context, name string, args *DeliveryArgs, opts ...pulumi.ResourceOption) (*Delivery, error) {
	if args == nil {
		args = &DeliveryArgs{}
	}
	if err := require(TypeDelivery, name, map[string]bool{"Facts": args.Facts.Product != "", "Config": args.Config != ""}); err != nil {
		return nil, err
	}
	d := &Delivery{}
	inputs := pulumi.Map{"product": pulumi.String(args.Facts.Product), "environment": pulumi.String(args.Facts.Environment)}
	if err := ctx.RegisterComponentResourceV2(TypeDelivery, name, inputs, d, opts...); err != nil {
		return nil, err
	}
	key, err := d.key(ctx, name, args.Facts)
	if err != nil {
		return nil, err
	}
	if err := d.bucket(ctx, name, args.Facts, key); err != nil {
		return nil, err
	}
	if err := d.contacts(ctx, name, args); err != nil {
		return nil, err
	}
	d.KeyArn = key.Arn
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"bucket": d.Bucket, "keyArn": d.KeyArn, "connectionArn": d.ConnectionArn, "approvalTopicArn": d.ApprovalTopicArn,
	})
}

func (d *Delivery) key(ctx *pulumi.Context, name string, f pipelines.Facts) (*kms.Key, error) {
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:       pulumi.String(f.Name() + ": artifacts, reviews and logs"),
		EnableKeyRotation: pulumi.Bool(true),
		Policy: pulumi.String(policy(append(systemsKeyPolicy(f), statement{
			Sid: "AccountDecidesByIAM", Effect: "Allow", Principal: map[string]string{"AWS": "arn:aws:iam::" + f.Account + ":root"},
			Action: []string{"kms:*"}, Resource: []string{"*"},
		})...)),
	}, pulumi.Parent(d))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{Name: pulumi.String("alias/" + f.Name()), TargetKeyId: key.KeyId}, pulumi.Parent(d))
	return key, err
}

func (d *Delivery) bucket(ctx *pulumi.Context, name string, f pipelines.Facts, key *kms.Key) error {
	parent := pulumi.Parent(d)
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{Bucket: pulumi.String(f.Bucket())}, parent, pulumi.Protect(true))
	if err != nil {
		return err
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, parent)
	if err != nil {
		return err
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			BucketKeyEnabled: pulumi.Bool(true),
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: key.Arn,
			},
		}},
	}, parent)
	if err != nil {
		return err
	}
	closed, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return err
	}
	arn := "arn:aws:s3:::" + f.Bucket()
	tls, err := s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(),
		Policy: pulumi.String(policy(statement{
			Sid: "OnlyTLS", Effect: "Deny", Principal: "*", Action: []string{"s3:*"}, Resource: []string{arn, arn + "/*"},
			Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
		})),
	}, parent, pulumi.DependsOn([]pulumi.Resource{closed}))
	if err != nil {
		return err
	}
	// Nothing may write before the bucket is encrypted, versioned and closed.
	d.Bucket = pulumi.All(bucket.Bucket, versioning.ID(), encryption.ID(), tls.ID()).
		ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput)
	return nil
}

func (d *Delivery) contacts(ctx *pulumi.Context, name string, args *DeliveryArgs) error {
	parent := pulumi.Parent(d)
	connection, err := codestarconnections.NewConnection(ctx, name, &codestarconnections.ConnectionArgs{
		Name: pulumi.String(shortName(args.Facts)), ProviderType: pulumi.String("GitHub"),
	}, parent)
	if err != nil {
		return err
	}
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{Name: pulumi.String(args.Facts.Name("approvals"))}, parent)
	if err != nil {
		return err
	}
	for _, address := range args.Approvers {
		if _, err := sns.NewTopicSubscription(ctx, name+"-"+address, &sns.TopicSubscriptionArgs{
			Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(address),
		}, parent); err != nil {
			return err
		}
	}
	_, err = ssm.NewParameter(ctx, name, &ssm.ParameterArgs{
		Name:        pulumi.String(args.Facts.ConfigParameter()),
		Description: pulumi.String("The stack's configuration, with which the infrastructure pipeline runs ha-devops"),
		// The configuration names secrets and holds none; as a secret it would be encrypted in every plan.
		Type: pulumi.String("String"), InsecureValue: pulumi.String(args.Config),
	}, parent)
	d.ConnectionArn, d.ApprovalTopicArn = connection.Arn, topic.Arn
	return err
}
