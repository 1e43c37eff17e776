package policy.only_app_changes_test

import data.lib_test
import data.policy.only_app_changes.findings

outside(fields) := [object.union(
	{
		"urn": "urn:pulumi:main::ha-devops::ha-devops:index:BranchPipeline$aws:iam/role:Role::software", "type": "aws:iam/role:Role", "op": "update",
		"component": {"name": "software", "type": "ha-devops:index:BranchPipeline"}, "changes": [],
	},
	fields,
)]

provider(changes) := outside({
	"type": "pulumi:providers:github", "component": {"name": "github", "type": "pulumi:providers:github"},
	"changes": changes,
})

test_accepts_changes_of_the_app if {
	count(findings) == 0 with input as lib_test.given("main", [lib_test.altered("aws:ec2/launchTemplate:LaunchTemplate", "app", {"op": "update"})])
}

test_accepts_what_stays_or_is_read if {
	every op in ["same", "read"] {
		count(findings) == 0 with input as lib_test.given("main", outside({"op": op}))
	}
}

test_accepts_the_stack_itself if {
	count(findings) == 0 with input as lib_test.given("main", outside({"type": "pulumi:pulumi:Stack"}))
}

test_accepts_new_credentials_of_a_provider if {
	count(findings) == 0 with input as lib_test.given("main", provider([{"path": "token", "before": "[secret]"}]))
}

test_accepts_everything_from_the_platform_team if {
	count(findings) == 0 with input as object.union(lib_test.given("main", outside({"op": "delete"})), {"pipeline": false})
}

test_refuses_changes_elsewhere if {
	every op in ["create", "update", "replace", "delete"] {
		count(findings) == 1 with input as lib_test.given("main", outside({"op": op}))
	}
}

test_refuses_a_namesake_of_the_app if {
	count(findings) == 1 with input as lib_test.given("main", outside({"component": {"name": "app", "type": "ha-devops:index:Repo"}}))
	count(findings) == 1 with input as lib_test.given("main", outside({"component": {"name": "other", "type": "ha-devops:index:AppEnvironment"}}))
}

test_refuses_another_provider if {
	found := findings with input as lib_test.given("main", provider([{"path": "version", "before": "6.7.1", "after": "6.7.2"}]))
	{f.message | some f in found} == {"update outside of the component app: version (now 6.7.2)"}
	count(findings) == 1 with input as lib_test.given("main", provider([]))
	count(findings) == 1 with input as lib_test.given("main", provider([{"path": "token"}, {"path": "baseUrl"}]))
}
