package policy.public_access_test

import data.lib_test
import data.policy.public_access.findings

found(type, after) := result if {
	result := findings with input as lib_test.given("main", [lib_test.resource(type, "app", after)])
}

topic(statement) := found("aws:sns/topicPolicy:TopicPolicy", {"policy": lib_test.policy([object.union({"Action": "sns:Publish"}, statement)])})

bucket := lib_test.resource("aws:s3/bucketV2:BucketV2", "delivery", {})

all := {"blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true}

block(on, after) := object.union(
	lib_test.resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "delivery", after),
	{"dependencies": {"bucket": [on]}},
)

test_accepts_named_principals_and_conditions if {
	count(topic({"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}})) == 0
	count(topic({"Effect": "Deny", "Principal": "*"})) == 0
	count(topic({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalAccount": ["111122223333"]}}})) == 0
	count(found("aws:s3/bucketPolicy:BucketPolicy", {"policy": "[unknown]"})) == 0
}

test_accepts_a_blocked_bucket if count(findings) == 0 with input as lib_test.given("main", [bucket, block(bucket.urn, all)])

test_refuses_everybody if {
	{f.message | some f in topic({"Effect": "Allow", "Principal": "*"})} == {"policy allows sns:Publish to Principal * without a condition"}
	count(topic({"Effect": "Allow", "Principal": {"AWS": ["*"]}})) == 1
	count(topic({"Effect": "Allow", "Principal": {"AWS": "*"}, "Condition": {}})) == 1
	trust := lib_test.policy([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])
	count(found("aws:iam/role:Role", {"assumeRolePolicy": trust})) == 1
}

test_refuses_a_bucket_that_is_not_blocked if {
	count(findings) == 1 with input as lib_test.given("main", [bucket])
	count(findings) == 1 with input as lib_test.given("main", [bucket, block("urn:another", all)])
	count(findings) == 1 with input as lib_test.given("main", [bucket, block(bucket.urn, object.union(all, {"blockPublicPolicy": false}))])
	count(findings) == 1 with input as lib_test.given("main", [bucket, block(bucket.urn, object.remove(all, ["ignorePublicAcls"]))])
}
