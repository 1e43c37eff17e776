package bake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/release"
)

// It is no fuzz target: with one, every client of AWS that this package uses would be compiled for fuzzing.
func TestTheTrailersOfAHandOffAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[!-~é]{1,20}( [!-~]{1,5})?`)
		subject := rapid.String().Draw(t, "subject")
		imageCommit(subject)
		if strings.Contains(subject, reusedBy) {
			return
		}
		made, reused := word.Draw(t, "made"), word.Draw(t, "reused")
		message := handoff.Message(subject, release.Release{ImageCommit: made})
		require.Equal(t, made, imageCommit(message))
		require.Equal(t, reused, imageCommit(message+reusedBy+reused+"\n"))
		require.Contains(t, whereToLook(subject), "CloudWatch Logs, group /aws/imagebuilder/", "whatever the ARN is")
	})
}

func TestTheLogOfAFailureIsShownUpToIt(t *testing.T) {
	var lines []string
	for range 100 {
		lines = append(lines, "noise")
	}
	assert.Len(t, evidence(lines), before)
	lines = append(lines, "no such package", "  Phase: build", "  Step: Install", "  ErrorMessage: exit status 9", "  Stderr: x")
	for range 100 {
		lines = append(lines, "cleaning up")
	}
	got := evidence(lines)
	assert.Contains(t, got, "no such package")
	assert.Contains(t, got, "  Stderr: x")
	assert.LessOrEqual(t, len(got), before+after)
	assert.Empty(t, evidence(nil))
}
