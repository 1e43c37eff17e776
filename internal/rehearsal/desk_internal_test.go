package rehearsal

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuotedWordsStayWords(t *testing.T) {
	for _, word := range []string{"", "plain", "two words", "it's", `$HOME "quoted" \ * ; & ''`, "line\nbreak"} {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", "x="+quote(word)+`; printf %s "$x"`).Output()
		require.NoError(t, err)
		assert.Equal(t, word, string(out))
	}
}
