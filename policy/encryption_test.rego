package policy.encryption_test

import data.lib_test
import data.policy.encryption.findings

found(type, after) := result if {
	result := findings with input as lib_test.given("main", [lib_test.resource(type, "app", after)])
}

template(device) := found("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": [device]})

bucket := lib_test.resource("aws:s3/bucketV2:BucketV2", "delivery", {"bucket": "b"})

setting(algorithm) := object.union(
	lib_test.resource(
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "delivery",
		{"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm}}]},
	),
	{"dependencies": {"bucket": [bucket.urn]}},
)

buckets(others) := result if {
	result := findings with input as lib_test.given("main", array.concat([bucket], others))
}

test_accepts_keys_known_or_not if {
	count(found("aws:cloudwatch/logGroup:LogGroup", {"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"})) == 0
	count(found("aws:sns/topic:Topic", {"kmsMasterKeyId": "[unknown]"})) == 0
	count(found("aws:ssm/parameter:Parameter", {"type": "SecureString", "keyId": "alias/shop"})) == 0
	count(found("aws:ssm/parameter:Parameter", {"type": "String"})) == 0
}

test_accepts_encrypted_volumes if {
	count(template({"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}})) == 0
	count(template({"deviceName": "/dev/sdb", "virtualName": "ephemeral0"})) == 0
	count(found("aws:ebs/volume:Volume", {"encrypted": true})) == 0
}

test_accepts_a_bucket_with_a_kms_key if count(buckets([setting("aws:kms")])) == 0

test_accepts_logs_that_only_s3_can_encrypt if {
	access := lib_test.altered("aws:lb/loadBalancer:LoadBalancer", "app", {"dependencies": {"accessLogs": [bucket.urn]}})
	count(buckets([setting("AES256"), access])) == 0
	logging := lib_test.altered("aws:s3/bucketLoggingV2:BucketLoggingV2", "delivery", {"dependencies": {"targetBucket": [bucket.urn]}})
	count(buckets([setting("AES256"), logging])) == 0
}

test_refuses_no_key if {
	{f.message | some f in found("aws:cloudwatch/logGroup:LogGroup", {"name": "x"})} == {"kmsKeyId is not set; expected a KMS key"}
	count(found("aws:sns/topic:Topic", {"kmsMasterKeyId": ""})) == 1
	count(found("aws:sqs/queue:Queue", {"sqsManagedSseEnabled": true})) == 1
	count(found("aws:codebuild/project:Project", {"encryptionKey": null})) == 1
	count(found("aws:ssm/parameter:Parameter", {"type": "SecureString"})) == 1
}

test_refuses_volumes_that_are_not_encrypted if {
	count(template({"ebs": {"encrypted": "false"}})) == 1
	count(template({"ebs": {"encrypted": "[unknown]"}})) == 1
	count(template({"ebs": {"volumeSize": 8}})) == 1
	count(template("[unknown]")) == 1
	count(found("aws:ec2/launchTemplate:LaunchTemplate", {})) == 1
	count(found("aws:imagebuilder/imageRecipe:ImageRecipe", {"blockDeviceMappings": [{"ebs": {"encrypted": "false"}}]})) == 1
	count(found("aws:ebs/volume:Volume", {"size": 8})) == 1
	count(found("aws:rds/instance:Instance", {"storageEncrypted": "[unknown]"})) == 1
}

test_refuses_buckets_without_a_kms_key if {
	count(buckets([])) == 1
	{f.message | some f in buckets([setting("AES256")])} == {"sseAlgorithm of the bucket is AES256; expected aws:kms"}
	count(buckets([setting("[unknown]")])) == 1
	other := object.union(setting("aws:kms"), {"dependencies": {"bucket": ["urn:another"]}})
	count(buckets([other])) == 1
}
