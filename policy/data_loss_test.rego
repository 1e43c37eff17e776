package policy.data_loss_test

import data.lib_test
import data.policy.data_loss.findings
import data.policy.data_loss.rule

found(type, fields) := result if {
	result := findings with input as lib_test.given("main", [lib_test.altered(type, "app", fields)])
}

severities(found) := {object.get(f, "severity", rule.severity) | some f in found}

test_accepts_changes_in_place if {
	every op in ["same", "create", "update"] {
		count(found("aws:kms/key:Key", {"op": op})) == 0
		count(found("aws:autoscaling/group:Group", {"op": op, "protected": true})) == 0
	}
}

test_accepts_the_end_of_what_keeps_and_serves_nothing if {
	count(found("aws:imagebuilder/component:Component", {"op": "replace"})) == 0
	count(found("aws:autoscaling/policy:Policy", {"op": "delete"})) == 0
}

test_refuses_the_end_of_what_keeps_data if {
	every type in [
		"aws:s3/bucketV2:BucketV2", "aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup", "aws:rds/instance:Instance", "aws:ebs/volume:Volume",
		"aws:efs/fileSystem:FileSystem", "aws:secretsmanager/secret:Secret", "aws:ssm/parameter:Parameter", "aws:lb/loadBalancer:LoadBalancer",
		"aws:ec2/vpc:Vpc", "github:index/repository:Repository",
	] {
		severities(found(type, {"op": "delete"})) == {"error"}
		severities(found(type, {"op": "replace", "protected": true})) == {"error"}
	}
}

test_refuses_the_end_of_what_is_protected if severities(found("aws:autoscaling/group:Group", {"op": "replace", "protected": true})) == {"error"}

test_refuses_and_says_because_of_what if {
	changes := [{"path": "cidrBlock", "replaces": true, "before": "10.0.0.0/16", "after": "10.1.0.0/16"}, {"path": "tags", "replaces": false}]
	{f.message | some f in found("aws:ec2/vpc:Vpc", {"op": "replace", "changes": changes})} == {
		"replace of a resource that keeps data: cidrBlock (10.0.0.0/16, now 10.1.0.0/16)",
	}
}

test_warns_of_the_end_of_what_serves if {
	severities(found("aws:lb/targetGroup:TargetGroup", {"op": "replace"})) == {"warning"}
	severities(found("aws:autoscaling/group:Group", {"op": "delete"})) == {"warning"}
}
