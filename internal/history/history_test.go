package history_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/release"
)

func TestTrailers(t *testing.T) {
	known := release.Release{ArtifactTag: "v1", SoftwareCommit: "c"}
	for message, want := range map[string]string{
		handoff.Message("ami-id: v1", known): "Artifact-Tag: v1\nSoftware-Commit: c\n",
		"subject\r\n\r\nA: b\r\n":            "A: b\n",
		"subject\n\nbody\n\nA: b\nC: d":      "A: b\nC: d\n",
		"subject\n\nsee: this\nand that":     "",
		"A: b":                               "",
		"":                                   "",
		"Merge pull request #1 from x\n\nrollback": "",
	} {
		assert.Equal(t, want, history.Trailers(message), "%q", message)
	}
}

func TestName(t *testing.T) {
	assert.Equal(t, "ami-1", history.Entry{AMI: "ami-1"}.Name())
	assert.Equal(t, "v1 (ami-1)", history.Entry{AMI: "ami-1", Release: release.Release{ArtifactTag: "v1"}}.Name())
}

func FuzzTrailers(f *testing.F) {
	for _, seed := range []string{"s\n\nA: b\n", "s\n\nA: b\nc", "\n\n", "A: b", "s\r\n\r\nRolled-Back-From: ami-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		trailers := history.Trailers(message)
		assert.Equal(t, trailers, history.Trailers("subject\n\n"+trailers), "what was read is read again")
		for line := range strings.Lines(trailers) {
			assert.Contains(t, line, ": ")
			assert.Contains(t, strings.ReplaceAll(message, "\r\n", "\n"), strings.TrimSpace(line), fmt.Sprintf("%q", message))
		}
	})
}
