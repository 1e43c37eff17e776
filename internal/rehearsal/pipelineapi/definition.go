package pipelineapi

import (
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

type listPipelines struct {
	MaxResults *int
	NextToken  string
}

func (p *pipelines) list(_ string, in listPipelines) (any, error) {
	all, next, err := page(p.Runner.Pipelines(), func(p runner.Pipeline) string { return p.Name }, in.NextToken, in.MaxResults, 1000)
	if err != nil {
		return nil, err
	}
	summaries := []object{}
	for _, one := range all {
		summaries = append(summaries, object{
			"name": one.Name, "version": one.Version, "pipelineType": "V2", "executionMode": one.Mode,
			"created": seconds(one.Created), "updated": seconds(one.Updated),
		})
	}
	return object{"pipelines": summaries}.with(object{"nextToken": next}), nil
}

type getPipeline struct {
	Name    string
	Version *int
}

func (p *pipelines) get(_ string, in getPipeline) (any, error) {
	one, err := p.Runner.Pipeline(in.Name)
	if err != nil {
		return nil, coded(err, "")
	}
	if in.Version != nil && *in.Version != one.Version {
		return nil, awssim.Refuse("PipelineVersionNotFoundException", "pipeline %q is at version %d; only that one is kept", in.Name, one.Version)
	}
	var stages []object
	for _, stage := range one.Stages {
		var actions []object
		for _, a := range stage.Actions {
			actions = append(actions, declaration(a))
		}
		stages = append(stages, object{"name": stage.Name, "actions": actions})
	}
	return object{
		"pipeline": object{
			"name": one.Name, "version": one.Version, "pipelineType": "V2", "executionMode": one.Mode, "stages": stages,
		},
		"metadata": object{
			"pipelineArn": "arn:aws:codepipeline:" + p.Region + ":" + p.Account + ":" + one.Name,
			"created":     seconds(one.Created), "updated": seconds(one.Updated),
		},
	}, nil
}

func declaration(a runner.ActionDefinition) object {
	out := object{
		"name": a.Name, "actionTypeId": typeID(a), "runOrder": a.RunOrder,
		"inputArtifacts": artifacts(a.InputArtifacts), "outputArtifacts": artifacts(a.OutputArtifacts),
	}
	if a.TimeoutInMinutes > 0 {
		out["timeoutInMinutes"] = a.TimeoutInMinutes
	}
	return out.with(object{"configuration": a.Configuration, "namespace": a.Namespace})
}

func typeID(a runner.ActionDefinition) object {
	return object{"category": a.Category, "owner": a.Owner, "provider": a.Provider, "version": a.Version}
}

func artifacts(names []string) []object {
	out := []object{}
	for _, name := range names {
		out = append(out, object{"name": name})
	}
	return out
}
