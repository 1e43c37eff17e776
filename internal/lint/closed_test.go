package lint_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

func TestWhatCannotBeLintedIsNoPass(t *testing.T) {
	const role = "aws:iam/role:Role::infrastructure"
	without := func(p *program, urn string) {
		p.preview.Resources = slices.DeleteFunc(p.preview.Resources, func(r preview.Resource) bool { return r.URN == urn })
	}
	plan := func(text string) func(*testing.T, *program, *lint.Input) {
		return func(_ *testing.T, _ *program, in *lint.Input) { in.Plan = []byte(text) }
	}
	for _, test := range []struct {
		name   string
		damage func(*testing.T, *program, *lint.Input)
		says   string
	}{
		{"no plan", plan(""), "plan: it is empty"},
		{"a blank plan", plan(" \n"), "plan: it is empty"},
		{"no JSON", plan("Previewing update (main)"), "plan: invalid character"},
		{"half a plan", plan(`{"resourcePlans":{"urn:`), "plan: unexpected end of JSON"},
		{"null", plan("null"), "plan: resourcePlans is empty"},
		{"a plan of nothing", plan(`{"manifest":{},"resourcePlans":{}}`), "plan: resourcePlans is empty"},
		{"another kind of plan", plan(`{"resource_changes":[]}`), "plan: resourcePlans is empty"},
		{"no preview", func(_ *testing.T, _ *program, in *lint.Input) { in.Preview = preview.Preview{} }, "preview: it holds no resources"},
		{"no environment", func(_ *testing.T, _ *program, in *lint.Input) { in.Environment = "" }, "environment and time must not be empty"},
		{"no time", func(_ *testing.T, _ *program, in *lint.Input) { in.Now = time.Time{} }, "environment and time must not be empty"},
		{"another stack's plan", func(t *testing.T, _ *program, in *lint.Input) { in.Plan = load(t, "dev").input(t).Plan }, "and 209 more"},
		{"a resource that only the plan has", func(t *testing.T, p *program, in *lint.Input) {
			without(p, p.of(t, role).URN)
			in.Preview = p.preview
		}, "Role::infrastructure: the plan has it, and the preview does not"},
		{"a resource that only the preview has", func(t *testing.T, p *program, in *lint.Input) {
			delete(p.plan["resourcePlans"].(map[string]any), p.of(t, role).URN)
			in.Plan = p.input(t).Plan
		}, "Role::infrastructure: the preview says same, and the plan does not have it"},
		{"a plan that does more than the preview says", func(t *testing.T, p *program, in *lint.Input) {
			p.planned(p.of(t, role).URN)["steps"] = []any{"delete"}
			in.Plan = p.input(t).Plan
		}, `Role::infrastructure: the preview says same, and the plan has the steps ["delete"]`},
		{"a plan without steps", func(t *testing.T, p *program, in *lint.Input) {
			p.planned(p.of(t, role).URN)["steps"] = []any{}
			in.Plan = p.input(t).Plan
		}, `the plan has the steps []`},
		{"an operation that nobody knows", func(t *testing.T, p *program, _ *lint.Input) { p.of(t, role).Op = "import" }, `the preview says "import"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := load(t, "main")
			in := p.input(t)
			test.damage(t, p, &in)
			result, err := lint.Lint(t.Context(), in)
			require.ErrorContains(t, err, test.says)
			assert.Empty(t, result)
		})
	}
}

func TestWhatAnInterruptedUpdateLeftGoesWithTheNext(t *testing.T) {
	p := load(t, "main")
	template := p.of(t, "aws:ec2/launchTemplate:LaunchTemplate::app")
	p.planned(template.URN)["steps"] = []any{"create", "delete-replaced"}
	p.plan["resourcePlans"].(map[string]any)[template.URN+"-old"] = map[string]any{"steps": []any{"remove-pending-replace"}}
	result, err := lint.Lint(t.Context(), p.input(t))
	require.NoError(t, err)
	assert.Empty(t, result.Findings)

	p.planned(template.URN)["steps"] = []any{"delete-replaced"}
	_, err = lint.Lint(t.Context(), p.input(t))
	assert.ErrorContains(t, err, `the preview says create, and the plan has the steps ["delete-replaced"]`)
}

// Whatever a property holds, the rules decide: none of them breaks over it, and none takes another down.
func TestNoValueBreaksARule(t *testing.T) {
	values := []string{
		`null`, `""`, `"*"`, `"0.0.0.0/0"`, `"{}"`, `0`, `-1.5`, `true`, `false`, `[]`, `[null]`, `["[unknown]",1,{}]`, `{}`, `{"":null}`,
		`"[unknown]"`, `"[secret]"`, `"{\"Statement\":{\"Effect\":\"Allow\"}}"`,
		`"{\"Statement\":[1,\"x\",{\"Effect\":\"Allow\",\"Action\":1,\"Principal\":[\"*\"],\"Condition\":1}]}"`,
	}
	rapid.Check(t, func(r *rapid.T) {
		p := load(t, rapid.SampledFrom([]string{"dev", "main"}).Draw(r, "environment"))
		for range rapid.IntRange(1, 40).Draw(r, "damages") {
			resource := rapid.SampledFrom(p.preview.Resources).Draw(r, "resource")
			damage(r, resource.After, values)
		}
		_, err := lint.Lint(t.Context(), p.input(t))
		require.NoError(r, err)
	})
}

// damage gives some value in a tree another one.
func damage(r *rapid.T, at any, values []string) {
	value := func() (v any) {
		require.NoError(r, json.Unmarshal([]byte(rapid.SampledFrom(values).Draw(r, "value")), &v))
		return v
	}
	deeper := func(v any) bool {
		switch v.(type) {
		case map[string]any, []any:
			return rapid.Bool().Draw(r, "deeper")
		}
		return false
	}
	switch at := at.(type) {
	case map[string]any:
		var keys []string
		for key := range at {
			keys = append(keys, key)
		}
		if len(keys) == 0 {
			return
		}
		slices.Sort(keys)
		key := rapid.SampledFrom(keys).Draw(r, "key")
		if deeper(at[key]) {
			damage(r, at[key], values)
			return
		}
		at[key] = value()
	case []any:
		if len(at) == 0 {
			return
		}
		i := rapid.IntRange(0, len(at)-1).Draw(r, "index")
		if deeper(at[i]) {
			damage(r, at[i], values)
			return
		}
		at[i] = value()
	}
}
