// Package approval asks CodePipeline about a pipeline's manual approval: who approved what, whether a newer review has overtaken it, and
// which older ones still wait. It also decides on one that waits.
package approval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Pipelines is the part of CodePipeline that approvals need.
type Pipelines interface {
	ListActionExecutions(context.Context, *codepipeline.ListActionExecutionsInput, ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error)
	GetPipelineState(context.Context, *codepipeline.GetPipelineStateInput, ...func(*codepipeline.Options)) (*codepipeline.GetPipelineStateOutput, error)
	StopPipelineExecution(context.Context, *codepipeline.StopPipelineExecutionInput, ...func(*codepipeline.Options)) (*codepipeline.StopPipelineExecutionOutput, error)
	PutApprovalResult(context.Context, *codepipeline.PutApprovalResultInput, ...func(*codepipeline.Options)) (*codepipeline.PutApprovalResultOutput, error)
}

// Pipeline is an infrastructure pipeline with its two actions.
type Pipeline struct {
	API Pipelines
	// Name is the pipeline's, Review and Approve are those of its actions and of their stages.
	Name, Review, Approve string
}

// Approval is a decision to go on.
type Approval struct {
	// By is the ARN of who decided, At when, Comment what they said.
	By      string
	At      time.Time
	Comment string
}

// Of returns the approval of an execution, and whether it was given to the digest: the message that the approver was shown names it
// (AWS CodePipeline API Reference, ListActionExecutions).
func (p Pipeline) Of(ctx context.Context, execution, digest string) (Approval, bool, error) {
	var found Approval
	ok := false
	err := p.actions(ctx, &types.ActionExecutionFilter{PipelineExecutionId: &execution}, func(a types.ActionExecutionDetail) bool {
		if aws.ToString(a.ActionName) != p.Approve {
			return true
		}
		shown := ""
		if a.Input != nil {
			shown = a.Input.ResolvedConfiguration["CustomData"]
		}
		if a.Status == types.ActionExecutionStatusSucceeded && strings.Contains(shown, digest) {
			found, ok = Approval{By: aws.ToString(a.UpdatedBy), At: aws.ToTime(a.LastUpdateTime)}, true
			if a.Output != nil && a.Output.ExecutionResult != nil {
				found.Comment = aws.ToString(a.Output.ExecutionResult.ExternalExecutionSummary)
			}
		}
		return false // the newest attempt decides
	})
	return found, ok, err
}

// Newer returns the execution whose review is the newest, when that is another than the given one's and was made later.
func (p Pipeline) Newer(ctx context.Context, execution string) (string, error) {
	newest := ""
	err := p.actions(ctx, nil, func(a types.ActionExecutionDetail) bool {
		if aws.ToString(a.ActionName) != p.Review || a.Status != types.ActionExecutionStatusSucceeded {
			return true
		}
		newest = aws.ToString(a.PipelineExecutionId)
		return false
	})
	if newest == execution {
		return "", err
	}
	return newest, err
}

// actions visits a pipeline's action executions, the newest first, until visit returns false.
func (p Pipeline) actions(ctx context.Context, filter *types.ActionExecutionFilter, visit func(types.ActionExecutionDetail) bool) error {
	pages := codepipeline.NewListActionExecutionsPaginator(p.API, &codepipeline.ListActionExecutionsInput{PipelineName: &p.Name, Filter: filter})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("looking at the actions of pipeline %s: %w", p.Name, err)
		}
		for _, a := range page.ActionExecutionDetails {
			if !visit(a) {
				return nil
			}
		}
	}
	return nil
}

// Waiting is an approval that nobody has decided on.
type Waiting struct {
	// Execution is the pipeline's run that waits, Message what its approver is shown, Since when it began to wait.
	Execution, Message string
	Since              time.Time
	token              string
}

// Waiting returns the approval that waits, if one does: a stage holds one execution at a time.
func (p Pipeline) Waiting(ctx context.Context) (Waiting, bool, error) {
	state, err := p.API.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &p.Name})
	if err != nil {
		return Waiting{}, false, fmt.Errorf("looking at pipeline %s: %w", p.Name, err)
	}
	for _, stage := range state.StageStates {
		for _, action := range stage.ActionStates {
			latest := action.LatestExecution
			if aws.ToString(action.ActionName) != p.Approve || latest == nil || latest.Status != types.ActionExecutionStatusInProgress || latest.Token == nil {
				continue
			}
			w := Waiting{Since: aws.ToTime(latest.LastStatusChange), token: *latest.Token, Message: aws.ToString(latest.Summary)}
			if stage.LatestExecution != nil {
				w.Execution = aws.ToString(stage.LatestExecution.PipelineExecutionId)
			}
			return w, true, nil
		}
	}
	return Waiting{}, false, nil
}

// Stop ends the execution that waits, with a reason of at most 200 characters: nobody can approve it any more. Whoever may stop a
// pipeline need not be allowed to approve.
func (p Pipeline) Stop(ctx context.Context, w Waiting, reason string) error {
	_, err := p.API.StopPipelineExecution(ctx, &codepipeline.StopPipelineExecutionInput{
		PipelineName: &p.Name, PipelineExecutionId: &w.Execution, Abandon: true, Reason: aws.String(cut(reason, 200)),
	})
	var over *types.PipelineExecutionNotStoppableException
	var twice *types.DuplicatedStopRequestException
	if errors.As(err, &over) || errors.As(err, &twice) {
		return ErrDecided
	}
	if err != nil {
		return fmt.Errorf("stopping execution %s of pipeline %s: %w", w.Execution, p.Name, err)
	}
	return nil
}

// Decide approves or rejects what waits, with a comment of at most 512 characters. ErrDecided says that somebody else came first.
func (p Pipeline) Decide(ctx context.Context, w Waiting, approve bool, comment string) error {
	status := types.ApprovalStatusRejected
	if approve {
		status = types.ApprovalStatusApproved
	}
	_, err := p.API.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{
		PipelineName: &p.Name, StageName: &p.Approve, ActionName: &p.Approve, Token: &w.token,
		Result: &types.ApprovalResult{Status: status, Summary: aws.String(cut(comment, 512))},
	})
	var late *types.ApprovalAlreadyCompletedException
	var stale *types.InvalidApprovalTokenException
	if errors.As(err, &late) || errors.As(err, &stale) {
		return ErrDecided
	}
	if err != nil {
		return fmt.Errorf("deciding on the approval of pipeline %s: %w", p.Name, err)
	}
	return nil
}

// ErrDecided says that an approval no longer waits.
var ErrDecided = errors.New("the approval no longer waits: somebody decided on it")

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
