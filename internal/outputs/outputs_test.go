package outputs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/outputs"
)

func TestOutputsOfACheckpoint(t *testing.T) {
	dir := t.TempDir()
	backend := "file://" + filepath.ToSlash(dir)
	_, exists, err := outputs.Of(t.Context(), backend, "p", "dev", nil)
	require.NoError(t, err)
	assert.False(t, exists)

	file := filepath.Join(dir, ".pulumi", "stacks", "p", "dev.json")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(`{"version": 3, "checkpoint": {"stack": "dev", "latest": {"resources": [
		{"type": "pulumi:pulumi:Stack", "outputs": {"amiId": "ami-1", "secret": {"4dabf18193072939515e22adb298388d": "x"}, "n": 3}},
		{"type": "aws:s3/bucket:Bucket", "outputs": {"amiId": "no"}}]}}}`), 0o600))
	found, exists, err := outputs.Of(t.Context(), backend, "p", "dev", nil)
	require.NoError(t, err)
	assert.True(t, exists)
	assert.Equal(t, map[string]string{"amiId": "ami-1"}, found)

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	_, _, err = outputs.Of(t.Context(), backend, "p", "dev", nil)
	assert.ErrorContains(t, err, "dev.json in file://")
	_, _, err = outputs.Of(t.Context(), "https://api.pulumi.com", "p", "dev", nil)
	assert.ErrorContains(t, err, "pulumi stack output --stack dev")
}
