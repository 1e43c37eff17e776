package policy.production_zones

import data.lib

rule := {
	"id": "production-zones",
	"title": "Production runs in two availability zones or more",
	"severity": "error",
	"why": "Availability zones fail. What runs in one of them only fails with it.",
	"fix": "Give the Auto Scaling group and the load balancer subnets of at least two availability zones.",
}

# What must stand in several zones, and the property with its subnets.
subnets := object.union({type: "subnets" | some type in lib.load_balancers}, {"aws:autoscaling/group:Group": "vpcZoneIdentifiers"})

# The zones of a resource's subnets, as the subnets' own inputs have them: they are known before the subnets are there. A zone that is not
# known is none.
zones(r) := {zone |
	some subnet in lib.made({"aws:ec2/subnet:Subnet"})
	subnet.urn in lib.depends(r, subnets[r.type])
	zone := subnet.after.availabilityZone
	is_string(zone)
	not zone in {"", lib.unknown, lib.secret}
}

findings contains lib.finding(r, message) if {
	input.environment == "main"
	some r in lib.made(object.keys(subnets))
	found := zones(r)
	count(found) < 2
	message := sprintf("%s are in %d availability zones (%s); expected two or more", [subnets[r.type], count(found), concat(", ", found)])
}

findings contains {"message": "production has no load balancer whose availability zones could be counted"} if {
	input.environment == "main"
	count(lib.made(lib.load_balancers)) == 0
}
