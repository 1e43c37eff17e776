package names_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/names"
)

func TestJoin(t *testing.T) {
	assert.Equal(t, "shop-dev-software", names.Join(names.MaxRole, "shop", "dev", "software"))
	long := strings.Repeat("x", 40)
	assert.NotEqual(t, names.Join(32, long, "a"), names.Join(32, long, "b"), "what is cut off still tells names apart")
}

func TestJoinKeepsTheLimitAndIsPure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z0-9]{0,30}`), 1, 5).Draw(t, "parts")
		limit := rapid.IntRange(16, 100).Draw(t, "max")
		name := names.Join(limit, parts...)
		assert.LessOrEqual(t, len(name), limit)
		assert.Regexp(t, `^[a-z]([a-z0-9-]*[a-z0-9])?$`, name)
		assert.Equal(t, name, names.Join(limit, parts...))
	})
}
