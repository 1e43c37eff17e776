package lint

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// value is the input as the rules read it. It is built once, as OPA's own values: OPA would otherwise copy it through JSON.
func (in Input) value(plan plan) (ast.Value, error) {
	component := in.Preview.Component()
	resources := make([]any, len(in.Preview.Resources))
	for i, r := range in.Preview.Resources {
		made := map[string]any{
			"urn": r.URN, "type": r.Type, "op": r.Op, "parent": r.Parent, "protected": r.Protected,
			"component":    map[string]any{"name": component(r), "type": outermost(r.URN)},
			"dependencies": plan.dependencies(r.URN),
		}
		// What is not there is undefined in Rego, and null would be a value.
		if r.Before != nil {
			made["before"] = r.Before
		}
		if r.After != nil {
			made["after"] = r.After
		}
		changes := make([]any, len(r.Changes))
		for i, c := range r.Changes {
			changes[i] = map[string]any{"path": c.Path, "op": c.Op, "replaces": c.Replaces, "before": c.Before, "after": c.After}
		}
		made["changes"] = changes
		resources[i] = made
	}
	value, err := ast.InterfaceToValue(map[string]any{
		"environment": in.Environment, "pipeline": in.Pipeline, "promotion": in.Preview.Promotion, "resources": resources,
	})
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	return value, nil
}

// outermost is the type of the component that a URN is in, or of the resource itself: URNs hold the types of all parents, as
// "urn:pulumi:stack::project::parent$child::name" (Pulumi documentation, "Resource names").
func outermost(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	outer, _, _ := strings.Cut(parts[2], "$")
	return outer
}
