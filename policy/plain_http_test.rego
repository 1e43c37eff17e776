package policy.plain_http_test

import data.lib_test
import data.policy.plain_http.findings

found(environment, after) := result if {
	result := findings with input as lib_test.given(environment, [lib_test.resource("aws:lb/listener:Listener", "app", after)])
}

forward := [{"type": "forward"}]

test_accepts_current_tls if {
	count(found("main", {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "defaultActions": forward})) == 0
}

test_accepts_a_redirect if count(found("main", {"protocol": "HTTP", "defaultActions": [{"type": "redirect"}]})) == 0

test_accepts_http_in_dev if count(found("dev", {"protocol": "HTTP", "defaultActions": forward})) == 0

test_refuses_http_outside if {
	{f.message | some f in found("qa", {"protocol": "HTTP", "defaultActions": forward})} == {"protocol is HTTP and defaultActions[0] is no redirect"}
	count(found("main", {"defaultActions": forward})) == 1
	count(found("main", {"protocol": "[unknown]", "defaultActions": "[unknown]"})) == 1
}

test_refuses_old_versions_of_tls if {
	every old in ["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS-1-1-2017-01", "ELBSecurityPolicy-TLS13-1-0-2021-06", "[unknown]", ""] {
		count(found("main", {"protocol": "HTTPS", "sslPolicy": old, "defaultActions": forward})) == 1
	}
	count(found("main", {"protocol": "HTTPS", "defaultActions": forward})) == 1
}
