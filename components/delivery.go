package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codestarconnections"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
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
	// Approvers are the e-mail addresses that are told of a review that waits, and of what fails. Optional; nobody is told.
	Approvers []string
	// LogRetentionDays is how long logs are kept.
	LogRetentionDays int
}

// Delivery is what an environment's pipelines share: the key, the artifact bucket and its access log, the connection to GitHub, the
// topics for approvals and alerts, and the parameter with the stack's configuration.
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
	// AlertTopicArn is the ARN of the SNS topic for what fails, known once those who report failures may publish to it.
	AlertTopicArn pulumi.StringOutput `pulumi:"alertTopicArn"`
}

// NewDelivery registers a Delivery.
func NewDelivery(ctx *pulumi.Context, name string, args *DeliveryArgs, opts ...pulumi.ResourceOption) (*Delivery, error) {
	if args == nil {
		args = &DeliveryArgs{}
	}
	if err := require(TypeDelivery, name, map[string]bool{
		"Facts": args.Facts.Product != "", "Config": args.Config != "", "LogRetentionDays": args.LogRetentionDays > 0,
	}); err != nil {
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
	if err := d.bucket(ctx, name, args, key); err != nil {
		return nil, err
	}
	if err := d.topics(ctx, name, args, key); err != nil {
		return nil, err
	}
	if err := d.contacts(ctx, name, args); err != nil {
		return nil, err
	}
	d.KeyArn = key.Arn
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{
		"bucket": d.Bucket, "keyArn": d.KeyArn, "connectionArn": d.ConnectionArn,
		"approvalTopicArn": d.ApprovalTopicArn, "alertTopicArn": d.AlertTopicArn,
	})
}

// daysOfPipelineArtifacts is how long CodePipeline's own copies of a source are kept: they are of use while an execution runs or is
// retried.
const daysOfPipelineArtifacts = 30

// bucket makes the artifact bucket. Software, image content and reviews never expire: an environment may be rolled back to any
// release that git names, and a review says why the environment is as it is. What expires is what can be made again.
func (d *Delivery) bucket(ctx *pulumi.Context, name string, args *DeliveryArgs, key *kms.Key) error {
	f, parent := args.Facts, pulumi.Parent(d)
	arn := "arn:aws:s3:::" + f.Bucket()
	log, err := newStore(ctx, name+"-logs", storeArgs{
		// S3 delivers access logs only to a bucket that its own keys encrypt (Amazon S3 User Guide, "Logging requests with server
		// access logging").
		Name: f.LogBucket(),
		// Logs of its own source's deletion keep arriving: nobody could empty it first.
		Disposable: true,
		Rules:      []s3.BucketLifecycleConfigurationV2RuleInput{expire(f.Bucket(), args.LogRetentionDays)},
		Statements: []statement{{
			Sid: "AccessLogs", Effect: "Allow", Principal: map[string]string{"Service": "logging.s3.amazonaws.com"},
			Action: []string{"s3:PutObject"}, Resource: "arn:aws:s3:::" + f.LogBucket() + "/" + f.Bucket() + "/*",
			Condition: map[string]map[string][]string{
				"StringEquals": {"aws:SourceAccount": {f.Account}}, "ArnLike": {"aws:SourceArn": {arn}},
			},
		}},
	}, parent)
	if err != nil {
		return err
	}
	rules := []s3.BucketLifecycleConfigurationV2RuleInput{expire(bakeLogs, args.LogRetentionDays)}
	var folders []string
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure} {
		folders = append(folders, artifactFolder(f, role))
	}
	// The folders of a product with a long name are one.
	slices.Sort(folders)
	for _, folder := range slices.Compact(folders) {
		rules = append(rules, expire(folder, daysOfPipelineArtifacts))
	}
	d.Bucket, err = newStore(ctx, name, storeArgs{
		Name: f.Bucket(), KeyArn: key.Arn, Log: log, Rules: rules, Statements: lasting(arn),
	}, parent)
	return err
}

// lasting makes what relay writes last as it was written: nothing is overwritten, whoever asks (Amazon S3 User Guide, "Enforce
// conditional writes on Amazon S3 buckets"), and nothing is encrypted otherwise than the bucket is.
func lasting(bucket string) []statement {
	folders := []string{bucket + "/software/*", bucket + "/image/*", bucket + "/reviews/*"}
	return []statement{
		{
			Sid: "NothingIsOverwritten", Effect: "Deny", Principal: "*", Action: []string{"s3:PutObject"}, Resource: folders,
			Condition: map[string]map[string][]string{
				// The parts of a multipart upload have no such header; its completion has.
				"Null": {"s3:if-none-match": {"true"}}, "Bool": {"s3:ObjectCreationOperation": {"true"}},
			},
		},
		{
			Sid: "OnlyTheBucketsEncryption", Effect: "Deny", Principal: "*", Action: []string{"s3:PutObject"}, Resource: folders,
			Condition: map[string]map[string][]string{
				"Null":            {"s3:x-amz-server-side-encryption": {"false"}},
				"StringNotEquals": {"s3:x-amz-server-side-encryption": {"aws:kms"}},
			},
		},
	}
}

func (d *Delivery) contacts(ctx *pulumi.Context, name string, args *DeliveryArgs) error {
	parent := pulumi.Parent(d)
	connection, err := codestarconnections.NewConnection(ctx, name, &codestarconnections.ConnectionArgs{
		Name: pulumi.String(args.Facts.Connection()), ProviderType: pulumi.String("GitHub"),
	}, parent)
	if err != nil {
		return err
	}
	_, err = ssm.NewParameter(ctx, name, &ssm.ParameterArgs{
		Name:        pulumi.String(args.Facts.ConfigParameter()),
		Description: pulumi.String("The stack's configuration, with which the infrastructure pipeline runs ha-devops"),
		// The configuration names secrets and holds none; as a secret it would be encrypted in every plan.
		Type: pulumi.String("String"), InsecureValue: pulumi.String(args.Config),
	}, parent)
	d.ConnectionArn = connection.Arn
	return err
}
