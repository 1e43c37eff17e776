package stack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// program registers a component with a secret among its inputs.
func program(value string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		component := &struct{ pulumi.ResourceState }{}
		secret := pulumi.ToSecret(pulumi.String("hush, " + value)).(pulumi.StringOutput)
		ctx.Export("value", pulumi.String(value))
		return ctx.RegisterComponentResourceV2("test:index:Thing", "thing", pulumi.Map{"value": pulumi.String(value), "secret": secret}, component)
	}
}

// TestAPlanIsCarriedOutByAnotherWorkspace reviews in one process's workspace and deploys in another's, as the pipeline does.
func TestAPlanIsCarriedOutByAnotherWorkspace(t *testing.T) {
	backend := "file://" + t.TempDir()
	t.Setenv("PULUMI_HOME", t.TempDir())
	open := func(value string) *stack.Stack {
		s, err := stack.Open(t.Context(), stack.Options{
			Project: "test", Name: "dev", Backend: backend, Dir: t.TempDir(), Program: program(value), Progress: t.Output(),
			Env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
		})
		require.NoError(t, err)
		return s
	}
	_, err := open("one").Up(t.Context(), "")
	require.NoError(t, err)

	plan := filepath.Join(t.TempDir(), "plan.json")
	reviewed := open("two")
	before, err := reviewed.Settle(t.Context())
	require.NoError(t, err)
	changes, err := reviewed.Preview(t.Context(), plan)
	require.NoError(t, err)
	assert.Equal(t, "1 to update", changes.Summary())
	content, err := os.ReadFile(plan)
	require.NoError(t, err)
	assert.NotContains(t, string(content), "hush")

	deployed := open("two")
	now, err := deployed.Settle(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, now, "a preview changes nothing")
	outputs, err := deployed.Up(t.Context(), plan)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"value": "two"}, outputs)

	after, err := open("two").Settle(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, before, after, "an update changes the state")
	changes, err = open("two").Preview(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, changes)

	_, err = open("three").Up(t.Context(), plan)
	assert.ErrorContains(t, err, "update of stack dev", "a plan allows nothing else")
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
