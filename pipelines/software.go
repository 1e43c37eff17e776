package pipelines

import (
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// SoftwarePipeline builds a commit of the software repository, packs it and hands its tag off to the image repository. It ignores no
// path: whatever is in the tree may be packed.
func SoftwarePipeline(f Facts) Pipeline {
	return Pipeline{Role: Software, Mode: Queued, Writes: []File{{Image, imageconfig.Name}}, Stages: []Stage{{
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

// readSecret is the permission to read the token with which relay reaches GitHub.
func readSecret(f Facts) Grant {
	return Grant{Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{f.GitHub.Secret}}
}
