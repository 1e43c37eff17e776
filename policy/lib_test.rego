# The inputs of the rules' tests, and tests of what rules share.
package lib_test

import data.lib

urn(type, name) := sprintf("urn:pulumi:main::ha-devops::ha-devops:index:AppEnvironment$%s::%s", [type, name])

# A resource of the component app that stays as it is.
resource(type, name, after) := {
	"urn": urn(type, name), "type": type, "op": "same", "protected": false, "changes": [], "dependencies": {},
	"component": {"name": "app", "type": "ha-devops:index:AppEnvironment"},
	"after": after,
}

# The same with other fields.
altered(type, name, fields) := object.union(resource(type, name, {}), fields)

# What is found in an environment's resources, by a pipeline.
given(environment, resources) := {"environment": environment, "pipeline": true, "promotion": "in-sync", "resources": resources}

policy(statements) := json.marshal({"Version": "2012-10-17", "Statement": statements})

test_everybody_is_any_network_that_is_too_large if {
	every cidr in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "[unknown]", "[secret]", "", "10.0.0.0"] {
		lib.everybody(cidr)
	}
	every cidr in ["10.0.0.0/8", "203.0.113.0/24", "2001:db8::/32", "192.0.2.7/32"] {
		not lib.everybody(cidr)
	}
}

test_list_of_what_is_there if {
	lib.list({}, ["a"]) == []
	lib.list({"a": [1]}, ["a"]) == [1]
	lib.list({"a": "[unknown]"}, ["a"]) == ["[unknown]"]
	lib.list({"a": {"b": [2]}}, ["a", "b"]) == [2]
}

test_statements_may_be_one_or_many if {
	count(lib.statements(`{"Statement":{"Effect":"Deny"}}`)) == 1
	count(lib.statements(`{"Statement":[{"Effect":"Deny"},{"Effect":"Allow"}]}`)) == 2
	lib.statements("[unknown]") == []
}

test_load_balancers_have_several_names if {
	"aws:lb/loadBalancer:LoadBalancer" in lib.load_balancers
	"aws:alb/loadBalancer:LoadBalancer" in lib.load_balancers
}
