package visible_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/visible"
)

func TestWhatCannotBeSeenIsWrittenOut(t *testing.T) {
	assert.Equal(t, `a\u202eb\u001b[31m\u200b`+"\n\t", visible.Text("a\u202eb\x1b[31m\u200b\n\t"))
	assert.Equal(t, "Größe 👩\u200d💻 日本", visible.Text("Größe 👩\u200d💻 日本"))
	assert.Equal(t, "a\ufffdb", visible.Text("a\xffb"))
}
