package git_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/git"
)

func TestRunIsDeafToTheMachinesSettings(t *testing.T) {
	t.Setenv("GIT_DIR", "/nonexistent")
	t.Setenv("GIT_CONFIG_PARAMETERS", "'alias.x=!echo taken'")
	dir := t.TempDir()
	_, err := git.Run(t.Context(), dir, "init", "-q", "-b", "dev")
	require.NoError(t, err)
	out, err := git.Run(t.Context(), dir, "symbolic-ref", "HEAD")
	require.NoError(t, err)
	assert.Equal(t, "refs/heads/dev\n", out)
	_, err = git.Run(t.Context(), dir, "x")
	require.Error(t, err)
}

func TestErrorSaysWhatFailedWithoutCredentials(t *testing.T) {
	_, err := git.Run(t.Context(), t.TempDir(), "ls-remote", "http://relay:s3cret@127.0.0.1:1/a/b.git")
	var failed *git.Error
	require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &failed)
	assert.Equal(t, 128, failed.Code)
	assert.Contains(t, err.Error(), "git ls-remote http://***@127.0.0.1:1/a/b.git")
	assert.Contains(t, err.Error(), "127.0.0.1")
	assert.NotContains(t, err.Error(), "s3cret")
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := git.Run(ctx, t.TempDir(), "version")
	require.Error(t, err)
	assert.True(t, errors.Is(err, context.Canceled))
}
