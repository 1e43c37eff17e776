package environments

import "github.com/tekpossible/ha-devops/components"

// production is the branch main: the public reaches it, over three availability zones, so that two remain when one is lost.
var production = Profile{
	Environment:      "main",
	Upstream:         "qa",
	Mirror:           "qa",
	Zones:            3,
	Exposure:         components.Public,
	CapacityPercent:  100,
	Approvals:        1,
	WebFirewall:      true,
	Protect:          true,
	LogRetentionDays: 365,
}
