package rehearsal_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOnlyWhatWasProvisionedRuns damages what the program provisions. The rehearsal must fail, and say why: if it passed, the runner
// would run something else than what was provisioned.
func TestOnlyWhatWasProvisionedRuns(t *testing.T) {
	for name, c := range map[string]struct {
		typ, resource string
		damage        func(in map[string]any)
		want          string
	}{
		"a variable is renamed in a project": {
			"aws:codebuild/project:Project", "software-Build",
			func(in map[string]any) {
				for _, v := range in["environment"].(map[string]any)["environmentVariables"].([]any) {
					if variable := v.(map[string]any); variable["name"] == "RELAY_IMAGE_REPOSITORY" {
						variable["name"] = "RELAY_IMAGE_REPO"
					}
				}
			},
			"RELAY_IMAGE_REPOSITORY not set",
		},
		"a variable is renamed in a buildspec": {
			"aws:codebuild/project:Project", "infrastructure-Review",
			func(in map[string]any) {
				source := in["source"].(map[string]any)
				source["buildspec"] = strings.ReplaceAll(source["buildspec"].(string), "- REVIEW_DIGEST", "- REVIEW_SHA")
			},
			"REVIEW_DIGEST",
		},
		"a command is changed in a buildspec": {
			"aws:codebuild/project:Project", "image-Bake",
			func(in map[string]any) {
				source := in["source"].(map[string]any)
				source["buildspec"] = strings.ReplaceAll(source["buildspec"].(string), "relay bake", "relay boil")
			},
			`unknown command "boil"`,
		},
		"the deploying stage is dropped": {
			"aws:codepipeline/pipeline:Pipeline", "infrastructure",
			func(in map[string]any) {
				stages := in["stages"].([]any)
				in["stages"] = stages[:len(stages)-1]
			},
			"no stage deployed it (stages: Source, Review, Approve)",
		},
		"a trigger points at another branch": {
			"aws:codepipeline/pipeline:Pipeline", "image",
			func(in map[string]any) {
				push := in["triggers"].([]any)[0].(map[string]any)["gitConfiguration"].(map[string]any)["pushes"].([]any)[0].(map[string]any)
				push["branches"] = map[string]any{"includes": []any{"develop"}}
			},
			"image/dev moved, but started no pipeline: the trigger of demo-dev-image does not match branch dev",
		},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := false
			r := world{damage: func(typ, resourceName string, in resource.PropertyMap) resource.PropertyMap {
				if typ != c.typ || resourceName != c.resource {
					return in
				}
				damaged = true
				plain := in.Mappable()
				c.damage(plain)
				return resource.NewPropertyMapFromMap(plain)
			}}.start(t, "dev")
			assert.ErrorContains(t, r.FirstRelease(soon(t)), c.want)
			require.True(t, damaged, "nothing was damaged: the resource has another name")
		})
	}
}
