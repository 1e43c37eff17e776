package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// plan is what is used of an update plan as `pulumi preview --save-plan` writes it (apitype.DeploymentPlanV1).
type plan struct {
	ResourcePlans map[string]struct {
		Goal *struct {
			PropertyDependencies map[string][]string `json:"propertyDependencies"`
		} `json:"goal"`
		Steps []string `json:"steps"`
	} `json:"resourcePlans"`
}

func parsePlan(content []byte) (plan, error) {
	var p plan
	if len(bytes.TrimSpace(content)) == 0 {
		return p, errors.New("plan: it is empty; expected what pulumi preview --save-plan wrote")
	}
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("plan: %w", err)
	}
	if len(p.ResourcePlans) == 0 {
		return p, errors.New("plan: resourcePlans is empty; expected every resource of the stack")
	}
	return p, nil
}

// steps are the steps of a plan that each operation of a preview stands for, and one of which there must be.
var steps = map[string][]string{
	preview.Same:    {"same"},
	preview.Create:  {"create"},
	preview.Update:  {"update"},
	preview.Replace: {"create-replacement", "replace", "delete-replaced"},
	preview.Delete:  {"delete", "delete-replaced"},
}

// What an update that was interrupted has left behind goes with the next one, whatever that does to the resource: the copy that was
// replaced, and the note in the state that there is one (Pulumi engine, GenerateDeletes).
const (
	leftover = "delete-replaced"
	noted    = "remove-pending-replace"
)

func stepsAre(planned, expected []string) bool {
	return slices.ContainsFunc(planned, func(s string) bool { return slices.Contains(expected, s) }) &&
		!slices.ContainsFunc(planned, func(s string) bool { return s != leftover && s != noted && !slices.Contains(expected, s) })
}

// matches checks that plan and preview say the same, step by step: what is linted and shown is what the plan allows.
func (p plan) matches(in preview.Preview) error {
	if len(in.Resources) == 0 {
		return errors.New("preview: it holds no resources; expected every resource of the stack")
	}
	var problems []error
	left := maps.Clone(p.ResourcePlans)
	for _, r := range in.Resources {
		// A plan says nothing of what is only read.
		if r.Op == preview.Read {
			continue
		}
		expected, known := steps[r.Op]
		planned, found := left[r.URN]
		delete(left, r.URN)
		switch {
		case !known:
			problems = append(problems, fmt.Errorf("%s: the preview says %q; expected same, create, update, replace, delete or read", r.URN, r.Op))
		case !found:
			problems = append(problems, fmt.Errorf("%s: the preview says %s, and the plan does not have it", r.URN, r.Op))
		case !stepsAre(planned.Steps, expected):
			problems = append(problems, fmt.Errorf("%s: the preview says %s, and the plan has the steps %q", r.URN, r.Op, planned.Steps))
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(left)) {
		// Default providers and notes are in the plan, and the engine does not tell of them in a preview.
		provider := strings.Contains(urn, "::pulumi:providers:") && strings.Contains(urn, "::default")
		if !provider && !slices.Equal(left[urn].Steps, []string{noted}) {
			problems = append(problems, fmt.Errorf("%s: the plan has it, and the preview does not", urn))
		}
	}
	return tooMany("plan and preview differ; make both with one preview", problems)
}

// tooMany joins problems below a title, and keeps the message readable when everything differs.
func tooMany(title string, problems []error) error {
	const most = 10
	if len(problems) == 0 {
		return nil
	}
	if more := len(problems) - most; more > 0 {
		problems = append(problems[:most:most], fmt.Errorf("and %d more", more))
	}
	return fmt.Errorf("%s:\n%w", title, errors.Join(problems...))
}

// dependencies are the URNs that each of a resource's properties depends on.
func (p plan) dependencies(urn string) map[string]any {
	out := map[string]any{}
	goal := p.ResourcePlans[urn].Goal
	if goal == nil {
		return out
	}
	for property, on := range goal.PropertyDependencies {
		urns := make([]any, len(on))
		for i, urn := range on {
			urns[i] = urn
		}
		out[property] = urns
	}
	return out
}
