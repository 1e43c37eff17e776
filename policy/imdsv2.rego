package policy.imdsv2

import data.lib

rule := {
	"id": "imdsv2",
	"title": "Instances give their credentials only to requests with a session token",
	"severity": "error",
	"why": "With version 1 of the instance metadata service, one request that software can be talked into hands out the role's credentials.",
	"fix": "Set metadataOptions.httpTokens (instanceMetadataOptions.httpTokens for Image Builder) to \"required\".",
}

# Where instances' options are said. One whose value is known only after the update may turn out to be "optional".
options := {
	"aws:ec2/launchTemplate:LaunchTemplate": "metadataOptions",
	"aws:ec2/launchConfiguration:LaunchConfiguration": "metadataOptions",
	"aws:ec2/instance:Instance": "metadataOptions",
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest": "metadataOptions",
	"aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration": "instanceMetadataOptions",
}

findings contains lib.finding(r, message) if {
	some r in lib.made(object.keys(options))
	property := options[r.type]
	object.get(r.after, [property, "httpTokens"], "") != "required"
	object.get(r.after, [property, "httpEndpoint"], "enabled") != "disabled"
	message := sprintf("%s.httpTokens is %s; expected required", [property, lib.shown(r.after, [property, "httpTokens"])])
}
