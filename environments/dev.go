package environments

import "github.com/tekpossible/ha-devops/components"

// dev is for the development team only: no way in from outside, no way out. It is the first of the chain and owns the repositories.
var dev = Profile{
	Environment:      "dev",
	Zones:            2,
	Exposure:         components.Team,
	CapacityPercent:  50,
	Approvals:        1,
	LogRetentionDays: 30,
}
