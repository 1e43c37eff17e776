package stack_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/stack"
)

func TestMain(m *testing.M) {
	out, err := exec.Command("../../tools/pulumi").Output()
	if err != nil {
		panic(err)
	}
	if err := os.Setenv("PATH", filepath.Dir(strings.TrimSpace(string(out)))+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// thing registers a component with a secret among its inputs, and an output.
func thing(value, output string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component := &struct{ pulumi.ResourceState }{}
		secret := pulumi.ToSecret(pulumi.String("hush, " + value)).(pulumi.StringOutput)
		ctx.Export("value", pulumi.String(output))
		return ctx.RegisterComponentResourceV2("test:index:Thing", "thing", pulumi.Map{"value": pulumi.String(value), "secret": secret}, component)
	}
}

// opener opens one stack again and again, each time in a workspace of its own, as pipeline runs do.
func opener(t *testing.T) func(program pulumi.RunFunc) *stack.Stack {
	shown := &bytes.Buffer{}
	t.Cleanup(func() { assert.NotContains(t, shown.String(), "hush", "a secret was shown") })
	backend := "file://" + t.TempDir()
	t.Setenv("PULUMI_HOME", t.TempDir())
	return func(program pulumi.RunFunc) *stack.Stack {
		s, err := stack.Open(t.Context(), stack.Options{
			Project: "test", Name: "dev", Backend: backend, Dir: t.TempDir(), Program: program, Progress: io.MultiWriter(t.Output(), shown),
			Env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
		})
		require.NoError(t, err)
		return s
	}
}

// TestAPlanIsCarriedOutByAnotherWorkspace reviews in one process's workspace and deploys in another's, as the pipeline does.
func TestAPlanIsCarriedOutByAnotherWorkspace(t *testing.T) {
	stackOf := opener(t)
	open := func(value string) *stack.Stack { return stackOf(thing(value, value)) }
	_, err := open("one").Up(t.Context(), "", "a message")
	require.NoError(t, err)

	plan := filepath.Join(t.TempDir(), "plan.json")
	reviewed := open("two")
	before, err := reviewed.Settle(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"value": "one"}, before.Outputs)
	assert.NotEmpty(t, before.Update)
	assert.Equal(t, "a message", before.Message)
	previewed, err := reviewed.Preview(t.Context(), plan)
	require.NoError(t, err)
	assert.Equal(t, "1 to update", previewed.Summary())
	assert.Equal(t, map[string]string{"value": "two"}, previewed.Outputs)
	changed := previewed.Changed()[0]
	assert.Equal(t, map[string]any{"value": "two", "secret": preview.Secret}, changed.After)
	assert.Contains(t, changed.Changes, preview.Property{Path: "value", Op: preview.Update, Before: "one", After: "two"})
	content, err := os.ReadFile(plan)
	require.NoError(t, err)
	assert.NotContains(t, string(content), "hush")

	deployed := open("two")
	now, err := deployed.Settle(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, now, "a preview changes nothing")
	outputs, err := deployed.Up(t.Context(), plan, "a message")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"value": "two"}, outputs)

	after, err := open("two").Settle(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, before.Digest, after.Digest, "an update changes the state")
	assert.NotEqual(t, before.Update, after.Update)
	previewed, err = open("two").Preview(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, previewed.Changed())

	stranger := open("three")
	_, err = stranger.Settle(t.Context())
	require.NoError(t, err)
	_, err = stranger.Up(t.Context(), plan, "a message")
	assert.ErrorIs(t, err, stack.ErrPlan, "a plan allows nothing else")
	assert.NotContains(t, err.Error(), "hush", "Pulumi's message holds the secrets of both")
	others, err := open("two").OutputsOf(t.Context(), "qa")
	require.NoError(t, err)
	assert.Nil(t, others)
}

// TestAPlanAcceptsAStateThatMoved is why a review binds the state's digest: Pulumi itself carries a plan from one to two out although
// the state has gone on to three.
func TestAPlanAcceptsAStateThatMoved(t *testing.T) {
	stackOf := opener(t)
	open := func(value string) *stack.Stack { return stackOf(thing(value, "same")) }
	_, err := open("one").Up(t.Context(), "", "a message")
	require.NoError(t, err)
	plan := filepath.Join(t.TempDir(), "plan.json")
	reviewed, err := open("two").Settle(t.Context())
	require.NoError(t, err)
	reviewer := open("two")
	_, err = reviewer.Settle(t.Context())
	require.NoError(t, err)
	_, err = reviewer.Preview(t.Context(), plan)
	require.NoError(t, err)

	other := open("three")
	_, err = other.Settle(t.Context())
	require.NoError(t, err)
	_, err = other.Up(t.Context(), "", "a message")
	require.NoError(t, err)
	deployer := open("two")
	moved, err := deployer.Settle(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, reviewed.Digest, moved.Digest)
	_, err = deployer.Up(t.Context(), plan, "a message")
	assert.NoError(t, err, "pulumi up --plan does not mind")
}

// TestAnOutputThatDiffersFromThePlanIsExplained: the engine fails such an update without a message (pulumi/pulumi#16670).
func TestAnOutputThatDiffersFromThePlanIsExplained(t *testing.T) {
	stackOf := opener(t)
	_, err := stackOf(thing("one", "one")).Up(t.Context(), "", "a message")
	require.NoError(t, err)
	plan := filepath.Join(t.TempDir(), "plan.json")
	_, err = stackOf(thing("one", "two")).Preview(t.Context(), plan)
	require.NoError(t, err)
	_, err = stackOf(thing("one", "three")).Up(t.Context(), plan, "a message")
	require.ErrorIs(t, err, stack.ErrPlan)
	t.Log(err)
}

func TestAProgramThatFailsSaysWhy(t *testing.T) {
	t.Setenv("PULUMI_HOME", t.TempDir())
	s, err := stack.Open(t.Context(), stack.Options{
		Project: "test", Name: "dev", Backend: "file://" + t.TempDir(), Dir: t.TempDir(),
		Program: func(*pulumi.Context) error { return os.ErrNotExist },
	})
	require.NoError(t, err)
	_, err = s.Preview(t.Context(), "")
	assert.EqualError(t, err, "preview of stack dev: file does not exist")
}
