package provider

// storage is S3, KMS, SSM parameters and Secrets Manager.
func (a AWS) storage() map[string]spec {
	return map[string]spec{
		"aws:s3/bucketV2:BucketV2": {
			name: "bucket", max: 63, id: "{bucket}", arn: "arn:aws:s3:::{bucket}", tagged: true, effect: a.Bucket,
			out: o{
				"bucketDomainName":         "{bucket}.s3.amazonaws.com",
				"bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
				"hostedZoneId":             "Z21DNDUVLTQW6Q", "region": "{region}",
				"websiteDomain": "s3-website.{region}.amazonaws.com", "websiteEndpoint": "{bucket}.s3-website.{region}.amazonaws.com",
			},
			replace: "objectLockEnabled",
		},
		"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               ofBucket("versioningConfiguration"),
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     ofBucket(""),
		"aws:s3/bucketPolicy:BucketPolicy":                                                           ofBucket("policy"),
		"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     ofBucket("targetBucket targetPrefix"),
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     ofBucket("rule"),
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       ofBucket(""),
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": ofBucket("rules"),
		"aws:kms/key:Key": {
			id: "{hex8}-{hex4}-{hex4}-{hex4}-{hex12}", arn: "arn:aws:kms:{region}:{account}:key/{id}", tagged: true,
			out: o{"keyId": "{id}"}, replace: "customKeyStoreId keyUsage customerMasterKeySpec multiRegion xksKeyId",
		},
		"aws:kms/alias:Alias": {
			name: "name", prefix: "alias/", id: "{name}", arn: "arn:aws:kms:{region}:{account}:{name}", required: "targetKeyId",
			out: o{"targetKeyArn": "arn:aws:kms:{region}:{account}:key/{targetKeyId}"}, fresh: "targetKeyArn",
		},
		"aws:ssm/parameter:Parameter": {
			name: "name", id: "{name}", arn: "arn:aws:ssm:{region}:{account}:parameter/{/name}", tagged: true, required: "type",
			out: o{"dataType": "text"}, bumps: "version", replace: "dataType", effect: a.Parameter,
		},
		"aws:secretsmanager/secret:Secret": {
			name: "name", id: "{arn}", arn: "arn:aws:secretsmanager:{region}:{account}:secret:{name}-{hex6}", tagged: true,
		},
	}
}

// ofBucket is one setting of a bucket; it has the bucket's name for its ID.
func ofBucket(required string) spec {
	return spec{id: "{bucket}", required: "bucket " + required, replace: "bucket"}
}
