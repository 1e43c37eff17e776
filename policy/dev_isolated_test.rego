package policy.dev_isolated_test

import data.lib_test
import data.policy.dev_isolated.findings

found(environment, type, after) := result if {
	result := findings with input as lib_test.given(environment, [lib_test.resource(type, "app", after)])
}

dev(type, after) := found("dev", type, after)

test_accepts_an_isolated_network if {
	count(dev("aws:ec2/subnet:Subnet", {"mapPublicIpOnLaunch": false})) == 0
	count(dev("aws:ec2/subnet:Subnet", {})) == 0
	count(dev("aws:ec2/routeTable:RouteTable", {})) == 0
	count(dev("aws:ec2/vpcEndpoint:VpcEndpoint", {})) == 0
	count(dev("aws:lb/loadBalancer:LoadBalancer", {"internal": true})) == 0
	count(dev("aws:ec2/launchTemplate:LaunchTemplate", {"networkInterfaces": [{"associatePublicIpAddress": "false"}]})) == 0
}

test_accepts_ways_out_elsewhere if {
	count(found("qa", "aws:ec2/natGateway:NatGateway", {})) == 0
	count(found("main", "aws:lb/loadBalancer:LoadBalancer", {"internal": false})) == 0
}

test_accepts_that_a_way_out_goes if {
	gone := object.remove(lib_test.altered("aws:ec2/natGateway:NatGateway", "app", {"op": "delete"}), ["after"])
	count(findings) == 0 with input as lib_test.given("dev", [gone])
}

test_refuses_gateways if {
	every type in [
		"aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip",
		"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
		"aws:ec2transitgateway/vpcAttachment:VpcAttachment",
	] {
		{f.message | some f in dev(type, {})} == {sprintf("%s is a way out", [type])}
	}
}

test_refuses_routes_out if {
	count(dev("aws:ec2/route:Route", {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "[unknown]"})) == 1
	count(dev("aws:ec2/routeTable:RouteTable", {"routes": [{"cidrBlock": "0.0.0.0/0"}]})) == 1
	count(dev("aws:ec2/routeTable:RouteTable", {"routes": "[unknown]"})) == 1
}

test_refuses_public_addresses if {
	count(dev("aws:ec2/subnet:Subnet", {"mapPublicIpOnLaunch": true})) == 1
	count(dev("aws:ec2/subnet:Subnet", {"mapPublicIpOnLaunch": "[unknown]"})) == 1
	count(dev("aws:ec2/instance:Instance", {"associatePublicIpAddress": true})) == 1
	count(dev("aws:ec2/launchTemplate:LaunchTemplate", {"networkInterfaces": [{"associatePublicIpAddress": "true"}]})) == 1
	count(dev("aws:ec2/launchTemplate:LaunchTemplate", {"networkInterfaces": "[unknown]"})) == 1
}

test_refuses_a_load_balancer_that_faces_the_internet if {
	count(dev("aws:lb/loadBalancer:LoadBalancer", {"internal": false})) == 1
	count(dev("aws:lb/loadBalancer:LoadBalancer", {})) == 1
	count(dev("aws:alb/loadBalancer:LoadBalancer", {"internal": "[unknown]"})) == 1
}
