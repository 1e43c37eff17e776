package policy.production_zones_test

import data.lib_test
import data.policy.production_zones.findings

subnet(name, zone) := lib_test.resource("aws:ec2/subnet:Subnet", name, {"availabilityZone": zone})

balancer(subnets) := lib_test.altered("aws:lb/loadBalancer:LoadBalancer", "app", {"dependencies": {"subnets": subnets}})

group(subnets) := lib_test.altered("aws:autoscaling/group:Group", "app", {"dependencies": {"vpcZoneIdentifiers": subnets}})

one := lib_test.urn("aws:ec2/subnet:Subnet", "one")

two := lib_test.urn("aws:ec2/subnet:Subnet", "two")

found(environment, zones, resources) := result if {
	result := findings with input as lib_test.given(
		environment,
		array.concat([subnet("one", zones[0]), subnet("two", zones[1])], resources),
	)
}

test_accepts_two_zones if count(found("main", ["a", "b"], [balancer([one, two]), group([one, two])])) == 0

test_accepts_one_zone_elsewhere if count(found("qa", ["a", "b"], [balancer([one]), group([one])])) == 0

test_refuses_one_zone if {
	{f.message | some f in found("main", ["a", "b"], [balancer([one, two]), group([one])])} == {
		"vpcZoneIdentifiers are in 1 availability zones (a); expected two or more",
	}
	count(found("main", ["a", "a"], [balancer([one, two]), group([one, two])])) == 2
}

test_refuses_zones_that_are_not_known if {
	count(found("main", ["a", "[unknown]"], [balancer([one, two])])) == 1
	count(found("main", ["a", "b"], [balancer([])])) == 1
}

test_refuses_to_count_nothing if count(found("main", ["a", "b"], [])) == 1
