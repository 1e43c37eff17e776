package awssim

import (
	"cmp"
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
	tags             map[string]string
	state, reason    string
	workflows        []*workflow
	running          *process // the command that runs on its instance, nil when none does
}

// startBuild starts a pipeline, or returns what the same client token started before.
func (a *Account) startBuild(pipelineARN, token string, tags map[string]string) (*build, error) {
	b, isNew, err := a.newBuild(pipelineARN, token, tags)
	if err != nil || !isNew {
		return b, err
	}
	if !a.spawn(func() { a.bake(b) }) {
		return nil, fmt.Errorf("starting %s: the account is closed", pipelineARN)
	}
	a.log("imagebuilder", b.amiID, "baking %s %s, build %d", b.recipe.Name, b.recipe.Version, b.number)
	return b, nil
}

func (a *Account) newBuild(pipelineARN, token string, tags map[string]string) (b *build, isNew bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if b := a.tokens[token]; b != nil {
		if b.pipelineARN != pipelineARN || !maps.Equal(b.tags, tags) {
			return nil, false, refuse("IdempotentParameterMismatchException", "the client token %q started a pipeline with other parameters", token)
		}
		return b, false, nil
	}
	pipeline, ok := a.imagePipelines[pipelineARN]
	if !ok {
		return nil, false, refuse("ResourceNotFoundException", "there is no image pipeline %q", pipelineARN)
	}
	b = &build{
		pipelineARN: pipelineARN, pipeline: pipeline, number: 1, tags: tags, recipe: a.recipes[pipeline.RecipeARN],
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

// setBuildState sets what the API says of a build; detail is for the people who watch.
func (a *Account) setBuildState(b *build, state, reason, detail string) {
	a.mu.Lock()
	b.state, b.reason = state, reason
	a.mu.Unlock()
	if detail != "" {
		detail = ": " + detail
	}
	a.log("imagebuilder", b.amiID, "%s%s", strings.ToLower(state), detail)
}

// image finds a build by its ARN. The caller holds mu.
func (a *Account) image(arn string) (*build, error) {
	if i := slices.IndexFunc(a.builds, func(b *build) bool { return b.arn == arn }); i >= 0 {
		return a.builds[i], nil
	}
	return nil, refuse("ResourceNotFoundException", "there is no image %q", arn)
}

// listPage is how many images a list holds at most.
const listPage = 25

func (a *Account) imageBuilderActions() map[string]JSONAction {
	type start struct {
		ClientToken, ImagePipelineArn string
		Tags                          map[string]string
	}
	type get struct{ ImageBuildVersionArn string }
	type listImages struct{ ImagePipelineArn, NextToken string }
	type listSteps struct{ WorkflowExecutionId string }
	return map[string]JSONAction{
		"PUT /StartImagePipelineExecution": decoding(func(in start) (any, error) {
			if in.ClientToken == "" || in.ImagePipelineArn == "" {
				return nil, refuse("InvalidParameterException", "clientToken and imagePipelineArn are required")
			}
			b, err := a.startBuild(in.ImagePipelineArn, in.ClientToken, in.Tags)
			if err != nil {
				return nil, err
			}
			return map[string]any{"requestId": requestID, "clientToken": in.ClientToken, "imageBuildVersionArn": b.arn}, nil
		}),
		"GET /GetImage": decoding(func(in get) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			b, err := a.image(in.ImageBuildVersionArn)
			if err != nil {
				return nil, err
			}
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
			from, err := strconv.Atoi(cmp.Or(in.NextToken, "0"))
			if err != nil || from < 0 || from > len(summaries) {
				return nil, refuse("InvalidPaginationTokenException", "there is no page %q", in.NextToken)
			}
			page := summaries[from:]
			out := map[string]any{"requestId": requestID}
			if len(page) > listPage {
				page = page[:listPage]
				out["nextToken"] = strconv.Itoa(from + listPage)
			}
			out["imageSummaryList"] = page
			return out, nil
		}),
		"POST /ListWorkflowExecutions": decoding(func(in get) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			b, err := a.image(in.ImageBuildVersionArn)
			if err != nil {
				return nil, err
			}
			executions := []any{}
			for _, w := range b.workflows {
				executions = append(executions, w.summary())
			}
			return map[string]any{"requestId": requestID, "imageBuildVersionArn": b.arn, "workflowExecutions": executions}, nil
		}),
		"POST /ListWorkflowStepExecutions": decoding(func(in listSteps) (any, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			for _, b := range a.builds {
				for _, w := range b.workflows {
					if w.id == in.WorkflowExecutionId {
						return map[string]any{
							"requestId": requestID, "imageBuildVersionArn": b.arn, "workflowExecutionId": w.id, "steps": w.list(),
						}, nil
					}
				}
			}
			return nil, refuse("ResourceNotFoundException", "there is no workflow execution %q", in.WorkflowExecutionId)
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
		"platform": "Linux", "dateCreated": b.created.UTC().Format(time.RFC3339), "state": state, "tags": b.tags,
		"outputResources": map[string]any{"amis": amis},
	}
}
