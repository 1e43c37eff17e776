package policy.pinned_template_test

import data.lib_test
import data.policy.pinned_template.findings

found(after) := result if {
	result := findings with input as lib_test.given("main", [lib_test.resource("aws:autoscaling/group:Group", "app", after)])
}

mixed(version) := {"mixedInstancesPolicy": {"launchTemplate": {
	"launchTemplateSpecification": {"version": version},
	"overrides": [{"launchTemplateSpecification": {"version": version}}, {"instanceType": "t3.large"}],
}}}

test_accepts_a_number if {
	count(found({"launchTemplate": {"version": "12"}})) == 0
	count(found({"launchTemplate": {"version": 12}})) == 0
	count(found(mixed("3"))) == 0
}

test_accepts_a_number_that_the_update_gives if count(found({"launchTemplate": {"version": "[unknown]"}})) == 0

test_refuses_what_moves if {
	{f.message | some f in found({"launchTemplate": {"version": "$Latest"}})} == {"launchTemplate.version is $Latest; expected a number"}
	count(found({"launchTemplate": {"version": "$Default"}})) == 1
	count(found(mixed("$Latest"))) == 2
}

test_refuses_no_version if {
	count(found({"launchTemplate": {"id": "lt-1"}})) == 1
	count(found({"launchTemplate": "[unknown]"})) == 1
}
