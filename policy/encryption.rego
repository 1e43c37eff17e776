package policy.encryption

import data.lib

rule := {
	"id": "encryption",
	"title": "What keeps data is encrypted with a KMS key",
	"severity": "error",
	"why": "A key of the environment decides, and logs, who reads its data; without one, whoever reaches the storage does.",
	"fix": "Give the resource the environment's key (Delivery.KeyArn), or set encrypted to true where EBS chooses the key.",
}

# Properties that name a key. Any key is good, also one that is known only after the update.
keys := {
	"aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
	"aws:codebuild/project:Project": "encryptionKey",
	"aws:sns/topic:Topic": "kmsMasterKeyId",
	"aws:sqs/queue:Queue": "kmsMasterKeyId",
}

findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(keys))
	lib.absent(r.after, [keys[r.type]])
	message := sprintf("%s is not set; expected a KMS key", [keys[r.type]])
}

findings contains lib.finding(r, "keyId is not set; expected a KMS key for a SecureString") if {
	some r in lib.made({"aws:ssm/parameter:Parameter"})
	object.get(r.after, "type", "") == "SecureString"
	lib.absent(r.after, ["keyId"])
}

# Properties that switch encryption on. One that is known only after the update may turn out to be false.
switches := {
	"aws:ebs/volume:Volume": ["encrypted"],
	"aws:efs/fileSystem:FileSystem": ["encrypted"],
	"aws:rds/cluster:Cluster": ["storageEncrypted"],
	"aws:rds/instance:Instance": ["storageEncrypted"],
	"aws:dynamodb/table:Table": ["serverSideEncryption", "enabled"],
}

findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(switches))
	path := switches[r.type]
	not lib.is_true(r.after, path)
	message := sprintf("%s is %s; expected true", [concat(".", path), lib.shown(r.after, path)])
}

# Volumes of what is launched or baked. A volume that is not named is as the image has it.
launched := {
	"aws:ec2/launchTemplate:LaunchTemplate": ["blockDeviceMappings"],
	"aws:imagebuilder/imageRecipe:ImageRecipe": ["blockDeviceMappings"],
	"aws:ec2/instance:Instance": ["rootBlockDevice", "ebsBlockDevices"],
	"aws:ec2/launchConfiguration:LaunchConfiguration": ["rootBlockDevice", "ebsBlockDevices"],
}

findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(launched))
	some property in launched[r.type]
	some i, device in lib.list(r.after, [property])
	not encrypted_device(device)
	message := sprintf("%s[%d] is not encrypted: %v", [property, i, device])
}

findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(launched))
	property := launched[r.type][0]
	lib.absent(r.after, [property])
	message := sprintf("%s is not set; expected an encrypted root volume", [property])
}

encrypted_device(device) if lib.is_true(device, ["ebs", "encrypted"])

encrypted_device(device) if lib.is_true(device, ["encrypted"])

# Instance stores, and devices that are left out.
encrypted_device(device) if {
	is_object(device)
	object.keys(device) & {"ebs", "encrypted", "volumeSize", "volumeType"} == set()
	object.keys(device) & {"virtualName", "noDevice"} != set()
}

settings := {
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
	"aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
}

algorithms(bucket) := {algorithm |
	some setting in lib.made(settings)
	bucket.urn in lib.depends(setting, "bucket")
	some entry in lib.list(setting.after, ["rules"])
	algorithm := lib.get(entry, ["applyServerSideEncryptionByDefault", "sseAlgorithm"], "not set")
}

findings contains lib.finding(r, message) if {
	some r in lib.made(lib.buckets)
	used := algorithms(r)
	count(used & {"aws:kms", "aws:kms:dsse"}) == 0
	not log_with_its_own_key(r, used)
	message := sprintf("sseAlgorithm of the bucket is %s; expected aws:kms", [names(used)])
}

names(algorithms) := "not set" if {
	count(algorithms) == 0
} else := concat(", ", {sprintf("%v", [algorithm]) | some algorithm in algorithms})

# S3 and Elastic Load Balancing deliver access logs only to buckets that S3 encrypts with its own keys (Amazon S3 User Guide, "Enabling
# Amazon S3 server access logging"; Application Load Balancers User Guide, "Enable access logs").
log_with_its_own_key(bucket, used) if {
	used == {"AES256"}
	some logging in logs
	bucket.urn in logging
}

logs contains lib.depends(r, "targetBucket") if {
	some r in lib.made({"aws:s3/bucketLoggingV2:BucketLoggingV2", "aws:s3/bucketLogging:BucketLogging"})
}

logs contains lib.depends(r, "accessLogs") if {
	some r in lib.made(lib.load_balancers)
}
