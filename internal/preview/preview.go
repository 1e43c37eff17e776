// Package preview is what a preview of the program says, as plain data: every resource with its inputs before and after, and what
// would be done to it. Package stack makes it from the engine's events, and the lint and the reports read it. Nothing here runs
// Pulumi.
package preview

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What stands in the place of a value that is not shown.
const (
	// Secret is a value that is encrypted in the state. The engine takes it out before anything sees the preview.
	Secret = "[secret]"
	// Unknown is a value that is known only after the update.
	Unknown = "[unknown]"
)

// PromotionMessage begins the message in which a program that is previewed says how its release stands to upstream's: as an output the
// value would bind the plan to it.
const PromotionMessage = "promotion: "

// The operations, in Pulumi's words. Steps of a replacement are one operation here.
const (
	Same    = "same"
	Create  = "create"
	Update  = "update"
	Replace = "replace"
	Delete  = "delete"
	Read    = "read"
)

// Preview is every resource that the program registered or that it would delete, in the engine's order.
type Preview struct {
	Resources []Resource `json:"resources"`
	// Promotion is what the program said of the release: one of the values of the stack's output promotion.
	Promotion string `json:"promotion,omitempty"`
	// Outputs are the stack outputs that the update would leave, as far as they are known strings.
	Outputs map[string]string `json:"outputs,omitempty"`
}

// Resource is one resource and what would be done to it.
type Resource struct {
	URN  string `json:"urn"`
	Type string `json:"type"`
	// Parent is the URN of the resource's parent, empty for the stack itself.
	Parent string `json:"parent,omitempty"`
	Op     string `json:"op"`
	// Protected says that the state does not let the resource be deleted.
	Protected bool `json:"protected,omitempty"`
	// Before are the inputs in the state, nil when the resource is new or stays the same. After are those that the program wants, nil
	// when the resource is deleted. Values are what JSON knows; Secret and Unknown stand in for the others.
	Before map[string]any `json:"before,omitempty"`
	After  map[string]any `json:"after,omitempty"`
	// Changes are the properties that differ.
	Changes []Property `json:"changes,omitempty"`
}

// Property is a property that differs.
type Property struct {
	// Path is where it is, such as "tags.Name" or "ingress[0].cidrBlocks".
	Path string `json:"path"`
	// Op is Create, Update or Delete.
	Op string `json:"op"`
	// Replaces says that the resource is replaced because of it.
	Replaces bool `json:"replaces,omitempty"`
	// Before and After are the values; nil where there is none.
	Before any `json:"before,omitempty"`
	After  any `json:"after,omitempty"`
}

// Name is the resource's logical name.
func (r Resource) Name() string { return r.URN[strings.LastIndex(r.URN, "::")+2:] }

// Changed says that something would be done to the resource.
func (r Resource) Changed() bool { return r.Op != Same && r.Op != Read }

// Changed are the resources that something would be done to, in the engine's order. Stack outputs alone are no change.
func (p Preview) Changed() []Resource {
	return slices.DeleteFunc(slices.Clone(p.Resources), func(r Resource) bool { return !r.Changed() })
}

// Component is the name of the program's component that a resource belongs to: the topmost of its parents below the stack, or the
// resource itself. Providers and what else has no parent stand for themselves.
func (p Preview) Component() func(r Resource) string {
	parents, names := map[string]string{}, map[string]string{}
	for _, r := range p.Resources {
		parents[r.URN], names[r.URN] = r.Parent, r.Name()
	}
	return func(r Resource) string {
		top, parent := r.URN, r.Parent
		// No chain is longer than there are resources; a stored preview may hold anything.
		for range p.Resources {
			if parents[parent] == "" {
				break
			}
			top, parent = parent, parents[parent]
		}
		if name, ok := names[top]; ok {
			return name
		}
		return r.Name()
	}
}

// Summary is one line with the number of changes by operation, such as "1 to delete, 2 to create".
func (p Preview) Summary() string {
	counts := map[string]int{}
	for _, r := range p.Changed() {
		counts[r.Op]++
	}
	var parts []string
	for _, op := range []string{Delete, Replace, Update, Create} {
		if counts[op] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", counts[op], op))
			delete(counts, op)
		}
	}
	for op, n := range counts {
		parts = append(parts, fmt.Sprintf("%d to %s", n, op))
	}
	if len(parts) == 0 {
		return "no changes"
	}
	return strings.Join(parts, ", ")
}

// Encode returns the preview as the review stores it.
func (p Preview) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(p, "", " ")
	return append(text, '\n'), err
}

// Parse reads what Encode wrote. A preview without resources is refused: the program always registers some.
func Parse(content []byte) (Preview, error) {
	var p Preview
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("preview: %w", err)
	}
	if len(p.Resources) == 0 {
		return p, errors.New("preview: it holds no resources; expected every resource of the stack")
	}
	for i, r := range p.Resources {
		if !strings.HasPrefix(r.URN, "urn:pulumi:") || r.Type == "" || r.Op == "" {
			return p, fmt.Errorf("preview: resource %d: urn %q, type %q, op %q: expected all three", i+1, r.URN, r.Type, r.Op)
		}
	}
	return p, nil
}
