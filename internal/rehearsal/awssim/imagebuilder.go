package awssim

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

type component struct {
	name, version, data string
	document            document
}

// Recipe is an image recipe.
type Recipe struct {
	Name, Version string
	Components    []ComponentRef
	// ParentImage is the base. If it is the ID of an image of the account with a Root, the bake starts from a copy of that;
	// any other is somebody else's, whose content is not known here, and the bake starts from an empty root.
	ParentImage  string
	BlockDevices []BlockDevice
}

// ComponentRef is a component of a recipe, with the values of its parameters.
type ComponentRef struct {
	ARN        string
	Parameters map[string]string
}

// Infrastructure is an infrastructure configuration.
type Infrastructure struct{ Name string }

// Distribution is a distribution configuration for the account's region.
type Distribution struct {
	// AMIName is the AMI's name, in which {{ imagebuilder:buildDate }} and {{ imagebuilder:buildVersion }} are replaced.
	AMIName string
	AMITags map[string]string
	// LaunchPermission are the account IDs that may launch the AMI.
	LaunchPermission []string
}

// ImagePipeline is an image pipeline.
type ImagePipeline struct {
	Name                                          string
	RecipeARN, InfrastructureARN, DistributionARN string
}

// PutComponent adds a component. Its document is checked. As in AWS a component never changes: another content under the
// same ARN is an error.
func (a *Account) PutComponent(arn, name, version, data string) error {
	doc, err := parseDocument(data)
	if err != nil {
		return fmt.Errorf("component %s: %w", arn, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.components[arn]; old != nil && old.data != data {
		return fmt.Errorf("component %s: it exists with other content; give the new content a version of its own", arn)
	}
	a.components[arn] = &component{name, version, data, doc}
	return nil
}

// PutRecipe adds a recipe, whose components must exist. As in AWS a recipe never changes.
func (a *Account) PutRecipe(arn string, recipe Recipe) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ref := range recipe.Components {
		if a.components[ref.ARN] == nil {
			return fmt.Errorf("recipe %s: component %s does not exist", arn, ref.ARN)
		}
	}
	if old, ok := a.recipes[arn]; ok && !reflect.DeepEqual(old, recipe) {
		return fmt.Errorf("recipe %s: it exists with other content; give the new content a version of its own", arn)
	}
	a.recipes[arn] = recipe
	return nil
}

// PutInfrastructure adds or updates an infrastructure configuration.
func (a *Account) PutInfrastructure(arn string, infrastructure Infrastructure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.infrastructures[arn] = infrastructure
}

// PutDistribution adds or updates a distribution configuration.
func (a *Account) PutDistribution(arn string, distribution Distribution) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.distributions[arn] = distribution
}

// PutImagePipeline adds or updates an image pipeline, whose parts must exist.
func (a *Account) PutImagePipeline(arn string, pipeline ImagePipeline) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.recipes[pipeline.RecipeARN]; !ok {
		return fmt.Errorf("image pipeline %s: recipe %s does not exist", arn, pipeline.RecipeARN)
	}
	if _, ok := a.infrastructures[pipeline.InfrastructureARN]; !ok {
		return fmt.Errorf("image pipeline %s: infrastructure configuration %s does not exist", arn, pipeline.InfrastructureARN)
	}
	if _, ok := a.distributions[pipeline.DistributionARN]; !ok {
		return fmt.Errorf("image pipeline %s: distribution configuration %s does not exist", arn, pipeline.DistributionARN)
	}
	a.imagePipelines[arn] = pipeline
	return nil
}

// DeleteComponent deletes a component; one that a recipe names is refused.
func (a *Account) DeleteComponent(arn string) error {
	return remove(a, "component", arn, a.components, a.recipes, func(recipe Recipe) bool {
		return slices.ContainsFunc(recipe.Components, func(ref ComponentRef) bool { return ref.ARN == arn })
	})
}

// DeleteRecipe deletes a recipe; one that a pipeline names is refused.
func (a *Account) DeleteRecipe(arn string) error {
	return remove(a, "recipe", arn, a.recipes, a.imagePipelines, func(p ImagePipeline) bool { return p.RecipeARN == arn })
}

// DeleteInfrastructure deletes an infrastructure configuration; one that a pipeline names is refused.
func (a *Account) DeleteInfrastructure(arn string) error {
	return remove(a, "infrastructure configuration", arn, a.infrastructures, a.imagePipelines,
		func(p ImagePipeline) bool { return p.InfrastructureARN == arn })
}

// DeleteDistribution deletes a distribution configuration; one that a pipeline names is refused.
func (a *Account) DeleteDistribution(arn string) error {
	return remove(a, "distribution configuration", arn, a.distributions, a.imagePipelines,
		func(p ImagePipeline) bool { return p.DistributionARN == arn })
}

// DeleteImagePipeline deletes an image pipeline. What it is baking goes on.
func (a *Account) DeleteImagePipeline(arn string) error {
	return remove(a, "image pipeline", arn, a.imagePipelines, map[string]struct{}{}, nil)
}

// remove deletes a resource that exists and that none of the users uses.
func remove[T, U any](a *Account, kind, arn string, resources map[string]T, users map[string]U, uses func(U) bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := resources[arn]; !ok {
		return fmt.Errorf("deleting %s %s: it does not exist", kind, arn)
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		if uses(users[user]) {
			return fmt.Errorf("deleting %s %s: %s uses it; delete that first", kind, arn, user)
		}
	}
	delete(resources, arn)
	return nil
}
