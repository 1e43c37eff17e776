package policy.guard_removed

import data.lib

rule := {
	"id": "guard-removed",
	"title": "Nothing that guards or watches an environment is taken away",
	"severity": "error",
	"why": "Without its alarms, logs, firewalls and locks an environment works as before, until something goes wrong and nobody is told.",
	"fix": "Keep the resource. If it is no longer needed, have an owner sign an exception that says why.",
}

guards := {
	"aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy", "aws:ec2/flowLog:FlowLog",
	"aws:wafv2/webAcl:WebAcl", "aws:wafv2/webAclAssociation:WebAclAssociation", "aws:s3/bucketPolicy:BucketPolicy",
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketVersioningV2:BucketVersioningV2",
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "aws:s3/bucketLoggingV2:BucketLoggingV2",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "github:index/repositoryRuleset:RepositoryRuleset",
	"aws:codestarnotifications/notificationRule:NotificationRule",
}

findings contains object.union(lib.finding(r, sprintf("delete of %s", [r.type])), {"severity": severity}) if {
	some r in input.resources
	r.op == "delete"
	r.type in guards
}

# An alarm that tells nobody.
findings contains object.union(lib.finding(r, "actionsEnabled is false"), {"severity": severity}) if {
	some r in lib.made({"aws:cloudwatch/metricAlarm:MetricAlarm"})
	object.get(r.after, "actionsEnabled", true) in {false, "false"}
}

findings contains object.union(lib.finding(r, "alarmActions is empty"), {"severity": severity}) if {
	some r in lib.made({"aws:cloudwatch/metricAlarm:MetricAlarm"})
	count(lib.list(r.after, ["alarmActions"])) == 0
}

# The team's own environment may do without.
severity := "warning" if input.environment == "dev"

else := "error"
