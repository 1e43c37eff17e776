package policy.wildcard_action

import data.lib

rule := {
	"id": "wildcard-action",
	"title": "No policy allows everything",
	"severity": "error",
	"why": "Who holds a role that may do everything, to a service or to all, can change every gate and read every secret of the account.",
	"fix": "Name the actions that are used and the resources that they are used on.",
}

# Policies of roles, users and groups.
identities := {
	"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy",
	"aws:iam/role:Role",
}

# Policies of what is acted upon. There, "kms:*" on "*" is every action on this key.
resources := {
	"aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy", "aws:s3/bucketPolicy:BucketPolicy", "aws:sns/topicPolicy:TopicPolicy",
	"aws:sqs/queuePolicy:QueuePolicy", "aws:sqs/queue:Queue", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:secretsmanager/secretPolicy:SecretPolicy",
}

documents(r) := array.concat(
	[r.after.policy | not lib.absent(r.after, ["policy"])],
	[lib.get(entry, "policy", lib.unknown) | some entry in lib.list(r.after, ["inlinePolicies"])],
)

findings contains lib.finding(r, message) if {
	some r in lib.made(identities | resources)
	some text in documents(r)
	some s in lib.statements(text)
	s.Effect == "Allow"
	some action in lib.flat(object.get(s, "Action", []))
	regex.match(`^\*+(:\*+)?$`, sprintf("%v", [action]))
	message := sprintf("policy%s allows Action %v on %v", [sid(s), action, object.get(s, "Resource", "this resource")])
}

findings contains lib.finding(r, message) if {
	some r in lib.made(identities)
	some text in documents(r)
	some s in lib.statements(text)
	s.Effect == "Allow"
	some action in lib.flat(object.get(s, "Action", []))
	regex.match(`^[^*]+:\*+$`, sprintf("%v", [action]))
	any_resource(s)
	message := sprintf("policy%s allows Action %v on Resource *", [sid(s), action])
}

any_resource(s) if "*" in lib.flat(object.get(s, "Resource", []))

any_resource(s) if s.NotResource

findings contains lib.finding(r, message) if {
	some r in lib.made(identities | resources)
	some text in documents(r)
	some s in lib.statements(text)
	s.Effect == "Allow"
	s.NotAction
	message := sprintf("policy%s allows all but NotAction %v", [sid(s), s.NotAction])
}

findings contains lib.finding(r, message) if {
	some r in lib.made(identities | resources)
	some text in documents(r)
	not text == lib.unknown
	not lib.is_document(text)
	message := sprintf("policy cannot be read: %v", [text])
}

# A policy that names what does not exist yet. Whoever provisions sees a warning, and the preview after the update reads the policy. A
# pipeline makes nothing of the kind.
findings contains object.union(lib.finding(r, "policy is known only after the update"), {"severity": severity}) if {
	some r in lib.made(identities | resources)
	lib.unknown in documents(r)
	severity := {true: "error", false: "warning"}[input.pipeline]
}

attachments := {
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/userPolicyAttachment:UserPolicyAttachment",
	"aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "aws:iam/policyAttachment:PolicyAttachment",
}

findings contains lib.finding(r, sprintf("policyArn is %v", [r.after.policyArn])) if {
	some r in lib.made(attachments)
	everything(r.after.policyArn)
}

findings contains lib.finding(r, sprintf("managedPolicyArns has %v", [arn])) if {
	some r in lib.made({"aws:iam/role:Role"})
	some arn in lib.list(r.after, ["managedPolicyArns"])
	everything(arn)
}

everything(arn) if regex.match(`:policy/(.*/)?(AdministratorAccess.*|PowerUserAccess|[A-Za-z0-9_-]*FullAccess.*)$`, sprintf("%v", [arn]))

sid(s) := sprintf(" statement %s", [s.Sid]) if s.Sid

else := ""
