package stack_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/stack"
)

// TestAPreviewWritesNothingToTheBackend is why a role that only reads can preview: see pipelines.PreviewGrants.
func TestAPreviewWritesNothingToTheBackend(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PULUMI_HOME", t.TempDir())
	open := func(value string) *stack.Stack {
		s, err := stack.Open(t.Context(), stack.Options{
			Project: "test", Name: "dev", Backend: "file://" + dir, Dir: t.TempDir(), Program: thing(value, value), Progress: t.Output(),
			Env: map[string]string{"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"},
		})
		require.NoError(t, err)
		return s
	}
	files := func() map[string]string {
		found := map[string]string{}
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			info, _ := entry.Info()
			found[path] = info.ModTime().String() + string(content)
			return err
		}))
		return found
	}
	_, err := open("one").Up(t.Context(), "", "")
	require.NoError(t, err)
	before := files()
	require.NotEmpty(t, before)
	previewed := open("two")
	_, err = previewed.Settle(t.Context())
	require.NoError(t, err)
	changes, err := previewed.Preview(t.Context(), filepath.Join(t.TempDir(), "plan.json"))
	require.NoError(t, err)
	assert.Equal(t, "1 to update", changes.Summary())
	assert.Equal(t, before, files())
	_, err = previewed.Up(t.Context(), "", "")
	require.NoError(t, err)
	assert.NotEqual(t, before, files())
}
