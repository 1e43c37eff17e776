package pipelineapi

import (
	"slices"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

type listPipelineExecutions struct {
	PipelineName string
	MaxResults   *int
	NextToken    string
	Filter       *struct{ SucceededInStage *struct{ StageName string } }
}

func (p *pipelines) executions(_ string, in listPipelineExecutions) (any, error) {
	all, err := p.newestFirst(in.PipelineName)
	if err != nil {
		return nil, err
	}
	if in.Filter != nil && in.Filter.SucceededInStage != nil {
		all = slices.DeleteFunc(all, func(e runner.Execution) bool {
			return !slices.ContainsFunc(e.Stages, func(s runner.Stage) bool {
				return s.Name == in.Filter.SucceededInStage.StageName && s.Status == runner.Succeeded
			})
		})
	}
	all, next, err := page(all, func(e runner.Execution) string { return e.ID }, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	summaries := []object{}
	for _, e := range all {
		one := object{
			"pipelineExecutionId": e.ID, "status": e.Status, "startTime": seconds(e.Started), "lastUpdateTime": seconds(e.Updated),
			"executionMode": e.Mode, "executionType": "STANDARD", "trigger": trigger(e), "sourceRevisions": revisions(e, "actionName"),
		}.with(object{"statusSummary": e.Reason})
		if e.Status == runner.Stopped || e.Status == runner.Stopping {
			one["stopTrigger"] = object{"reason": e.Reason}
		}
		summaries = append(summaries, one)
	}
	return object{"pipelineExecutionSummaries": summaries}.with(object{"nextToken": next}), nil
}

type getPipelineExecution struct{ PipelineName, PipelineExecutionId string }

func (p *pipelines) execution(_ string, in getPipelineExecution) (any, error) {
	e, err := p.find(in.PipelineName, in.PipelineExecutionId)
	if err != nil {
		return nil, err
	}
	return object{"pipelineExecution": object{
		"pipelineName": e.Pipeline, "pipelineVersion": e.Version, "pipelineExecutionId": e.ID, "status": e.Status, "executionMode": e.Mode,
		"executionType": "STANDARD", "trigger": trigger(e), "artifactRevisions": revisions(e, "name"),
	}.with(object{"statusSummary": e.Reason})}, nil
}

func trigger(e runner.Execution) object {
	return object{"triggerType": e.Trigger.Type}.with(object{"triggerDetail": e.Trigger.Detail})
}

// revisions are the execution's source as a revision of its action or of its artifact, which name says.
func revisions(e runner.Execution, name string) []object {
	out := []object{}
	if len(e.Stages) == 0 || e.Message == "" {
		return out
	}
	source := e.Stages[0].Actions[0]
	called := source.Name
	if name == "name" {
		called = source.Definition.OutputArtifacts[0]
	}
	return append(out, object{name: called, "revisionId": e.Commit, "revisionSummary": revisionSummary(e.Message)})
}

// newestFirst are the executions of a pipeline.
func (p *pipelines) newestFirst(pipeline string) ([]runner.Execution, error) {
	all, err := p.Runner.ExecutionsOf(pipeline)
	slices.Reverse(all)
	return all, coded(err, "")
}

func (p *pipelines) find(pipeline, id string) (runner.Execution, error) {
	all, err := p.newestFirst(pipeline)
	if err != nil {
		return runner.Execution{}, err
	}
	i := slices.IndexFunc(all, func(e runner.Execution) bool { return e.ID == id })
	if i < 0 {
		return runner.Execution{}, awssim.Refuse("PipelineExecutionNotFoundException", "pipeline %q has no execution %q", pipeline, id)
	}
	return all[i], nil
}

type listActionExecutions struct {
	PipelineName string
	MaxResults   *int
	NextToken    string
	Filter       *struct{ PipelineExecutionId string }
}

// run is one run of an action, and where.
type run struct {
	execution runner.Execution
	stage     string
	runner.Action
}

func (p *pipelines) actions(_ string, in listActionExecutions) (any, error) {
	all, err := p.newestFirst(in.PipelineName)
	if err != nil {
		return nil, err
	}
	if in.Filter != nil {
		one, err := p.find(in.PipelineName, in.Filter.PipelineExecutionId)
		if err != nil {
			return nil, err
		}
		all = []runner.Execution{one}
	}
	var runs []run
	for _, e := range all {
		for _, stage := range slices.Backward(e.Stages) {
			for _, a := range slices.Backward(stage.Actions) {
				runs = append(runs, run{e, stage.Name, a})
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b run) int { return b.Started.Compare(a.Started) })
	runs, next, err := page(runs, func(r run) string { return r.ID }, in.NextToken, in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	details := []object{}
	for _, r := range runs {
		details = append(details, p.detail(r))
	}
	return object{"actionExecutionDetails": details}.with(object{"nextToken": next}), nil
}

func (p *pipelines) detail(r run) object {
	result := object{}.with(object{
		"externalExecutionId": external(r.Action), "externalExecutionSummary": summary(r.Action), "externalExecutionUrl": logURL(r.LogFile),
		"errorDetails": failure(r.Action),
	})
	if r.execution.Mode == parallel {
		result.with(object{"externalExecutionId": r.Token})
	}
	updated := r.Started
	if updated.Before(r.Ended) {
		updated = r.Ended
	}
	return object{
		"pipelineExecutionId": r.execution.ID, "pipelineVersion": r.execution.Version, "actionExecutionId": r.ID, "stageName": r.stage,
		"actionName": r.Name, "status": r.Status, "startTime": seconds(r.Started), "lastUpdateTime": seconds(updated),
		"input": object{
			"actionTypeId": typeID(r.Definition), "region": p.Region, "inputArtifacts": artifacts(r.Definition.InputArtifacts),
		}.with(object{
			"configuration": r.Definition.Configuration, "resolvedConfiguration": r.Configuration, "namespace": r.Definition.Namespace,
		}),
		"output": object{"outputArtifacts": artifacts(r.made())}.with(object{"executionResult": result, "outputVariables": r.Variables}),
	}.with(object{"updatedBy": r.By})
}

// made are the artifacts that the run has made.
func (r run) made() []string {
	if r.Status != runner.Succeeded {
		return nil
	}
	return r.Definition.OutputArtifacts
}
