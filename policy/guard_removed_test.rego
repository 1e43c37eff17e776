package policy.guard_removed_test

import data.lib_test
import data.policy.guard_removed.findings

alarm := "aws:cloudwatch/metricAlarm:MetricAlarm"

found(environment, fields) := result if {
	result := findings with input as lib_test.given(environment, [lib_test.altered(alarm, "app-errors", fields)])
}

deleted(environment) := result if {
	result := findings with input as lib_test.given(
		environment,
		[object.remove(lib_test.altered(alarm, "app-errors", {"op": "delete"}), ["after"])],
	)
}

test_accepts_an_alarm_that_tells_somebody if {
	every topic in ["arn:aws:sns:eu-west-1:111122223333:alarms", "[unknown]"] {
		count(found("main", {"op": "update", "after": {"alarmActions": [topic]}})) == 0
	}
}

test_accepts_the_end_of_what_guards_nothing if {
	gone := lib_test.altered("aws:autoscaling/policy:Policy", "app-requests", {"op": "delete"})
	count(findings) == 0 with input as lib_test.given("main", [gone])
}

test_refuses_the_end_of_a_guard if {f.severity | some f in deleted("main")} == {"error"}

test_refuses_an_alarm_that_tells_nobody if {
	{f.message | some f in found("main", {"after": {"alarmActions": []}})} == {"alarmActions is empty"}
	count(found("main", {"after": {"alarmActions": ["arn"], "actionsEnabled": false}})) == 1
	count(found("main", {"after": {}})) == 1
}

test_warns_in_dev if {f.severity | some f in deleted("dev")} == {"warning"}
