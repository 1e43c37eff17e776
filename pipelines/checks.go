package pipelines

import (
	"encoding/json"
	"slices"
)

// ChecksVariable is the name of the GitHub Actions variable that holds Checks.
const ChecksVariable = "RELAY"

// ChecksEnvironment is the name of the GitHub environment in which the checks of a branch's pull requests run. It is not called as the
// environment itself: GitHub says of every job in an environment that it deployed there.
func ChecksEnvironment(branch string) string { return "checks-" + branch }

// Checks is what the checks of a repository's pull requests are told: the role that they take on, and where the tools are that the
// environment's pipelines run. The repositories' workflows read it and are the same everywhere.
type Checks struct {
	// Region is the AWS region.
	Region string `json:"region"`
	// Role is the ARN of the role that the checks take on.
	Role string `json:"role"`
	// Backend is the URL of the Pulumi backend.
	Backend string `json:"backend"`
	// Config is the name of the SSM parameter with the stack's configuration.
	Config string `json:"config"`
	// Relay is the relay binary.
	Relay Tool `json:"relay"`
	// Pulumi is the Pulumi CLI, nil where the pipelines use the build image's own.
	Pulumi *Tool `json:"pulumi,omitempty"`
	// Plugins are the Pulumi provider plugins, none where the Pulumi CLI finds them.
	Plugins []Plugin `json:"plugins,omitempty"`
}

// NewChecks fills in what an environment's checks are told.
func NewChecks(f Facts, role, backend string) Checks {
	c := Checks{Region: f.Region, Role: role, Backend: backend, Config: f.ConfigParameter(), Relay: f.Relay, Plugins: f.Plugins}
	if f.Pulumi.URI != "" {
		c.Pulumi = &f.Pulumi
	}
	return c
}

// String is the variable's value, in JSON.
func (c Checks) String() string {
	// It holds strings, which always marshal.
	text, _ := json.Marshal(c)
	return string(text)
}

// Previewed are the repositories whose pull requests are previewed; those of the others are only checked.
func Previewed() []Role { return []Role{Infrastructure, DevOps} }

// CheckGrants are what checks that preview nothing may do: fetch relay.
func CheckGrants(f Facts) []Grant { return []Grant{fetch(f.Relay)} }

// PreviewGrants are what a preview of a pull request may do. It reads what the review in the pipeline reads, except the secret with the
// token that commits past the rulesets, and it writes nothing: Pulumi previews without a lock. Everybody who may push a branch can
// have the preview run what they like.
func PreviewGrants(f Facts) []Grant {
	_, grants := pulumiTools(f)
	grants = append(grants, readSystems(), Grant{
		Actions: []string{"ssm:GetParameter"}, Resources: []string{f.ARN("ssm", "parameter"+f.ConfigParameter())},
	})
	if f.StateBucket != "" {
		bucket := "arn:aws:s3:::" + f.StateBucket
		grants = append(grants, Grant{Actions: []string{"s3:GetObject", "s3:ListBucket"}, Resources: []string{bucket, bucket + "/.pulumi/*"}})
	}
	if f.SecretsKey != "" {
		grants = append(grants, Grant{Actions: []string{"kms:Decrypt"}, Resources: []string{f.SecretsKey}})
	}
	return slices.Clip(grants)
}
