package lint

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/preview"
)

const about = `rule := {"id": "x", "title": "t", "severity": "error", "why": "w", "fix": "f"}
`

func files(texts ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i, text := range texts {
		all[string(rune('a'+i))+".rego"] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

func TestRulesThatCannotBeUsed(t *testing.T) {
	const found = "package policy.x\n" + about + "findings contains f if { false; f := {} }"
	for _, test := range []struct {
		name  string
		files fstest.MapFS
		says  string
	}{
		{"none", files(), "it holds no rules"},
		{"only helpers", files("package lib\nx := 1"), "it holds no rules"},
		{"no Rego", files("package policy.x\nrule :="), "policy/a.rego"},
		{"what does not compile", files("package policy.x\n" + about + "findings contains y"), "compiling policy"},
		{"a type error", files("package policy.x\n" + about + `findings contains {"message": "x"} if { input.a; count(1) }`), "compiling policy"},
		{"no findings", files("package policy.x\n" + about), "policy.x: it has no result"},
		{"no rule", files("package policy.x\nfindings contains f if { false; f := {} }"), "policy.x: it has no result"},
		{"no severity", files(`package policy.x
			rule := {"id": "x", "title": "t", "severity": "fatal", "why": "w", "fix": "f"}
			findings contains f if { false; f := {} }`), "policy.x: rule is"},
		{"no reason", files(`package policy.x
			rule := {"id": "x", "title": "t", "severity": "error", "fix": "f"}
			findings contains f if { false; f := {} }`), "policy.x: rule is"},
		{"two of a name", files(found, "package policy.y\n"+about+"findings contains f if { false; f := {} }"), `the id "x" is that of x, too`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := compile(t.Context(), test.files)
			assert.ErrorContains(t, err, test.says)
		})
	}
	_, err := compile(t.Context(), files(found))
	assert.NoError(t, err, "the control")
}

func input() Input {
	const urn = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
	return Input{
		Environment: "dev", Now: time.Unix(0, 0), Plan: []byte(`{"resourcePlans":{"` + urn + `":{"steps":["same"]}}}`),
		Preview: preview.Preview{Resources: []preview.Resource{{URN: urn, Type: "pulumi:pulumi:Stack", Op: preview.Same, After: map[string]any{"n": "x"}}}},
	}
}

// A rule that breaks over an input says nothing about it.
func TestARuleThatHasNoResultIsNoPass(t *testing.T) {
	for _, test := range []struct{ name, findings, says string }{
		{"a built-in function fails", `findings contains {"message": "x"} if { some r in input.resources; to_number(r.after.n) > 1 }`, "to_number"},
		{"the rule is undefined", `findings := {{"message": "x"}} if count(input.resources) == 0`, "policy.x: it has no result"},
		{"no message", `findings contains {"resource": r.urn} if some r in input.resources`, "expected a message"},
		{"a severity nobody knows", `findings contains {"message": "x", "severity": "bad"} if some r in input.resources`, "expected a message"},
		{"no objects", `findings contains r.urn if some r in input.resources`, "evaluating policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := compile(t.Context(), files("package policy.x\n"+about+test.findings))
			require.NoError(t, err)
			result, err := r.lint(t.Context(), input())
			require.ErrorContains(t, err, test.says)
			assert.Empty(t, result)
		})
	}
}

func TestARuleSeesWhatTheInputSays(t *testing.T) {
	r, err := compile(t.Context(), files("package policy.x\n"+about+`
		findings contains {"resource": r.urn, "message": sprintf("%s %s %v", [input.environment, r.component.type, r]), "severity": "note"} if some r in input.resources`))
	require.NoError(t, err)
	result, err := r.lint(t.Context(), input())
	require.NoError(t, err)
	require.Len(t, result.Findings, 1)
	f := result.Findings[0]
	assert.Equal(t, Note, f.Rule.Severity)
	assert.Contains(t, f.Message, "dev pulumi:pulumi:Stack {")
	assert.NotContains(t, f.Message, "before", "what is not there is undefined")
	assert.Equal(t, []string{"exceptions", "x"}, []string{result.Rules[0].ID, result.Rules[1].ID})
	assert.Equal(t, Error, result.Rules[1].Severity, "the rule's own severity stays")
}

func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		string(input().Plan), `{"resourcePlans":{"a":null}}`, `{"resourcePlans":{"urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev":{"steps":["same"],"goal":{"propertyDependencies":{"a":null}}}}}`,
		"[]", "{}", `{"resourcePlans":[]}`, `{"resourcePlans":{}}{}`,
	} {
		f.Add([]byte(seed))
	}
	r, err := compile(f.Context(), files("package policy.x\n"+about+`findings contains {"message": "x"} if input.resources[0].dependencies.a`))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, plan []byte) {
		in := input()
		in.Plan = plan
		result, err := r.lint(t.Context(), in)
		assert.Equal(t, err == nil, len(result.Rules) == 2)
	})
}
