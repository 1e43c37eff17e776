package artifact_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/git"
)

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git.Run(t.Context(), dir, append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	require.NoError(t, err)
	return out
}

func TestTag(t *testing.T) {
	dir := t.TempDir()
	tag := func() string {
		t.Helper()
		tag, err := artifact.Tag(t.Context(), dir)
		require.NoError(t, err)
		return tag
	}
	run(t, dir, "init", "-q", "-b", "dev")
	_, err := artifact.Tag(t.Context(), dir)
	require.ErrorContains(t, err, "finding the commit")

	run(t, dir, "commit", "-q", "--allow-empty", "-m", "1")
	head, err := artifact.Head(t.Context(), dir)
	require.NoError(t, err)
	assert.Equal(t, "g"+head[:12], tag())

	run(t, dir, "tag", "nightly")
	assert.Equal(t, "nightly", tag())
	run(t, dir, "tag", "v1.9.0")
	run(t, dir, "tag", "-a", "v1.10.0", "-m", "annotated")
	run(t, dir, "tag", "v1.10.0-rc.1")
	assert.Equal(t, "v1.10.0", tag(), "the highest version, not the last word")

	run(t, dir, "commit", "-q", "--allow-empty", "-m", "2")
	run(t, dir, "tag", "release/ü+1")
	assert.Equal(t, "release-1", tag())

	run(t, dir, "tag", "-d", "release/ü+1")
	head, err = artifact.Head(t.Context(), dir)
	require.NoError(t, err)
	assert.Equal(t, "v1.10.0-1-g"+head[:12], tag())

	require.NoError(t, os.WriteFile(filepath.Join(dir, "untracked"), nil, 0o600))
	assert.Equal(t, "v1.10.0-1-g"+head[:12], tag(), "what a build leaves behind is no other release")
	assert.True(t, artifact.IsTag(tag()))
}

func TestIsTag(t *testing.T) {
	for text, want := range map[string]bool{"v1": true, "g0123": true, "": false, "..": false, "a/b": false, "a\n": false, "a b": false} {
		assert.Equal(t, want, artifact.IsTag(text), "%q", text)
	}
}
