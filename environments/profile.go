package environments

import (
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/envspec"
)

// Profile is all in which one environment differs from another by design. It is a value: the same code composes every environment.
type Profile struct {
	// Environment is the environment's name, which is also its branch and its stack.
	Environment string
	// Upstream is the environment that releases are promoted from, empty for the first.
	Upstream string
	// Mirror is the environment that this one must equal in all but zones and release, empty for none.
	Mirror string
	// Zones is the number of availability zones. A load balancer needs two.
	Zones int
	// Exposure is who reaches the systems.
	Exposure components.Exposure
	// CapacityPercent is the share of environment.json's capacity that runs, in percent, rounded up.
	CapacityPercent int
	// Approvals is how many approving reviews a pull request into the branch needs.
	Approvals int
	// WebFirewall puts a web application firewall before the load balancer.
	WebFirewall bool
	// Protect keeps what holds data or serves people from being deleted.
	Protect bool
	// LogRetentionDays is how long logs are kept.
	LogRetentionDays int
}

// Profiles are the environments in the order of promotion.
func Profiles() []Profile { return []Profile{dev, qa, production} }

// ProfileOf returns the profile of a stack.
func ProfileOf(stack string) (Profile, error) {
	var known []string
	for _, p := range Profiles() {
		if p.Environment == stack {
			return p, nil
		}
		known = append(known, p.Environment)
	}
	return Profile{}, fmt.Errorf("stack %q is not an environment; expected one of %s", stack, strings.Join(known, ", "))
}

// capacity is how many instances run in the environment.
func (p Profile) capacity(shape envspec.Capacity) envspec.Capacity {
	share := func(n int) int { return (n*p.CapacityPercent + 99) / 100 }
	return envspec.Capacity{Min: share(shape.Min), Max: share(shape.Max)}
}
