package yamldoc_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/yamldoc"
)

func TestRoot(t *testing.T) {
	for _, nothing := range []string{"", "# only a comment\n", "~", "null\n", "---\n"} {
		root, err := yamldoc.Root([]byte(nothing))
		require.NoError(t, err, nothing)
		assert.Nil(t, root, nothing)
	}
	root, err := yamldoc.Root([]byte("a: 0x1F90\n"))
	require.NoError(t, err)
	assert.Equal(t, "0x1F90", root.Content[1].Value)
	for wrong, says := range map[string]string{
		"a: 1\n---\nb: 2\n": "more than one document",
		"a: [":              "line 1: did not find expected",
		"a: 1\n---\nb: [":   "more than one document",
	} {
		_, err := yamldoc.Root([]byte(wrong))
		assert.ErrorContains(t, err, says, wrong)
	}
}
