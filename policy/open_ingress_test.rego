package policy.open_ingress_test

import data.lib_test
import data.policy.open_ingress.findings

balancer := lib_test.altered("aws:lb/loadBalancer:LoadBalancer", "app", {"dependencies": {"securityGroups": ["urn:balancer"]}})

listener := lib_test.resource("aws:lb/listener:Listener", "app", {"port": 443, "protocol": "HTTPS"})

# A rule of the load balancer's group.
rule(group, after) := object.union(
	lib_test.resource(
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "app-from",
		object.union({"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}, after),
	),
	{"dependencies": {"securityGroupId": [group]}},
)

found(environment, one) := result if {
	result := findings with input as lib_test.given(environment, [balancer, listener, one])
}

inline(ingress) := lib_test.resource("aws:ec2/securityGroup:SecurityGroup", "app-endpoints", {"ingress": ingress})

test_accepts_productions_listener if count(found("main", rule("urn:balancer", {}))) == 0

test_accepts_named_networks if {
	count(found("qa", rule("urn:balancer", {"cidrIpv4": "203.0.113.0/24"}))) == 0
	count(found("dev", inline([{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.10.0.0/16"]}]))) == 0
}

test_accepts_what_leads_out if {
	one := lib_test.resource("aws:ec2/securityGroupRule:SecurityGroupRule", "out", {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]})
	count(found("dev", one)) == 0
}

test_refuses_everybody_elsewhere if {
	{f.message | some f in found("qa", rule("urn:balancer", {}))} == {"cidrIpv4 0.0.0.0/0 may come in on ports 443 to 443 (tcp)"}
	count(found("dev", rule("urn:balancer", {}))) == 1
	count(found("main", rule("urn:app", {}))) == 1
}

test_refuses_other_ports_of_production if {
	count(found("main", rule("urn:balancer", {"fromPort": 22, "toPort": 22}))) == 1
	count(found("main", rule("urn:balancer", {"fromPort": 443, "toPort": 444}))) == 1
	count(found("main", rule("urn:balancer", {"ipProtocol": "-1"}))) == 1
	count(found("main", rule("urn:balancer", {"fromPort": "[unknown]", "toPort": "[unknown]"}))) == 1
}

test_refuses_ipv6_and_halves_of_the_internet if {
	count(found("qa", rule("urn:balancer", {"cidrIpv4": "10.0.0.0/16", "cidrIpv6": "::/0"}))) == 1
	count(found("qa", rule("urn:balancer", {"cidrIpv4": "128.0.0.0/1"}))) == 1
}

test_refuses_a_network_that_is_not_known if count(found("qa", rule("urn:balancer", {"cidrIpv4": "[unknown]"}))) == 1

test_refuses_rules_within_groups if {
	count(found("main", inline([{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16", "0.0.0.0/0"]}]))) == 1
	count(found("main", inline([{"protocol": "-1", "ipv6CidrBlocks": ["::/0"]}]))) == 1
	count(found("main", inline("[unknown]"))) == 1
}

test_refuses_rules_of_the_older_type if {
	one := lib_test.resource("aws:ec2/securityGroupRule:SecurityGroupRule", "in", {"type": "ingress", "cidrBlocks": ["0.0.0.0/0"]})
	count(found("main", one)) == 1
}
