package policy.pinned_template

import data.lib

rule := {
	"id": "pinned-template",
	"title": "An Auto Scaling group runs one version of its launch template, by number",
	"severity": "error",
	"why": "With $Latest or $Default a new release starts no instance refresh (pulumi/pulumi#7551), and a later launch runs what nobody reviewed.",
	"fix": "Set the version to the launch template's latestVersion output.",
}

# Where a group names a version.
paths := [
	["launchTemplate"],
	["mixedInstancesPolicy", "launchTemplate", "launchTemplateSpecification"],
]

# A version that is known only after the update is that of a template which the update makes or changes: a number.
findings contains lib.finding(r, message) if {
	some r in lib.made({"aws:autoscaling/group:Group"})
	some path in paths
	not lib.absent(r.after, path)
	version := object.get(r.after, array.concat(path, ["version"]), "")
	not pinned(version)
	message := sprintf("%s.version is %s; expected a number", [concat(".", path), lib.shown(r.after, array.concat(path, ["version"]))])
}

findings contains lib.finding(r, message) if {
	some r in lib.made({"aws:autoscaling/group:Group"})
	some i, override in lib.list(r.after, ["mixedInstancesPolicy", "launchTemplate", "overrides"])
	specification := override.launchTemplateSpecification
	not pinned(lib.get(specification, "version", ""))
	message := sprintf("mixedInstancesPolicy.launchTemplate.overrides[%d] has version %s; expected a number", [i, lib.shown(specification, ["version"])])
}

pinned(version) if version == lib.unknown

pinned(version) if regex.match(`^[0-9]+$`, sprintf("%v", [version]))
