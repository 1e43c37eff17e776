package pipelineapi

import (
	"slices"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

type putApprovalResult struct {
	PipelineName, StageName, ActionName, Token string
	Result                                     struct{ Status, Summary string }
}

// The limits of what people write, in characters: API_ApprovalResult and API_StopPipelineExecution of the API reference.
const (
	summaryLimit = 512
	reasonLimit  = 200
)

func (p *pipelines) approve(caller string, in putApprovalResult) (any, error) {
	if err := required(map[string]string{
		"pipelineName": in.PipelineName, "stageName": in.StageName, "actionName": in.ActionName, "token": in.Token,
	}); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"Approved", "Rejected"}, in.Result.Status) {
		return nil, invalid("result.status is %q; expected Approved or Rejected", in.Result.Status)
	}
	if n := len([]rune(in.Result.Summary)); n > summaryLimit {
		return nil, invalid("result.summary has %d characters; expected at most %d", n, summaryLimit)
	}
	decided, err := p.Runner.Decide(runner.Decision{
		Pipeline: in.PipelineName, Stage: in.StageName, Action: in.ActionName, Token: in.Token,
		Approved: in.Result.Status == "Approved", Summary: in.Result.Summary, By: caller,
	})
	if err != nil {
		return nil, coded(err, "")
	}
	return object{"approvedAt": seconds(decided)}, nil
}

type startPipelineExecution struct {
	Name, ClientRequestToken string
	SourceRevisions          []struct{ ActionName, RevisionType, RevisionValue string }
}

func (p *pipelines) start(caller string, in startPipelineExecution) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id := p.started[in.ClientRequestToken]; id != "" {
		return object{"pipelineExecutionId": id}, nil
	}
	one, err := p.Runner.Pipeline(in.Name)
	if err != nil {
		return nil, coded(err, "")
	}
	commit := ""
	for _, revision := range in.SourceRevisions {
		if source := one.Stages[0].Actions[0].Name; revision.ActionName != source || revision.RevisionType != "COMMIT_ID" {
			return nil, invalid("sourceRevisions: %+v is not simulated; a COMMIT_ID of action %q is", revision, source)
		}
		commit = revision.RevisionValue
	}
	id, err := p.Runner.StartAs(caller, in.Name, commit)
	if err != nil {
		return nil, coded(err, "")
	}
	if in.ClientRequestToken != "" {
		p.started[in.ClientRequestToken] = id
	}
	return object{"pipelineExecutionId": id}, nil
}

type stopPipelineExecution struct {
	PipelineName, PipelineExecutionId, Reason string
	Abandon                                   bool
}

func (p *pipelines) stop(_ string, in stopPipelineExecution) (any, error) {
	if n := len([]rune(in.Reason)); n > reasonLimit {
		return nil, invalid("reason has %d characters; expected at most %d", n, reasonLimit)
	}
	err := p.Runner.Stop(in.PipelineName, in.PipelineExecutionId, in.Abandon, in.Reason)
	return object{"pipelineExecutionId": in.PipelineExecutionId}, coded(err, "PipelineExecutionNotStoppableException")
}

type retryStageExecution struct{ PipelineName, StageName, PipelineExecutionId, RetryMode string }

func (p *pipelines) retry(_ string, in retryStageExecution) (any, error) {
	if !slices.Contains([]string{"FAILED_ACTIONS", "ALL_ACTIONS"}, in.RetryMode) {
		return nil, invalid("retryMode is %q; expected FAILED_ACTIONS or ALL_ACTIONS", in.RetryMode)
	}
	err := p.Runner.Retry(in.PipelineName, in.StageName, in.PipelineExecutionId, in.RetryMode == "ALL_ACTIONS")
	return object{"pipelineExecutionId": in.PipelineExecutionId}, coded(err, "NotLatestPipelineExecutionException")
}

type stageTransition struct{ PipelineName, StageName, TransitionType, Reason string }

func (p *pipelines) enable(caller string, in stageTransition) (any, error) {
	return p.transition(in, true, caller)
}

func (p *pipelines) disable(caller string, in stageTransition) (any, error) {
	if err := required(map[string]string{"reason": in.Reason}); err != nil {
		return nil, err
	}
	return p.transition(in, false, caller)
}

func (p *pipelines) transition(in stageTransition, open bool, caller string) (any, error) {
	if in.TransitionType != "Inbound" {
		return nil, invalid("the rehearsal was not taught the transitionType %q; it knows Inbound", in.TransitionType)
	}
	return object{}, coded(p.Runner.SetTransition(in.PipelineName, in.StageName, open, in.Reason, caller), "")
}
