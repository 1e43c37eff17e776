package bake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/release"
)

func FuzzImageCommit(f *testing.F) {
	f.Add("subject", "beef", "c0ffee")
	f.Add("Reused-By: x\nImage-Commit: y", "beef", "")
	f.Fuzz(func(t *testing.T, subject, made, reused string) {
		imageCommit(subject)
		if strings.TrimSpace(made) != made || made == "" || strings.ContainsAny(made+reused, "\n\r") || strings.TrimSpace(reused) != reused ||
			strings.Contains(subject, reusedBy) {
			return
		}
		message := handoff.Message(subject, release.Release{ImageCommit: made})
		require.Equal(t, made, imageCommit(message))
		if reused != "" {
			require.Equal(t, reused, imageCommit(message+reusedBy+reused+"\n"))
		}
	})
}

func FuzzWhereToLook(f *testing.F) {
	f.Add("arn:aws:imagebuilder:eu-central-1:123456789012:image/shop-dev-image/1.2.3/4")
	f.Add("arn:image/")
	f.Fuzz(func(t *testing.T, arn string) {
		require.Contains(t, whereToLook(arn), "CloudWatch Logs, group /aws/imagebuilder/")
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
