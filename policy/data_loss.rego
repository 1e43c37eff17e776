package policy.data_loss

import data.lib

rule := {
	"id": "data-loss",
	"title": "Nothing that keeps data is deleted or replaced",
	"severity": "error",
	"why": "A replacement is a deletion: what was stored in the resource, encrypted with it or reached under its address is gone, and no rollback brings it back.",
	"fix": "Keep the resource (find the changed property that replaces it, or use an alias for a new name). If it must go, save the data and have an owner sign an exception.",
}

# What keeps data, or what everything else stands in. Of the modules, rather a type too many is named than one too few.
data_bearing := (lib.buckets | lib.load_balancers) | {
	"aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup", "aws:ssm/parameter:Parameter", "aws:ebs/volume:Volume", "aws:ebs/snapshot:Snapshot",
	"aws:sqs/queue:Queue", "aws:ec2/vpc:Vpc", "aws:ec2/instance:Instance", "aws:ecr/repository:Repository", "aws:kinesis/stream:Stream",
	"aws:opensearch/domain:Domain", "aws:cognito/userPool:UserPool", "github:index/repository:Repository",
}

modules := [
	"aws:rds/", "aws:dynamodb/", "aws:efs/", "aws:fsx/", "aws:secretsmanager/", "aws:backup/", "aws:elasticache/", "aws:memorydb/", "aws:docdb/",
	"aws:neptune/", "aws:redshift/", "aws:timestreamwrite/",
]

keeps_data(type) if type in data_bearing

keeps_data(type) if {
	some module in modules
	startswith(type, module)
}

gone(r) if r.op in {"delete", "replace"}

findings contains lib.finding(r, sprintf("%s of a resource that keeps data%s", [r.op, because(r)])) if {
	some r in input.resources
	gone(r)
	keeps_data(r.type)
}

findings contains lib.finding(r, sprintf("%s of a protected resource%s", [r.op, because(r)])) if {
	some r in input.resources
	gone(r)
	object.get(r, "protected", false)
	not keeps_data(r.type)
}

# What serves requests: a replacement keeps nothing and may interrupt. The approver should expect it.
serving := (lib.listeners | lib.target_groups) | {
	"aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway",
	"aws:ec2/internetGateway:InternetGateway", "aws:ec2/eip:Eip", "aws:ec2/securityGroup:SecurityGroup", "aws:acm/certificate:Certificate",
	"aws:ec2/vpcEndpoint:VpcEndpoint",
}

findings contains object.union(lib.finding(r, message), {"severity": "warning"}) if {
	some r in input.resources
	gone(r)
	r.type in serving
	not object.get(r, "protected", false)
	message := sprintf("%s of a resource that serves requests%s", [r.op, because(r)])
}

because(r) := sprintf(": %s", [concat(", ", paths)]) if {
	paths := [sprintf("%s (%s, now %s)", [c.path, lib.shown(c, ["before"]), lib.shown(c, ["after"])]) |
		some c in object.get(r, "changes", [])
		object.get(c, "replaces", false)
	]
	count(paths) > 0
} else := ""
