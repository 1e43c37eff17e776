package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/relayfile"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// uploadProvenance puts the statement of this run beside the artifact.
func uploadProvenance(ctx context.Context, store artifact.Store, v vars.Build, software imageconfig.Software,
	digest artifact.Digest, file relayfile.File, started time.Time,
) error {
	statement, err := artifact.Provenance(artifact.Build{
		Name: software.Artifact, Digest: digest, Commit: v.Commit, Branch: v.Environment,
		Repository: github.Web(v.API, v.Owner, v.SoftwareRepository), Command: file.Build, Package: file.Package,
		Builder: fmt.Sprintf("urn:ha-devops:%s:%s:software-pipeline", v.Product, v.Environment),
		Version: version(), Execution: v.Execution, Started: started, Finished: time.Now(),
	})
	if err != nil {
		return fmt.Errorf("writing the provenance: %w", err)
	}
	return artifact.UploadProvenance(ctx, store, v.Bucket, artifact.ProvenanceKey(artifact.SoftwareKey(v.Product, software.Tag)), statement)
}

// handOffSoftware writes the artifact into config.json of the image repository.
func handOffSoftware(ctx context.Context, client *github.Client, v vars.Build, software imageconfig.Software) (handoff.Result, error) {
	message := handoff.Message("software: "+software.Tag, release.Release{
		ArtifactTag: software.Tag, SoftwareCommit: software.Commit, Execution: v.Execution,
	})
	return handoff.Do(ctx, client, handoff.Change{
		Repository: v.ImageRepository, Branch: v.Environment, Path: imageconfig.Name,
		Decide: func(ctx context.Context, current handoff.Current) (handoff.Decision, error) {
			config, err := imageconfig.Parse(current.Content)
			if err != nil {
				return handoff.Decision{}, err
			}
			if config.Software != nil {
				recorded := config.Software.Commit
				backwards, err := handoff.Backwards(ctx, client, v.SoftwareRepository, recorded, software.Commit)
				if err != nil {
					return handoff.Decision{}, err
				}
				if backwards {
					return handoff.Decision{Reason: handoff.Overtaken(software.Commit, recorded)}, nil
				}
			}
			content, err := imageconfig.SetSoftware(current.Content, software)
			return handoff.Decision{Content: content, Message: message}, err
		},
	})
}
