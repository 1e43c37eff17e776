package policy.open_ingress

import data.lib

rule := {
	"id": "open-ingress",
	"title": "Nobody lets in everybody, except production's load balancer on its listeners' ports",
	"severity": "error",
	"why": "Whatever is open to 0.0.0.0/0 or ::/0 is found and tried within minutes. Production's listeners are meant to be; nothing else is.",
	"fix": "Name the networks that may come in (ha-devops:reach of the stack), or let in the load balancer's security group.",
}

findings contains lib.finding(r, message) if {
	some r in lib.made({"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"})
	some property in ["cidrIpv4", "cidrIpv6"]
	not lib.absent(r.after, [property])
	cidr := r.after[property]
	lib.everybody(cidr)
	not listeners_port(r)
	message := sprintf("%s %v may come in on %s", [property, cidr, ports(r.after)])
}

findings contains lib.finding(r, message) if {
	some r in lib.made({"aws:ec2/securityGroupRule:SecurityGroupRule"})
	object.get(r.after, "type", "") != "egress"
	some property in ["cidrBlocks", "ipv6CidrBlocks"]
	some cidr in lib.list(r.after, [property])
	lib.everybody(cidr)
	message := sprintf("%s %v may come in on %s", [property, cidr, ports(r.after)])
}

groups := {"aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"}

# Rules within a group.
findings contains lib.finding(r, message) if {
	some r in lib.made(groups)
	some i, entry in lib.list(r.after, ["ingress"])
	is_object(entry)
	some property in ["cidrBlocks", "ipv6CidrBlocks"]
	some cidr in lib.list(entry, [property])
	lib.everybody(cidr)
	message := sprintf("ingress[%d].%s %v may come in on %s", [i, property, cidr, ports(entry)])
}

findings contains lib.finding(r, message) if {
	some r in lib.made(groups)
	some entry in lib.list(r.after, ["ingress"])
	not is_object(entry)
	message := sprintf("ingress is %v: who may come in must be known before the update", [entry])
}

# The rule lets in to the load balancer, on one port on which it listens. The plan knows which group the rule is for before there is one.
listeners_port(r) if {
	input.environment == "main"
	r.after.ipProtocol == "tcp"
	r.after.fromPort == r.after.toPort
	some listener in lib.made(lib.listeners)
	listener.after.port == r.after.fromPort
	some balancer in lib.made(lib.load_balancers)
	some group in lib.depends(balancer, "securityGroups")
	group in lib.depends(r, "securityGroupId")
}

ports(entry) := sprintf("ports %s to %s (%v)", [lib.shown(entry, ["fromPort"]), lib.shown(entry, ["toPort"]), protocol(entry)])

protocol(entry) := object.get(entry, "ipProtocol", lib.shown(entry, ["protocol"]))
