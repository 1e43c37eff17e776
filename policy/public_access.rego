package policy.public_access

import data.lib

rule := {
	"id": "public-access",
	"title": "No bucket, topic, queue, key or role is open to everybody",
	"severity": "error",
	"why": "A policy for the principal * without a condition, or a bucket that does not block public access, is open to every AWS account.",
	"fix": "Name the principals, or bind * to a condition; set all four settings of the bucket's public access block to true.",
}

# Endpoints' policies are not among them: only what is in the VPC reaches an endpoint.
policies := {
	"aws:iam/role:Role": "assumeRolePolicy",
	"aws:kms/key:Key": "policy",
	"aws:kms/keyPolicy:KeyPolicy": "policy",
	"aws:s3/bucketPolicy:BucketPolicy": "policy",
	"aws:secretsmanager/secretPolicy:SecretPolicy": "policy",
	"aws:sns/topicPolicy:TopicPolicy": "policy",
	"aws:sqs/queue:Queue": "policy",
	"aws:sqs/queuePolicy:QueuePolicy": "policy",
}

# Rule wildcard-action tells of policies that are not known.
findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(policies))
	property := policies[r.type]
	some s in lib.statements(object.get(r.after, property, ""))
	s.Effect == "Allow"
	anybody(object.get(s, "Principal", ""))
	object.get(s, "Condition", {}) in {{}, [], null}
	message := sprintf("%s allows %v to Principal * without a condition", [property, object.get(s, "Action", "")])
}

anybody("*")

anybody(principal) if "*" in lib.flat(lib.get(principal, "AWS", []))

blocks := ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"]

findings contains lib.finding(r, message) if {
	some r in lib.made({"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"})
	some setting in blocks
	not lib.is_true(r.after, [setting])
	message := sprintf("%s is %s; expected true", [setting, lib.shown(r.after, [setting])])
}

findings contains lib.finding(r, "the bucket has no public access block") if {
	some r in lib.made(lib.buckets)
	not blocked(r)
}

blocked(bucket) if {
	some block in lib.made({"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"})
	bucket.urn in lib.depends(block, "bucket")
}
