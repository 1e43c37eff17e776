package install

import (
	"context"
	"fmt"
	"slices"

	"github.com/tekpossible/ha-devops/internal/bake/builds"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
)

// Confirm holds the bake manifest against what its image pipeline is baking, and returns it with the release that this bake was
// started for. A pipeline has one manifest, which another run may have overwritten; but this machine belongs to a build that is under
// way, whose tags say what it was started for and never change. Unless all builds that are under way agree with each other and with
// the manifest it is an error: an image must not get another one's content.
func Confirm(ctx context.Context, client builds.Lister, m manifest.Manifest) (manifest.Manifest, error) {
	all, err := builds.List(ctx, client, m.Pipeline)
	if err != nil {
		return manifest.Manifest{}, err
	}
	// What people start by hand has no key. No release is made of that.
	underWay := slices.DeleteFunc(all, func(b builds.Build) bool { return !b.UnderWay() || b.Key == "" })
	if len(underWay) == 0 {
		return manifest.Manifest{}, fmt.Errorf("%s bakes nothing that relay bake has started; release an image by running the image repository's pipeline", m.Pipeline)
	}
	mine := underWay[0]
	for _, other := range underWay[1:] {
		if other.Key != mine.Key || other.Release != mine.Release {
			return manifest.Manifest{}, fmt.Errorf("%s and %s are baked at once, and which of them this machine is to become cannot be told; "+
				"run their pipelines again, one after the other", mine.ARN, other.ARN)
		}
	}
	if m.Key != mine.Key {
		return manifest.Manifest{}, fmt.Errorf("the bake manifest is for image key %.12s, but %s bakes %.12s: another run has overwritten the manifest; "+
			"run the pipeline again", m.Key, mine.ARN, mine.Key)
	}
	m.Release = mine.Release
	return m, nil
}
