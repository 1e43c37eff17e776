package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The definitions below name every property of the Pulumi resources; what is not listed is refused by the strict decoder.
// Properties of type ignored have no meaning on one machine: roles, keys, tags, networks, log groups.
type ignored = json.RawMessage

type pipelineDefinition struct {
	Name          string               `json:"name"`
	ExecutionMode string               `json:"executionMode"`
	PipelineType  string               `json:"pipelineType"`
	Stages        []stageDefinition    `json:"stages"`
	Triggers      []trigger            `json:"triggers"`
	Variables     []variableDefinition `json:"variables"`

	ArtifactStores, RoleArn, Tags, TagsAll, Arn, TriggerAlls ignored

	version int
}

type variableDefinition struct {
	Name         string `json:"name"`
	DefaultValue string `json:"defaultValue"`
	Description  ignored
}

type stageDefinition struct {
	Name        string             `json:"name"`
	Actions     []ActionDefinition `json:"actions"`
	BeforeEntry *condition         `json:"beforeEntry"`
}

// ActionDefinition is an action as its pipeline defines it, in the words of
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html.
type ActionDefinition struct {
	Name             string            `json:"name"`
	Category         string            `json:"category"`
	Owner            string            `json:"owner"`
	Provider         string            `json:"provider"`
	Version          string            `json:"version"`
	Configuration    map[string]string `json:"configuration"`
	InputArtifacts   []string          `json:"inputArtifacts"`
	OutputArtifacts  []string          `json:"outputArtifacts"`
	Namespace        string            `json:"namespace"`
	RunOrder         int               `json:"runOrder"`
	TimeoutInMinutes int               `json:"timeoutInMinutes"`

	Region, RoleArn ignored
}

// The execution modes.
const (
	modeQueued     = "QUEUED"
	modeSuperseded = "SUPERSEDED"
	modeParallel   = "PARALLEL"
)

// kinds are the actions that the runner knows, by category/owner/provider, with the configuration keys of each.
var kinds = map[string][]string{
	"Source/AWS/CodeStarSourceConnection": {
		"ConnectionArn", "FullRepositoryId", "BranchName", "OutputArtifactFormat", "DetectChanges",
	},
	"Build/AWS/CodeBuild": {"ProjectName", "EnvironmentVariables", "PrimarySource"},
	"Test/AWS/CodeBuild":  {"ProjectName", "EnvironmentVariables", "PrimarySource"},
	"Approval/AWS/Manual": {"NotificationArn", "CustomData", "ExternalEntityLink"},
}

func decodePipeline(name string, inputs map[string]any) (*pipelineDefinition, error) {
	d := &pipelineDefinition{}
	if err := decode(inputs, d); err != nil {
		return nil, fmt.Errorf("pipeline %q: %w", name, err)
	}
	d.Name = name
	if d.ExecutionMode == "" {
		d.ExecutionMode = modeSuperseded // https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html
	}
	if !slices.Contains([]string{modeQueued, modeSuperseded, modeParallel}, d.ExecutionMode) {
		return nil, fmt.Errorf("pipeline %q: executionMode %q is not QUEUED, SUPERSEDED or PARALLEL", name, d.ExecutionMode)
	}
	if d.PipelineType != "V2" {
		return nil, fmt.Errorf("pipeline %q: pipelineType %q is not simulated; only V2 is", name, d.PipelineType)
	}
	if len(d.Stages) < 2 {
		return nil, fmt.Errorf("pipeline %q: %d stages; CodePipeline requires at least 2", name, len(d.Stages))
	}
	if len(d.Stages[0].Actions) != 1 {
		return nil, fmt.Errorf("pipeline %q: %d source actions are not simulated; only one is", name, len(d.Stages[0].Actions))
	}
	for i, stage := range d.Stages {
		if len(stage.Actions) == 0 {
			return nil, fmt.Errorf("pipeline %q: stage %q has no actions", name, stage.Name)
		}
		if err := stage.BeforeEntry.check(i == 0); err != nil {
			return nil, fmt.Errorf("pipeline %q: stage %q: %w", name, stage.Name, err)
		}
		for j := range stage.Actions {
			if err := stage.Actions[j].complete(i == 0); err != nil {
				return nil, fmt.Errorf("pipeline %q: stage %q: action %q: %w", name, stage.Name, stage.Actions[j].Name, err)
			}
		}
	}
	for i := range d.Triggers {
		if err := d.Triggers[i].compile(d); err != nil {
			return nil, fmt.Errorf("pipeline %q: trigger: %w", name, err)
		}
	}
	return d, nil
}

// complete checks an action and fills in what CodePipeline fills in.
func (a *ActionDefinition) complete(first bool) error {
	kind := a.Category + "/" + a.Owner + "/" + a.Provider
	allowed, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("action type %q is not simulated; known are %q", kind, slices.Sorted(maps.Keys(kinds)))
	}
	if first != (a.Category == "Source") {
		return fmt.Errorf("category %s: source actions belong into the first stage and no others do", a.Category)
	}
	for key := range a.Configuration {
		if !slices.Contains(allowed, key) {
			return fmt.Errorf("configuration key %q is not known to %s; known are %q", key, kind, allowed)
		}
	}
	if a.Category == "Source" {
		for _, key := range allowed[:3] {
			if a.Configuration[key] == "" {
				return fmt.Errorf("configuration key %q is missing", key)
			}
		}
		switch a.Configuration["OutputArtifactFormat"] {
		case "", "CODE_ZIP", "CODEBUILD_CLONE_REF":
		default:
			return fmt.Errorf("OutputArtifactFormat %q is not CODE_ZIP or CODEBUILD_CLONE_REF", a.Configuration["OutputArtifactFormat"])
		}
		if len(a.OutputArtifacts) != 1 {
			return fmt.Errorf("%d output artifacts; a source has one", len(a.OutputArtifacts))
		}
	}
	if a.RunOrder == 0 {
		a.RunOrder = 1
	}
	return nil
}

// timeout is how long the action may take: what it says, or CodePipeline's limit for its kind.
func (a *ActionDefinition) timeout() time.Duration {
	switch {
	case a.TimeoutInMinutes > 0:
		return time.Duration(a.TimeoutInMinutes) * time.Minute
	case a.Category == "Approval":
		return 7 * 24 * time.Hour
	default:
		return 8 * time.Hour
	}
}

// decode puts properties into a struct and refuses those that the struct does not name.
func decode(properties map[string]any, target any) error {
	data, err := json.Marshal(properties)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("not simulated: %w", err)
	}
	return nil
}
