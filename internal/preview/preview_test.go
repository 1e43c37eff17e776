package preview_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/preview"
)

func resource(parentType, typ, name, op string) preview.Resource {
	chain := typ
	if parentType != "" {
		chain = parentType + "$" + typ
	}
	return preview.Resource{URN: "urn:pulumi:dev::ha-devops::" + chain + "::" + name, Type: typ, Op: op}
}

func TestSummaryNamesWhatIsLostFirst(t *testing.T) {
	p := preview.Preview{}
	for _, op := range []string{preview.Same, preview.Read, preview.Create, preview.Create, preview.Replace, preview.Delete, "import"} {
		p.Resources = append(p.Resources, resource("", "a:b:C", op, op))
	}
	assert.Equal(t, "1 to delete, 1 to replace, 2 to create, 1 to import", p.Summary())
	assert.Len(t, p.Changed(), 5)
	assert.Equal(t, "no changes", preview.Preview{}.Summary())
}

func TestAResourceBelongsToTheTopmostComponent(t *testing.T) {
	stack := resource("", "pulumi:pulumi:Stack", "ha-devops-dev", preview.Same)
	app := resource("", "ha-devops:index:AppEnvironment", "app", preview.Same)
	app.Parent = stack.URN
	group := resource("ha-devops:index:AppEnvironment", "aws:autoscaling/group:Group", "app", preview.Update)
	group.Parent = app.URN
	policy := resource("ha-devops:index:AppEnvironment$aws:autoscaling/group:Group", "aws:autoscaling/policy:Policy", "app-cpu", preview.Update)
	policy.Parent = group.URN
	provider := resource("", "pulumi:providers:aws", "aws", preview.Same)
	provider.Parent = stack.URN
	component := preview.Preview{Resources: []preview.Resource{stack, app, group, policy, provider}}.Component()
	assert.Equal(t, "app", component(group))
	assert.Equal(t, "app", component(policy))
	assert.Equal(t, "app", component(app))
	assert.Equal(t, "aws", component(provider))
	assert.Equal(t, "ha-devops-dev", component(stack))
}

func TestWhatIsEncodedIsParsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := preview.Preview{Promotion: rapid.String().Draw(t, "promotion")}
		for i := range rapid.IntRange(1, 5).Draw(t, "n") {
			r := resource("", "a:b:C", rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "name"), preview.Update)
			r.After = map[string]any{"n": float64(i), "s": rapid.String().Draw(t, "value")}
			r.Changes = []preview.Property{{Path: "s", Op: preview.Update, Before: "x", After: r.After["s"]}}
			want.Resources = append(want.Resources, r)
		}
		text, err := want.Encode()
		require.NoError(t, err)
		got, err := preview.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"resources": [{"urn": "urn:pulumi:dev::p::a:b:C::n", "type": "a:b:C", "op": "create", "after": {"x": [1, null]}}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := preview.Parse(content)
		if err != nil {
			return
		}
		require.NotEmpty(t, p.Resources)
		p.Summary()
		component := p.Component()
		for _, r := range p.Resources {
			component(r)
		}
		_, err = p.Encode()
		require.NoError(t, err)
	})
}
