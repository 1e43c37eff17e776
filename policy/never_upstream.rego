package policy.never_upstream

rule := {
	"id": "never-upstream",
	"title": "A release has run upstream",
	"severity": "warning",
	"why": "What the environment upstream never ran, nobody has tried. A hotfix may skip it; a release should not.",
	"fix": "Promote the release from the environment upstream. If it is a hotfix, approve it knowingly, and merge it upstream afterwards.",
}

# A warning and no error: a hotfix goes into production first when nothing else helps, and its approver is the one who answers for it.
findings contains {"message": message} if {
	input.promotion == "never-upstream"
	message := sprintf("promotion is %s: the environment that %s is promoted from never ran this release", [input.promotion, input.environment])
}
