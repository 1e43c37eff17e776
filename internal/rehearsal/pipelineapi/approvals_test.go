package pipelineapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnApprovalIsRecordedWithWhoGaveIt(t *testing.T) {
	w := newWorld(t)
	head := w.commit("Bring in ami-1\n\nArtifact-Tag: v1")
	id := w.start()
	token := w.asks(id)
	require.NoError(t, w.decide(w.jane, token, types.ApprovalStatusApproved, "approved d1"))
	state := w.stage("Approve").ActionStates[0].LatestExecution
	assert.Equal(t, types.ActionExecutionStatusSucceeded, state.Status, "a decision is to be seen at once")
	assert.Equal(t, jane, *state.LastUpdatedBy)
	assert.Equal(t, "approved d1", *state.Summary)
	assert.Nil(t, state.Token)
	assert.WithinDuration(t, time.Now(), *state.LastStatusChange, time.Minute)

	e := w.becomes(id, types.PipelineExecutionStatusSucceeded)
	assert.Equal(t, types.TriggerTypeStartPipelineExecution, e.Trigger.TriggerType)
	assert.Equal(t, dev, *e.Trigger.TriggerDetail)
	require.Len(t, e.ArtifactRevisions, 1)
	assert.Equal(t, head, *e.ArtifactRevisions[0].RevisionId)
	assert.Equal(t, "source", *e.ArtifactRevisions[0].Name)
	assert.JSONEq(t, `{"ProviderType":"GitHub","CommitMessage":"Bring in ami-1\n\nArtifact-Tag: v1"}`, *e.ArtifactRevisions[0].RevisionSummary)
	assert.Equal(t, []string{
		"Source/Infrastructure Succeeded", "Review/Review Succeeded", "Approve/Decide Succeeded", "Deploy/Deploy Succeeded",
	}, w.runs(id))

	details := w.details(id)
	assert.Equal(t, jane, *details[1].UpdatedBy)
	assert.Equal(t, "approved d1", *details[1].Output.ExecutionResult.ExternalExecutionSummary)
	assert.Equal(t, "digest d1", details[1].Input.ResolvedConfiguration["CustomData"])
	review := details[2]
	assert.Equal(t, map[string]string{"REVIEW_DIGEST": "d1"}, review.Output.OutputVariables)
	assert.Equal(t, "Review", *review.Input.Namespace)
	assert.Contains(t, review.Input.ResolvedConfiguration["EnvironmentVariables"], id)
	assert.NotContains(t, review.Input.Configuration["EnvironmentVariables"], id)
	assert.Equal(t, head, details[3].Output.OutputVariables["CommitId"])
	assert.Nil(t, review.UpdatedBy)
}

func TestARejectionFailsTheExecution(t *testing.T) {
	w := newWorld(t)
	id := w.start()
	require.NoError(t, w.decide(w.jane, w.asks(id), types.ApprovalStatusRejected, "not on a Friday"))
	e := w.becomes(id, types.PipelineExecutionStatusFailed)
	assert.Equal(t, "stage Approve: action Decide failed", *e.StatusSummary)
	assert.Equal(t, types.StageExecutionStatusFailed, w.stage("Approve").LatestExecution.Status)
	decided := w.details(id)[0]
	assert.Equal(t, types.ActionExecutionStatusFailed, decided.Status)
	assert.Equal(t, jane, *decided.UpdatedBy)
	assert.Equal(t, "not on a Friday", *decided.Output.ExecutionResult.ExternalExecutionSummary)
	assert.Nil(t, w.stage("Deploy").LatestExecution, "nothing was deployed")
}

func TestATokenIsGoodOnce(t *testing.T) {
	w := newWorld(t)
	id := w.start()
	token := w.asks(id)
	assert.Equal(t, "InvalidApprovalTokenException", code(t, w.decide(w.jane, unknown, types.ApprovalStatusApproved, "x")))
	assert.Equal(t, "ValidationException", code(t, w.decide(w.jane, token, types.ApprovalStatusApproved, strings.Repeat("x", 513))))
	assert.Equal(t, "ValidationException", code(t, w.decide(w.jane, token, "Maybe", "x")))
	require.NoError(t, w.decide(w.jane, token, types.ApprovalStatusApproved, "yes"))
	err := w.decide(w.as("developer"), token, types.ApprovalStatusRejected, "no")
	var completed *types.ApprovalAlreadyCompletedException
	require.ErrorAs(t, err, &completed)
	w.becomes(id, types.PipelineExecutionStatusSucceeded)

	second := w.start()
	token = w.asks(second)
	_, err = w.jane.StopPipelineExecution(t.Context(), &codepipeline.StopPipelineExecutionInput{
		PipelineName: aws.String(pipeline), PipelineExecutionId: &second, Abandon: true,
	})
	require.NoError(t, err)
	w.becomes(second, types.PipelineExecutionStatusStopped)
	var expired *types.InvalidApprovalTokenException
	require.ErrorAs(t, w.decide(w.jane, token, types.ApprovalStatusApproved, "late"), &expired)
}

// An execution that waits for its approval holds the stage; newer ones supersede each other before it, and the newest enters when the
// pending approval is rejected.
func TestTheNewestEntersWhenThePendingApprovalIsRejected(t *testing.T) {
	w := newWorld(t)
	first := w.start()
	token := w.asks(first)
	second := w.start()
	inbound := func(id string) func() bool {
		return func() bool {
			s := w.stage("Approve")
			return s.InboundExecution != nil && *s.InboundExecution.PipelineExecutionId == id
		}
	}
	w.eventually(inbound(second))
	third := w.start()
	w.eventually(inbound(third))
	assert.Equal(t, "superseded by execution "+third, *w.becomes(second, types.PipelineExecutionStatusSuperseded).StatusSummary)
	s := w.stage("Approve")
	assert.Equal(t, first, *s.LatestExecution.PipelineExecutionId)
	assert.Equal(t, types.StageExecutionStatusInProgress, s.LatestExecution.Status)
	assert.Len(t, s.InboundExecutions, 1)

	require.NoError(t, w.decide(w.as("developer"), token, types.ApprovalStatusRejected, "superseded"))
	w.becomes(first, types.PipelineExecutionStatusFailed)
	next := w.asks(third)
	assert.NotEqual(t, token, next)
	assert.Nil(t, w.stage("Approve").InboundExecution)
	require.NoError(t, w.decide(w.jane, next, types.ApprovalStatusApproved, "yes"))
	w.becomes(third, types.PipelineExecutionStatusSucceeded)

	_, err := w.jane.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), PipelineExecutionId: &first,
		RetryMode: types.StageRetryModeFailedActions,
	})
	assert.Equal(t, "NotLatestPipelineExecutionException", code(t, err), "what was rejected does not come back past a newer one")
}
