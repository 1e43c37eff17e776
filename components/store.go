package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// storeArgs says what a store is.
type storeArgs struct {
	// Name is the bucket's name.
	Name string
	// KeyArn is the KMS key that encrypts the bucket; nil for S3's own keys.
	KeyArn pulumi.StringInput
	// Statements are those of the bucket's policy, besides the one that refuses all but TLS.
	Statements []statement
	// Rules are those of the bucket's lifecycle, besides tidying up what is broken off or replaced.
	Rules []s3.BucketLifecycleConfigurationV2RuleInput
	// Disposable lets the bucket be deleted with what is in it, once a person has lifted its protection.
	Disposable bool
	// Log is the name of the bucket that receives the access log; nil for none.
	Log pulumi.StringInput
}

// Days after which a store forgets what nobody can see any more.
const (
	daysOfBrokenUploads = 7
	// Long enough to notice that something was deleted which should not have been.
	daysOfDeletedObjects = 90
)

// newStore makes a private bucket: closed to the public, without ACLs, encrypted, versioned, reached through TLS only. The result
// is its name, known once all that is in place: nothing may write before.
func newStore(ctx *pulumi.Context, local string, args storeArgs, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	bucket, err := s3.NewBucketV2(ctx, local, &s3.BucketV2Args{
		Bucket: pulumi.String(args.Name), ForceDestroy: pulumi.Bool(args.Disposable),
	}, parent, pulumi.Protect(true))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, local, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.ID(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, local, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.ID(), Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{encrypted(args.KeyArn)},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	owned, err := s3.NewBucketOwnershipControls(ctx, local, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(), Rule: s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	closed, err := s3.NewBucketPublicAccessBlock(ctx, local, &s3.BucketPublicAccessBlockArgs{
		Bucket: bucket.ID(), BlockPublicAcls: pulumi.Bool(true), BlockPublicPolicy: pulumi.Bool(true),
		IgnorePublicAcls: pulumi.Bool(true), RestrictPublicBuckets: pulumi.Bool(true),
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	arn := "arn:aws:s3:::" + args.Name
	tls := statement{
		Sid: "OnlyTLS", Effect: "Deny", Principal: "*", Action: []string{"s3:*"}, Resource: []string{arn, arn + "/*"},
		Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
	}
	attached, err := s3.NewBucketPolicy(ctx, local, &s3.BucketPolicyArgs{
		Bucket: bucket.ID(), Policy: pulumi.String(policy(append(slices.Clone(args.Statements), tls)...)),
	}, parent, pulumi.DependsOn([]pulumi.Resource{closed}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if err := lifecycle(ctx, local, args, bucket, versioning, parent); err != nil {
		return pulumi.StringOutput{}, err
	}
	if args.Log != nil {
		if _, err := s3.NewBucketLoggingV2(ctx, local, &s3.BucketLoggingV2Args{
			Bucket: bucket.ID(), TargetBucket: args.Log, TargetPrefix: pulumi.String(args.Name + "/"),
		}, parent); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	return pulumi.All(bucket.Bucket, versioning.ID(), encryption.ID(), owned.ID(), attached.ID()).
		ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput), nil
}

func encrypted(key pulumi.StringInput) s3.BucketServerSideEncryptionConfigurationV2RuleArgs {
	if key == nil {
		return s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm: pulumi.String("AES256"),
			},
		}
	}
	return s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
		BucketKeyEnabled: pulumi.Bool(true),
		ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
			SseAlgorithm: pulumi.String("aws:kms"), KmsMasterKeyId: key,
		},
	}
}

func lifecycle(ctx *pulumi.Context, local string, args storeArgs, bucket *s3.BucketV2, versioning *s3.BucketVersioningV2, parent pulumi.ResourceOption) error {
	tidy := s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("tidy"), Status: pulumi.String("Enabled"), Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(daysOfBrokenUploads),
		},
		NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
			NoncurrentDays: pulumi.Int(daysOfDeletedObjects),
		},
		Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)},
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(ctx, local, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(), Rules: append(s3.BucketLifecycleConfigurationV2RuleArray{tidy}, args.Rules...),
	}, parent, pulumi.DependsOn([]pulumi.Resource{versioning}))
	return err
}

// expire is the lifecycle rule that deletes what lies in a folder after some days.
func expire(folder string, days int) s3.BucketLifecycleConfigurationV2RuleInput {
	return s3.BucketLifecycleConfigurationV2RuleArgs{
		Id: pulumi.String("expire " + folder), Status: pulumi.String("Enabled"),
		Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(folder + "/")},
		Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(days)},
	}
}
