package policy.dev_isolated

import data.lib

rule := {
	"id": "dev-isolated",
	"title": "The development environment has no way out, and nobody comes in from outside",
	"severity": "error",
	"why": "Unfinished software with test data must neither be reached from the internet nor reach it: what is stolen or taken over there stays there.",
	"fix": "Take the way out away again. Instances reach the services they need through VPC endpoints, and people reach them through Systems Manager.",
}

# What leads out of a VPC by being there.
ways := {
	"aws:ec2/internetGateway:InternetGateway", "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment",
	"aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/carrierGateway:CarrierGateway",
	"aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation", "aws:ec2/vpnGateway:VpnGateway", "aws:ec2/vpnConnection:VpnConnection",
	"aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
}

modules := ["aws:ec2transitgateway/", "aws:ec2clientvpn/", "aws:directconnect/", "aws:globalaccelerator/", "aws:networkmanager/"]

findings contains lib.finding(r, sprintf("%s is a way out", [r.type])) if {
	input.environment == "dev"
	some r in input.resources
	r.after
	leads_out(r.type)
}

leads_out(type) if type in ways

leads_out(type) if {
	some module in modules
	startswith(type, module)
}

gateways := {
	"gatewayId", "natGatewayId", "egressOnlyGatewayId", "carrierGatewayId", "transitGatewayId", "vpcPeeringConnectionId",
	"networkInterfaceId", "localGatewayId", "coreNetworkArn",
}

findings contains lib.finding(r, sprintf("%s is %v: a route out", [property, r.after[property]])) if {
	input.environment == "dev"
	some r in lib.made({"aws:ec2/route:Route"})
	some property in gateways
	not lib.absent(r.after, [property])
}

findings contains lib.finding(r, sprintf("routes[%d] is %v; expected no route of its own", [i, route])) if {
	input.environment == "dev"
	some r in lib.made({"aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"})
	some i, route in lib.list(r.after, ["routes"])
}

# What gives public addresses. A value that is known only after the update may turn out to be true.
addresses := {
	"aws:ec2/subnet:Subnet": "mapPublicIpOnLaunch",
	"aws:ec2/instance:Instance": "associatePublicIpAddress",
	"aws:ec2/launchConfiguration:LaunchConfiguration": "associatePublicIpAddress",
}

findings contains lib.finding(r, sprintf("%s is %s; expected false", [property, lib.shown(r.after, [property])])) if {
	input.environment == "dev"
	some r in lib.made(object.keys(addresses))
	property := addresses[r.type]
	not lib.is_false(r.after, [property])
}

findings contains lib.finding(r, sprintf("networkInterfaces[%d].associatePublicIpAddress is not false: %v", [i, entry])) if {
	input.environment == "dev"
	some r in lib.made({"aws:ec2/launchTemplate:LaunchTemplate"})
	some i, entry in lib.list(r.after, ["networkInterfaces"])
	not private(entry)
}

private(entry) if {
	is_object(entry)
	lib.is_false(entry, ["associatePublicIpAddress"])
}

findings contains lib.finding(r, sprintf("internal is %s; expected true", [lib.shown(r.after, ["internal"])])) if {
	input.environment == "dev"
	some r in lib.made(lib.load_balancers)
	not lib.is_true(r.after, ["internal"])
}
