package bake

import (
	"context"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/release"
)

// reusedBy is the trailer of a hand-off whose AMI was made for an earlier commit: Image-Commit then names that one, and only
// this trailer says how far the image repository's branch had come.
const reusedBy = "Reused-By: "

// handOff writes the AMI's ID into the infrastructure repository.
func (b *baker) handOff(ctx context.Context, r Result) (handoff.Result, error) {
	message := handoff.Message(fmt.Sprintf("%s: %s (%s)", release.AMIFile, r.Release.ArtifactTag, r.AMI), r.Release)
	if r.Release.ImageCommit != b.vars.Commit {
		message += reusedBy + b.vars.Commit + "\n"
	}
	return handoff.Do(ctx, b.clients.GitHub, handoff.Change{
		Repository: b.vars.InfrastructureRepository, Branch: b.vars.Environment, Path: release.AMIFile,
		Decide: func(ctx context.Context, current handoff.Current) (handoff.Decision, error) {
			last, err := b.clients.GitHub.LastCommit(ctx, b.vars.InfrastructureRepository, current.At, release.AMIFile)
			if err != nil {
				return handoff.Decision{}, err
			}
			recorded := imageCommit(last.Message)
			backwards, err := handoff.Backwards(ctx, b.clients.GitHub, b.vars.ImageRepository, recorded, b.vars.Commit)
			if err != nil {
				return handoff.Decision{}, err
			}
			if backwards {
				return handoff.Decision{Reason: handoff.Overtaken(b.vars.Commit, recorded)}, nil
			}
			return handoff.Decision{Content: []byte(release.FormatAMI(r.AMI)), Message: message}, nil
		},
	})
}

// imageCommit returns the commit of the image repository that a hand-off came from, empty if people wrote the commit.
func imageCommit(message string) string {
	for line := range strings.Lines(message) {
		if commit, ok := strings.CutPrefix(line, reusedBy); ok {
			return strings.TrimSpace(commit)
		}
	}
	return release.FromMessage(message).ImageCommit
}
