package buildlog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheLastCommandsErrorIsTheReason(t *testing.T) {
	reason, hint := said(strings.Split(`[Container] 2026/05/04 Running command relay review
relay: error: an earlier try
relay: hint: of another command
relay: looking
relay: error: refused: one
relay: error: refused: two
relay: hint: start the pipeline again
[Container] 2026/05/04 Command did not exit successfully`, "\n"))
	assert.Equal(t, "refused: one\nrefused: two", reason)
	assert.Equal(t, "start the pipeline again", hint)
	reason, hint = said([]string{"make: *** [build] Error 2", "error: relay: error: no"})
	assert.Empty(t, reason)
	assert.Empty(t, hint)
}
