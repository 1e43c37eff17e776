package pipelines

import (
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// SoftwarePipeline builds a commit of the software repository, packs it and hands its tag off to the image repository.
func SoftwarePipeline(f Facts) Pipeline {
	return Pipeline{Role: Software, Mode: Queued, Writes: []File{{Image, imageconfig.Name}}, Ignore: softwareNotes(), Stages: []Stage{{
		Name: "Build",
		Build: &Build{
			Description: "Builds and packs the software and hands its tag off to the image repository",
			Buildspec: Buildspec{
				Install: install("relay", f.Relay),
				Build:   []string{"relay build"},
				Cache:   []string{toolCache + "/**/*"},
			},
			Variables: vars.Write(vars.Build{
				Common:             f.common(),
				SoftwareRepository: f.Repositories[Software],
				ImageRepository:    f.Repositories[Image],
			}),
			Grants: []Grant{
				fetch(f.Relay),
				readSecret(f),
				{Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{f.object(softwareFolder)}},
			},
			TimeoutMinutes: 60,
		},
	}}}
}

// softwareNotes are what no release is built for. Documents elsewhere may be part of the product, so only those that a repository's
// hosts look for are meant.
func softwareNotes() []string {
	return []string{"*.md", "LICENSE", "CODEOWNERS", ".github/**"}
}

// readSecret is the permission to read the token with which relay reaches GitHub.
func readSecret(f Facts) Grant {
	return Grant{Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{f.GitHub.Secret}}
}
