// Package components holds the reusable parts of a stack: Repo, BranchPipeline, ImageFactory, AppEnvironment, and Delivery, which
// the first four share, and Checks, for what runs on pull requests. A component turns plain values into resources; it reads no stack configuration and decides nothing about
// environments. What must be known before any resource exists, because it decides which resources there are, is a plain Go value;
// what comes from another resource is a Pulumi input.
package components

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/pipelines"
)

// The type tokens of the components.
const (
	TypeRepo           = "ha-devops:index:Repo"
	TypeDelivery       = "ha-devops:index:Delivery"
	TypeBranchPipeline = "ha-devops:index:BranchPipeline"
	TypeImageFactory   = "ha-devops:index:ImageFactory"
	TypeAppEnvironment = "ha-devops:index:AppEnvironment"
	TypeChecks         = "ha-devops:index:Checks"
)

// require reports the fields of a component's arguments that are empty, all at once.
func require(token, name string, fields map[string]bool) error {
	var missing []string
	for field, present := range fields {
		if !present {
			missing = append(missing, field)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s %q: %s must not be empty", token[strings.LastIndex(token, ":")+1:], name, strings.Join(sorted(missing), ", "))
}

// statement is a statement of an IAM policy (AWS IAM User Guide, "IAM JSON policy elements").
type statement struct {
	Sid       string                         `json:"Sid,omitempty"`
	Effect    string                         `json:"Effect"`
	Principal any                            `json:"Principal,omitempty"`
	Action    []string                       `json:"Action"`
	Resource  any                            `json:"Resource,omitempty"` // a list of strings, or the only one
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

func allow(grant pipelines.Grant) statement {
	return statement{Effect: "Allow", Action: grant.Actions, Resource: grant.Resources, Condition: grant.Condition}
}

// policy renders an IAM policy; statements hold only strings, so that marshalling cannot fail.
func policy(statements ...statement) string {
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// trust is the policy that lets a service of the account assume a role, and nobody through it from another account.
func trust(service, account string) pulumi.String {
	s := statement{Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"}}
	// EC2 assumes a role for an instance profile without a source account.
	if service != "ec2.amazonaws.com" {
		s.Condition = map[string]map[string][]string{"StringEquals": {"aws:SourceAccount": {account}}}
	}
	return pulumi.String(policy(s))
}

func stringsOf(ids []pulumi.IDOutput) pulumi.StringArray {
	out := make(pulumi.StringArray, len(ids))
	for i, id := range ids {
		out[i] = id.ToStringOutput()
	}
	return out
}

// shortName is the physical name of what may have at most 32 characters: load balancers, target groups, connections.
func shortName(f pipelines.Facts, parts ...string) string {
	return names.Join(names.MaxLoadBalancer, append([]string{f.Product, f.Environment}, parts...)...)
}
