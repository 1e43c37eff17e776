package environments_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
)

func TestReadFile(t *testing.T) {
	for _, profile := range environments.Profiles() {
		config, err := environments.ReadFile("..", profile)
		require.NoError(t, err)
		assert.Equal(t, "shop-software", config.GitHub.Software, "what is left out is filled in")
		assert.Equal(t, 123456, config.GitHub.App, "objects are read too")
	}
	dev := environments.Profiles()[0]
	dir := t.TempDir()
	_, err := environments.ReadFile(dir, dev)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "--config")
	for content, want := range map[string]string{
		"config: [": "Pulumi.dev.yaml",
		"config:\n  ha-devops:product: Shop\n  ha-devops:account: {secure: AAAA}\n": `ha-devops:product: "Shop" is not allowed`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte(content), 0o644))
		_, err := environments.ReadFile(dir, dev)
		require.ErrorContains(t, err, want)
	}
}
