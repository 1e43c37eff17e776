package pipelineapi

import (
	"encoding/json"
	"strings"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

type getPipelineState struct{ Name string }

func (p *pipelines) state(_ string, in getPipelineState) (any, error) {
	one, err := p.Runner.Pipeline(in.Name)
	if err != nil {
		return nil, coded(err, "")
	}
	var stages []object
	for _, s := range one.Stages {
		stages = append(stages, stageState(s, one.Mode))
	}
	return object{
		"pipelineName": one.Name, "pipelineVersion": one.Version, "created": seconds(one.Created), "updated": seconds(one.Updated),
		"stageStates": stages,
	}, nil
}

// stageState tells of a stage: who entered it last, and of each action its newest run, which may be an older execution's.
func stageState(s runner.StageState, mode string) object {
	out := object{"stageName": s.Name, "inboundTransitionState": object{"enabled": !s.Transition.Closed}.with(object{
		"disabledReason": s.Transition.Reason, "lastChangedBy": s.Transition.By, "lastChangedAt": s.Transition.Changed,
	})}
	if s.Execution != "" {
		out["latestExecution"] = object{"pipelineExecutionId": s.Execution, "status": s.Status, "type": "STANDARD"}
	}
	inbound := []object{}
	for _, id := range s.Inbound {
		inbound = append(inbound, object{"pipelineExecutionId": id, "status": runner.InProgress, "type": "STANDARD"})
		out["inboundExecution"] = inbound[len(inbound)-1]
	}
	out["inboundExecutions"] = inbound
	var actions []object
	for i, definition := range s.Actions {
		state := object{"actionName": definition.Name}
		if run := s.Latest[i]; run.ID != "" {
			state["latestExecution"] = latest(run, mode)
			if commit := run.Variables["CommitId"]; definition.Category == "Source" && commit != "" {
				state["currentRevision"] = object{"revisionId": commit}
			}
		}
		actions = append(actions, state)
	}
	out["actionStates"] = actions
	return out
}

func latest(a runner.Action, mode string) object {
	changed := a.Started
	if !a.Ended.IsZero() {
		changed = a.Ended
	}
	out := object{"actionExecutionId": a.ID, "status": a.Status, "lastStatusChange": seconds(changed)}.with(object{
		"summary": summary(a), "externalExecutionId": external(a), "externalExecutionUrl": logURL(a.LogFile),
		"lastUpdatedBy": a.By, "errorDetails": failure(a),
	})
	// In PARALLEL mode one state cannot tell the token of each execution; there it is ListActionExecutions' externalExecutionId.
	if a.Status == runner.InProgress && mode != parallel {
		out.with(object{"token": a.Token})
	}
	return out
}

const parallel = "PARALLEL"

// summary is what the action's provider says of it. A source from a connection says it in JSON.
func summary(a runner.Action) string {
	if a.Definition.Category == "Source" && a.Variables != nil {
		return revisionSummary(a.Variables["CommitMessage"])
	}
	return a.Summary
}

func revisionSummary(message string) string {
	text, _ := json.Marshal(struct{ ProviderType, CommitMessage string }{"GitHub", message}) // strings have a JSON form
	return string(text)
}

// external is what the action's provider calls the run: the commit or the build.
func external(a runner.Action) string {
	if a.Definition.Category == "Source" {
		return a.Variables["CommitId"]
	}
	return a.BuildID
}

func logURL(file string) string {
	if file == "" {
		return ""
	}
	return "file://" + file
}

// failure is the error of a failed action. Of a build's it is one line, as CodePipeline's is; the log tells more. A rejection is none:
// its summary is the approver's.
func failure(a runner.Action) object {
	line, _, _ := strings.Cut(a.Error, "\n")
	if a.Status != runner.Failed || line == "" || a.By != "" {
		return nil
	}
	return object{"code": "JobFailed", "message": line}
}
