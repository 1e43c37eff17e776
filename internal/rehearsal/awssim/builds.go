package awssim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The states of a build that are simulated: it is pending, then building, testing and distributing, then one of the last
// three. https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_ImageState.html
const (
	statePending      = "PENDING"
	stateBuilding     = "BUILDING"
	stateTesting      = "TESTING"
	stateDistributing = "DISTRIBUTING"
	stateAvailable    = "AVAILABLE"
	stateFailed       = "FAILED"
	stateCancelled    = "CANCELLED"
)

// build is one execution of an image pipeline, which Image Builder calls an image.
type build struct {
	arn, pipelineARN string
	number           int
	pipeline         ImagePipeline
	recipe           Recipe
	components       []*component // those of the recipe, in its order
	distribution     Distribution
	base             string // the root of the parent image, or ""
	created          time.Time
	amiID, amiName   string
	state, reason    string
}

// startBuild starts a pipeline, or returns what the same client token started before.
func (a *Account) startBuild(pipelineARN, token string) (*build, error) {
	b, isNew, err := a.newBuild(pipelineARN, token)
	if err != nil || !isNew {
		return b, err
	}
	if !a.spawn(func() { a.bake(b) }) {
		return nil, fmt.Errorf("starting %s: the account is closed", pipelineARN)
	}
	a.log("imagebuilder", b.amiID, "baking %s %s, build %d", b.recipe.Name, b.recipe.Version, b.number)
	return b, nil
}

func (a *Account) newBuild(pipelineARN, token string) (b *build, isNew bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.tokens[token]; b != nil {
		if b.pipelineARN != pipelineARN {
			return nil, false, refuse("IdempotentParameterMismatchException", "the client token %q started another pipeline", token)
		}
		return b, false, nil
	}
	pipeline, ok := a.imagePipelines[pipelineARN]
	if !ok {
		return nil, false, refuse("ResourceNotFoundException", "there is no image pipeline %q", pipelineARN)
	}
	b = &build{
		pipelineARN: pipelineARN, pipeline: pipeline, number: 1, recipe: a.recipes[pipeline.RecipeARN],
		distribution: a.distributions[pipeline.DistributionARN], created: time.Now(), amiID: newID("ami"), state: statePending,
	}
	for _, other := range a.builds {
		if other.recipe.Name == b.recipe.Name && other.recipe.Version == b.recipe.Version {
			b.number = other.number + 1
		}
	}
	b.arn = a.arn("imagebuilder", fmt.Sprintf("image/%s/%s/%d", strings.ToLower(b.recipe.Name), b.recipe.Version, b.number))
	b.amiName = amiName(b)
	for _, ref := range b.recipe.Components {
		b.components = append(b.components, a.components[ref.ARN])
	}
	if parent := a.images[b.recipe.ParentImage]; parent != nil {
		b.base = parent.Root
	}
	a.builds = append(a.builds, b)
	a.tokens[token] = b
	return b, true, nil
}

var (
	buildDate    = regexp.MustCompile(`\{\{\s*imagebuilder:buildDate\s*\}\}`)
	buildVersion = regexp.MustCompile(`\{\{\s*imagebuilder:buildVersion\s*\}\}`)
)

func amiName(b *build) string {
	name := buildDate.ReplaceAllLiteralString(b.distribution.AMIName, b.created.UTC().Format("2006-01-02T15-04-05.000Z"))
	return buildVersion.ReplaceAllLiteralString(name, strconv.Itoa(b.number))
}

func (a *Account) setBuildState(b *build, state, reason string) {
	a.mu.Lock()
	b.state, b.reason = state, reason
	a.mu.Unlock()
	if reason != "" {
		reason = ": " + reason
	}
	a.log("imagebuilder", b.amiID, "%s%s", strings.ToLower(state), reason)
}

func (a *Account) imageBuilderActions() map[string]JSONAction {
	type start struct{ ClientToken, ImagePipelineArn string }
	type get struct{ ImageBuildVersionArn string }
	type listImages struct{ ImagePipelineArn string }
	return map[string]JSONAction{
		"PUT /StartImagePipelineExecution": decoding(func(in start) (any, error) {
			if in.ClientToken == "" || in.ImagePipelineArn == "" {
				return nil, refuse("InvalidParameterException", "clientToken and imagePipelineArn are required")
			}
			b, err := a.startBuild(in.ImagePipelineArn, in.ClientToken)
			if err != nil {
				return nil, err
			}
			return map[string]any{"requestId": requestID, "clientToken": in.ClientToken, "imageBuildVersionArn": b.arn}, nil
		}),
		"GET /GetImage": decoding(func(in get) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			i := slices.IndexFunc(a.builds, func(b *build) bool { return b.arn == in.ImageBuildVersionArn })
			if i < 0 {
				return nil, refuse("ResourceNotFoundException", "there is no image %q", in.ImageBuildVersionArn)
			}
			b := a.builds[i]
			image := a.summary(b)
			maps.Copy(image, map[string]any{
				"sourcePipelineArn": b.pipelineARN, "sourcePipelineName": b.pipeline.Name,
				"imageRecipe": map[string]any{
					"arn": b.pipeline.RecipeARN, "name": b.recipe.Name, "version": b.recipe.Version, "parentImage": b.recipe.ParentImage,
				},
			})
			return map[string]any{"requestId": requestID, "image": image}, nil
		}),
		"POST /ListImagePipelineImages": decoding(func(in listImages) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			if _, ok := a.imagePipelines[in.ImagePipelineArn]; !ok {
				return nil, refuse("ResourceNotFoundException", "there is no image pipeline %q", in.ImagePipelineArn)
			}
			summaries := []any{}
			for _, b := range slices.Backward(a.builds) {
				if b.pipelineARN == in.ImagePipelineArn {
					summaries = append(summaries, a.summary(b))
				}
			}
			return map[string]any{"requestId": requestID, "imageSummaryList": summaries}, nil
		}),
	}
}

// summary is what GetImage and ListImagePipelineImages both say of a build. The caller holds mu.
func (a *Account) summary(b *build) map[string]any {
	state := map[string]any{"status": b.state}
	if b.reason != "" {
		state["reason"] = b.reason
	}
	amis := []any{}
	if b.state == stateAvailable {
		amis = append(amis, map[string]any{
			"region": a.opts.Region, "image": b.amiID, "name": b.amiName, "accountId": a.opts.AccountID,
		})
	}
	return map[string]any{
		"arn": b.arn, "name": b.recipe.Name, "version": fmt.Sprintf("%s/%d", b.recipe.Version, b.number), "type": "AMI",
		"platform": "Linux", "dateCreated": b.created.UTC().Format(time.RFC3339), "state": state,
		"outputResources": map[string]any{"amis": amis},
	}
}
