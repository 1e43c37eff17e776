// Package builds says what an EC2 Image Builder pipeline has built and is building, and what for. A build's tags are set when it is
// started and with it, so that they are the one record of a bake that no killed run can leave half written: by them a later run finds
// the bake of its image key, and the machine that is baked finds out what it is to become.
package builds

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"

	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Lister is what List needs of Image Builder.
type Lister interface {
	ListImagePipelineImages(context.Context, *imagebuilder.ListImagePipelineImagesInput, ...func(*imagebuilder.Options)) (*imagebuilder.ListImagePipelineImagesOutput, error)
}

// Build is one execution of an image pipeline, which Image Builder calls an image.
type Build struct {
	// ARN names the build: arn:aws:imagebuilder:<region>:<account>:image/<name>/<version>/<build>.
	ARN string
	// Key is the image key that it was started for, empty if it was not relay that started it.
	Key string
	// Release is what the image becomes.
	Release release.Release
	// Status is Image Builder's, such as BUILDING.
	Status types.ImageStatus
	// AMIs are the IDs of its AMIs by region; empty before it is available.
	AMIs map[string]string
}

// Tags are those of a build that is started for an image key.
func Tags(product, environment, key string, r release.Release) map[string]string {
	// By the first two the lifecycle policy knows which images it may retire.
	tags := names.Tags(product, environment)
	maps.Copy(tags, r.Tags())
	tags[release.KeyImage] = key
	return tags
}

// UnderWay says whether the build has not come to its end.
func (b Build) UnderWay() bool { return b.Status != types.ImageStatusAvailable && !Failed(b.Status) }

// Failed says whether a status is the end of an image that can be used no more, or never could.
func Failed(status types.ImageStatus) bool {
	return slices.Contains([]types.ImageStatus{
		types.ImageStatusFailed, types.ImageStatusCancelled, types.ImageStatusDeprecated, types.ImageStatusDeleted, types.ImageStatusDisabled,
	}, status)
}

// List returns the builds of a pipeline, in no particular order.
func List(ctx context.Context, client Lister, pipeline string) ([]Build, error) {
	var builds []Build
	pages := imagebuilder.NewListImagePipelineImagesPaginator(client, &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: &pipeline})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking at what %s builds: %w", pipeline, err)
		}
		for _, image := range page.ImageSummaryList {
			build := Build{
				ARN: aws.ToString(image.Arn), Key: image.Tags[release.KeyImage], Release: release.FromTags(image.Tags), AMIs: AMIs(image.OutputResources),
			}
			if image.State != nil {
				build.Status = image.State.Status
			}
			builds = append(builds, build)
		}
	}
	return builds, nil
}

// AMIs returns the IDs of a build's AMIs by region.
func AMIs(made *types.OutputResources) map[string]string {
	if made == nil {
		return nil
	}
	amis := map[string]string{}
	for _, ami := range made.Amis {
		if id := aws.ToString(ami.Image); id != "" {
			amis[aws.ToString(ami.Region)] = id
		}
	}
	return amis
}
