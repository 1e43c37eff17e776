package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/stack"
)

// TestWhatIsPendingIsForgotten and nothing else: what is left is the state as it was before, with its secrets encrypted and readable.
func TestWhatIsPendingIsForgotten(t *testing.T) {
	t.Setenv("PULUMI_HOME", t.TempDir())
	backend := t.TempDir()
	open := func() *stack.Stack {
		s, err := stack.Open(t.Context(), stack.Options{
			Project: "test", Name: "dev", Backend: "file://" + backend, Dir: t.TempDir(), Program: thing("one", "one"), Progress: t.Output(),
			Env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
		})
		require.NoError(t, err)
		return s
	}
	settle := func() stack.State {
		t.Helper()
		state, err := open().Settle(t.Context())
		require.NoError(t, err)
		return state
	}
	_, err := open().Up(t.Context(), "", "a message")
	require.NoError(t, err)
	before := settle()
	require.Empty(t, before.Pending)
	require.Len(t, before.Resources, 2, "the stack and the thing")

	path := filepath.Join(backend, ".pulumi/stacks/test/dev.json")
	cutShort(t, path)
	pending := settle()
	assert.NotEqual(t, before.Digest, pending.Digest)
	assert.Equal(t, []stack.Resource{{URN: "urn:pulumi:dev::test::a:b:C::made", Type: "a:b:C"}}, pending.Pending)
	assert.Equal(t, before.Resources, pending.Resources)

	lock := filepath.Join(backend, ".pulumi/locks/organization/test/dev/somebody.json")
	content, err := json.Marshal(map[string]any{"pid": 7, "username": "root", "hostname": "elsewhere", "timestamp": time.Now()})
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(lock), 0o755))
	require.NoError(t, os.WriteFile(lock, content, 0o644))
	require.ErrorIs(t, open().Forget(t.Context()), stack.ErrLocked)
	require.NoError(t, os.Remove(lock))

	s := open()
	_, err = s.Settle(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Forget(t.Context()))
	assert.Equal(t, before, settle(), "also the history")
	stored, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(stored), "hush")
	seen, err := s.Preview(t.Context(), "")
	require.NoError(t, err)
	assert.Empty(t, seen.Changed(), "secrets are what they were")
}

// cutShort leaves a stack's state as an update does that is killed while it creates something.
func cutShort(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(content, &state))
	latest := state["checkpoint"].(map[string]any)["latest"].(map[string]any)
	latest["pending_operations"] = []any{
		map[string]any{"type": "creating", "resource": map[string]any{"urn": "urn:pulumi:dev::test::a:b:C::made", "type": "a:b:C", "custom": true}},
		map[string]any{"type": "reading", "resource": map[string]any{"urn": "urn:pulumi:dev::test::a:b:C::read", "type": "a:b:C", "custom": true, "id": "1"}},
	}
	content, err = json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o644))
}
