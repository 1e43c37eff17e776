package install_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/bake/builds"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/install"
	"github.com/tekpossible/ha-devops/internal/release"
)

// pipeline is an image pipeline with what it has built and builds.
type pipeline []types.ImageSummary

func (p pipeline) ListImagePipelineImages(
	context.Context, *imagebuilder.ListImagePipelineImagesInput, ...func(*imagebuilder.Options),
) (*imagebuilder.ListImagePipelineImagesOutput, error) {
	return &imagebuilder.ListImagePipelineImagesOutput{ImageSummaryList: p}, nil
}

func built(arn string, status types.ImageStatus, key string, execution string) types.ImageSummary {
	summary := types.ImageSummary{Arn: aws.String(arn), State: &types.ImageState{Status: status}}
	if key != "" {
		summary.Tags = builds.Tags("shop", "dev", strings.Repeat(key, 64), release.Release{ArtifactTag: "v1", Execution: execution})
	}
	return summary
}

func TestAMachineIsOnlyWhatItWasBakedFor(t *testing.T) {
	building, tested, failed := types.ImageStatusBuilding, types.ImageStatusTesting, types.ImageStatusFailed
	m := manifest.Manifest{Key: strings.Repeat("a", 64), Pipeline: "arn:pipeline", Release: release.Release{ArtifactTag: "v1", Execution: "e-2"}}
	for name, c := range map[string]struct {
		builds pipeline
		want   string
	}{
		"mine":                       {pipeline{built("1", building, "a", "e-1")}, ""},
		"mine among what has ended":  {pipeline{built("1", failed, "b", "e-0"), built("2", tested, "a", "e-1"), built("3", types.ImageStatusAvailable, "c", "e")}, ""},
		"mine and one by hand":       {pipeline{built("1", building, "", ""), built("2", building, "a", "e-1")}, ""},
		"overwritten":                {pipeline{built("1", building, "b", "e-1")}, "another run has overwritten the manifest"},
		"two keys":                   {pipeline{built("1", building, "a", "e-1"), built("2", types.ImageStatusPending, "b", "e-2")}, "1 and 2 are baked at once"},
		"two releases":               {pipeline{built("1", building, "a", "e-1"), built("2", building, "a", "e-2")}, "are baked at once"},
		"nothing":                    {nil, "bakes nothing that relay bake has started"},
		"by hand":                    {pipeline{built("1", building, "", "")}, "bakes nothing that relay bake has started"},
		"an end is not an under way": {pipeline{built("1", failed, "a", "e-1")}, "bakes nothing"},
	} {
		got, err := install.Confirm(t.Context(), c.builds, m)
		if c.want != "" {
			require.ErrorContains(t, err, c.want, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, m.Key, got.Key, name)
		assert.Equal(t, "e-1", got.Release.Execution, "%s: the release is the one that the bake was started for", name)
	}
}
