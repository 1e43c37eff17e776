package policy.wildcard_action_test

import data.lib_test
import data.policy.wildcard_action.findings

found(type, after) := result if {
	result := findings with input as lib_test.given("main", [lib_test.resource(type, "software", after)])
}

role(statement) := found("aws:iam/rolePolicy:RolePolicy", {"policy": lib_test.policy([statement])})

test_accepts_named_actions if {
	count(role({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bucket/*"]})) == 0
	count(role({"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"})) == 0
	count(role({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*"})) == 0
	count(role({"Effect": "Deny", "Action": "*", "Resource": "*"})) == 0
}

test_accepts_a_key_policy_that_leaves_it_to_the_account if {
	root := {"AWS": "arn:aws:iam::111122223333:root"}
	count(found("aws:kms/key:Key", {"policy": lib_test.policy([{"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}])})) == 0
}

test_accepts_managed_policies_for_one_purpose if {
	arn := "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
	count(found("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": arn})) == 0
}

test_refuses_every_action if {
	count(role({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::bucket"})) == 1
	count(role({"Effect": "Allow", "Action": ["s3:GetObject", "*:*"], "Resource": "*"})) == 1
	statement := {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "*", "Resource": "*"}
	count(found("aws:s3/bucketPolicy:BucketPolicy", {"policy": lib_test.policy([statement])})) == 1
	count(found("aws:iam/role:Role", {"inlinePolicies": [{"policy": lib_test.policy([statement])}]})) == 1
}

test_refuses_every_action_of_a_service if {
	messages := {f.message | some f in role({"Sid": "Keys", "Effect": "Allow", "Action": ["kms:*"], "Resource": ["*"]})}
	messages == {"policy statement Keys allows Action kms:* on Resource *"}
	count(role({"Effect": "Allow", "Action": "iam:*", "NotResource": "arn:aws:iam::111122223333:role/x"})) == 1
}

test_refuses_all_but_some if count(role({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})) == 1

test_refuses_managed_policies_of_full_access if {
	every arn in [
		"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess",
		"arn:aws:iam::aws:policy/job-function/AdministratorAccess",
	] {
		count(found("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": arn})) == 1
		count(found("aws:iam/role:Role", {"managedPolicyArns": [arn]})) == 1
	}
}

test_refuses_what_cannot_be_read if {
	count(found("aws:iam/rolePolicy:RolePolicy", {"policy": "[secret]"})) == 1
	count(found("aws:iam/rolePolicy:RolePolicy", {"policy": "Statement"})) == 1
}

test_refuses_a_pipelines_policy_that_is_not_known if {
	{f.severity | some f in found("aws:iam/rolePolicy:RolePolicy", {"policy": "[unknown]"})} == {"error"}
}

test_warns_who_provisions_of_a_policy_that_is_not_known if {
	unknown := lib_test.given("main", [lib_test.resource("aws:iam/rolePolicy:RolePolicy", "software", {"policy": "[unknown]"})])
	warned := findings with input as object.union(unknown, {"pipeline": false})
	{f.severity | some f in warned} == {"warning"}
}
