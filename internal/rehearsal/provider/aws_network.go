package provider

// network is what EC2 calls a VPC, and launch templates.
func (a AWS) network() map[string]spec {
	return map[string]spec{
		"aws:ec2/vpc:Vpc": ec2("vpc", "vpc", spec{
			out: o{
				"defaultNetworkAclId": "acl-{hex17}", "defaultRouteTableId": "{mainRouteTableId}",
				"defaultSecurityGroupId": "sg-{hex17}", "dhcpOptionsId": "dopt-{hex17}", "ipv6AssociationId": "",
				"mainRouteTableId": "rtb-{hex17}",
			},
			replace: "cidrBlock ipv4IpamPoolId ipv4NetmaskLength", effect: a.Network,
		}),
		"aws:ec2/subnet:Subnet": ec2("subnet", "subnet", spec{
			out:      o{"ipv6CidrBlockAssociationId": "", "availabilityZone": "{region}a", "availabilityZoneId": "az1"},
			required: "vpcId", replace: "vpcId cidrBlock availabilityZone availabilityZoneId ipv6Native outpostArn",
		}),
		"aws:ec2/internetGateway:InternetGateway": ec2("igw", "internet-gateway", spec{}),
		"aws:ec2/natGateway:NatGateway": {
			id: "nat-{hex17}", tagged: true, required: "subnetId", replace: "subnetId allocationId connectivityType privateIp",
			out: o{
				"associationId": "eipassoc-{hex17}", "networkInterfaceId": "eni-{hex17}", "publicIp": "203.0.113.10",
				"privateIp": "10.0.0.10",
			},
		},
		"aws:ec2/eip:Eip": {
			id: "{allocationId}", arn: "arn:aws:ec2:{region}:{account}:elastic-ip/{allocationId}", tagged: true,
			out: o{
				"allocationId": "eipalloc-{hex17}", "associationId": "", "carrierIp": "", "customerOwnedIp": "", "domain": "vpc",
				"privateDns": "", "privateIp": "", "ptrRecord": "", "publicDns": "ec2-203-0-113-10.{region}.compute.amazonaws.com",
				"publicIp": "203.0.113.10",
			},
			replace: "domain address publicIpv4Pool networkBorderGroup", effect: a.Address,
		},
		"aws:ec2/routeTable:RouteTable": ec2("rtb", "route-table", spec{required: "vpcId", replace: "vpcId"}),
		"aws:ec2/route:Route": {
			id:  "r-{routeTableId}{hex10}",
			out: o{"instanceId": "", "instanceOwnerId": "", "origin": "CreateRoute", "state": "active"}, required: "routeTableId",
			replace: "routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
		},
		"aws:ec2/routeTableAssociation:RouteTableAssociation": {
			id: "rtbassoc-{hex17}", required: "routeTableId", replace: "subnetId gatewayId",
		},
		"aws:ec2/networkAcl:NetworkAcl": ec2("acl", "network-acl", spec{required: "vpcId", replace: "vpcId"}),
		"aws:ec2/securityGroup:SecurityGroup": ec2("sg", "security-group", spec{
			name: "name", max: 255, replace: "description vpcId",
		}),
		"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ec2("sg", "security-group", spec{
			out:     o{"name": "default", "namePrefix": "", "description": "default VPC security group"},
			replace: "vpcId",
		}),
		"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": groupRule(),
		"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   groupRule(),
		"aws:ec2/vpcEndpoint:VpcEndpoint": ec2("vpce", "vpc-endpoint", spec{
			out: o{
				"cidrBlocks": []any{}, "networkInterfaceIds": []any{"eni-0123456789abcdef0"}, "prefixListId": "pl-{hex8}",
				"dnsEntries":       []any{map[string]any{"dnsName": "vpce.amazonaws.com", "hostedZoneId": "Z2AAQCEXAMPLE"}},
				"requesterManaged": false, "state": "available",
			},
			required: "vpcId", replace: "vpcId serviceName vpcEndpointType serviceRegion",
		}),
		"aws:ec2/flowLog:FlowLog": ec2("fl", "vpc-flow-log", spec{
			replace: "eniId iamRoleArn logDestination logDestinationType logFormat maxAggregationInterval subnetId trafficType vpcId",
		}),
		"aws:ec2/launchTemplate:LaunchTemplate": {
			name: "name", max: 125, id: "lt-{hex17}", arn: "arn:aws:ec2:{region}:{account}:launch-template/{id}", tagged: true,
			out: o{"defaultVersion": 1}, bumps: "latestVersion", effect: a.LaunchTemplate,
		},
	}
}

// ec2 completes the spec of a type whose IDs begin with prefix and whose ARNs name kind.
func ec2(prefix, kind string, s spec) spec {
	s.id, s.arn, s.tagged = prefix+"-{hex17}", "arn:aws:ec2:{region}:{account}:"+kind+"/{id}", true
	if s.out == nil {
		s.out = o{}
	}
	s.out["ownerId"] = "{account}"
	if kind == "vpc-flow-log" {
		delete(s.out, "ownerId")
	}
	return s
}

func groupRule() spec {
	return spec{
		id: "{securityGroupRuleId}", arn: "arn:aws:ec2:{region}:{account}:security-group-rule/{securityGroupRuleId}",
		tagged: true, out: o{"securityGroupRuleId": "sgr-{hex17}"}, required: "ipProtocol securityGroupId",
		replace: "securityGroupId",
	}
}
