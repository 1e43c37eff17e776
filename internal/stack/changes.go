package stack

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// Change is what a preview would do to one resource.
type Change struct {
	// Op is Pulumi's operation: create, update, replace, delete, …
	Op string `json:"op"`
	// URN, Type and Name say which resource.
	URN  string `json:"urn"`
	Type string `json:"type"`
	Name string `json:"name"`
	// Properties are the inputs that differ.
	Properties []string `json:"properties,omitempty"`
}

// Changes are what a preview would do, in the engine's order, without what stays the same.
type Changes []Change

// add appends a step that changes something. A replacement comes as several steps, of which "replace" speaks for all.
func (c Changes) add(step apitype.StepEventMetadata) Changes {
	switch step.Op {
	case apitype.OpSame, apitype.OpRead, apitype.OpRefresh, apitype.OpCreateReplacement, apitype.OpDeleteReplaced:
		return c
	}
	properties := slices.Clone(step.Diffs)
	slices.Sort(properties)
	return append(c, Change{
		Op: string(step.Op), URN: step.URN, Type: step.Type, Name: step.URN[strings.LastIndex(step.URN, "::")+2:], Properties: properties,
	})
}

// Summary is one line with the number of changes by operation, such as "2 to create, 1 to update".
func (c Changes) Summary() string {
	counts := map[string]int{}
	for _, change := range c {
		counts[change.Op]++
	}
	var parts []string
	for op, n := range counts {
		parts = append(parts, fmt.Sprintf("%d to %s", n, op))
	}
	if len(parts) == 0 {
		return "no changes"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
