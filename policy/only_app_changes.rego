package policy.only_app_changes

import data.lib

rule := {
	"id": "only-app-changes",
	"title": "A pipeline changes nothing outside of the application's environment",
	"severity": "error",
	"why": "A release needs new instances and no other pipelines, roles, keys, branches or rulesets. What changes those would change the gate that the release goes through.",
	"fix": "Let the platform team run pulumi up for this stack with the configuration and the version of this program that the pipeline runs; then start the pipeline again.",
}

app := {"name": "app", "type": "ha-devops:index:AppEnvironment"}

# Each run has credentials of its own.
credentials := {"accessKey", "secretKey", "token"}

findings contains lib.finding(r, message) if {
	input.pipeline
	some r in input.resources
	not r.op in {"same", "read"}
	r.component != app
	not r.type in {"pulumi:pulumi:Stack", "pulumi:pulumi:StackReference"}
	not only_credentials(r)
	message := sprintf("%s outside of the component app%s", [r.op, properties(r)])
}

only_credentials(r) if {
	startswith(r.type, "pulumi:providers:")
	r.op == "update"
	paths := {change.path | some change in r.changes}
	count(paths) > 0
	count(paths - credentials) == 0
}

properties(r) := sprintf(": %s", [concat(", ", shown)]) if {
	shown := [sprintf("%s (now %s)", [change.path, lib.shown(change, ["after"])]) | some change in object.get(r, "changes", [])]
	count(shown) > 0
} else := ""
