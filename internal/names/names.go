// Package names makes the physical names of cloud resources: pure functions, the same parts always give the same name.
package names

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The longest names that the services allow, in characters (from each service's API reference).
const (
	MaxBucket       = 63
	MaxRole         = 64
	MaxLoadBalancer = 32
	MaxDefault      = 100
)

// Join puts the parts together with hyphens. A result longer than max characters is cut and ends with a hash of the whole,
// so that two long names that differ only at their ends stay different.
func Join(max int, parts ...string) string {
	name := strings.Join(parts, "-")
	if len(name) <= max {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.TrimRight(name[:max-9], "-") + "-" + hex.EncodeToString(sum[:4])
}

// Tags are the tags by which an environment's things are told from others'. Policies refer to them.
func Tags(product, environment string) map[string]string {
	return map[string]string{"product": product, "environment": environment}
}

// AllTags are the tags that everything of an environment's bears: Tags, and managed-by, which tells people what made it.
func AllTags(product, environment string) map[string]string {
	tags := Tags(product, environment)
	tags["managed-by"] = "ha-devops"
	return tags
}
