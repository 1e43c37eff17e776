package environments

import "github.com/tekpossible/ha-devops/components"

// qa mirrors production in everything but the number of availability zones and the release it runs, and only testers reach it.
var qa = Profile{
	Environment:      "qa",
	Upstream:         "dev",
	Mirror:           "main",
	Zones:            2,
	Exposure:         components.Testers,
	CapacityPercent:  100,
	Approvals:        1,
	WebFirewall:      true,
	Protect:          true,
	LogRetentionDays: 365,
}
