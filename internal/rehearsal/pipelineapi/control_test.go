package pipelineapi_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFailedStageIsRetried(t *testing.T) {
	w := newWorld(t)
	w.breaks(true)
	id := w.start()
	w.becomes(id, types.PipelineExecutionStatusFailed)
	failed := w.details(id)[0]
	assert.Equal(t, "JobFailed", *failed.Output.ExecutionResult.ErrorDetails.Code)
	assert.Contains(t, *failed.Output.ExecutionResult.ErrorDetails.Message, `build project "Review": exit status 1`)
	retry := func(stage, id string) error {
		_, err := w.jane.RetryStageExecution(t.Context(), &codepipeline.RetryStageExecutionInput{
			PipelineName: aws.String(pipeline), StageName: &stage, PipelineExecutionId: &id, RetryMode: types.StageRetryModeFailedActions,
		})
		return err
	}
	assert.Equal(t, "StageNotFoundException", code(t, retry("Nowhere", id)))
	assert.Equal(t, "NotLatestPipelineExecutionException", code(t, retry("Review", unknown)))
	assert.Equal(t, "StageNotRetryableException", code(t, retry("Source", id)))
	w.breaks(false)
	require.NoError(t, retry("Review", id))
	require.NoError(t, w.decide(w.jane, w.asks(id), types.ApprovalStatusRejected, "later"))
	w.becomes(id, types.PipelineExecutionStatusFailed)
	require.NoError(t, retry("Approve", id))
	require.NoError(t, w.decide(w.jane, w.asks(id), types.ApprovalStatusApproved, "now"))
	w.becomes(id, types.PipelineExecutionStatusSucceeded)
	assert.Equal(t, []string{
		"Source/Infrastructure Succeeded", "Review/Review Failed", "Review/Review Succeeded", "Approve/Decide Failed",
		"Approve/Decide Succeeded", "Deploy/Deploy Succeeded",
	}, w.runs(id))
	assert.Equal(t, "StageNotRetryableException", code(t, retry("Deploy", id)))

	w.breaks(true)
	id = w.start()
	w.becomes(id, types.PipelineExecutionStatusFailed)
	w.pipeline("QUEUED")
	assert.Equal(t, "StageNotRetryableException", code(t, retry("Review", id)), "the pipeline has changed since")
}

func TestStopping(t *testing.T) {
	w := newWorld(t)
	w.project("Review", "while ! test -e "+w.dir+"/go; do sleep 0.02; done")
	stop := func(id string, abandon bool) error {
		_, err := w.jane.StopPipelineExecution(t.Context(), &codepipeline.StopPipelineExecutionInput{
			PipelineName: aws.String(pipeline), PipelineExecutionId: &id, Abandon: abandon, Reason: aws.String("wrong commit"),
		})
		return err
	}
	first := w.start()
	w.eventually(func() bool { return w.stage("Review").LatestExecution != nil && len(w.details(first)) == 2 })
	require.NoError(t, stop(first, false))
	assert.Equal(t, "wrong commit", *w.becomes(first, types.PipelineExecutionStatusStopping).StatusSummary)
	assert.Equal(t, types.StageExecutionStatusStopping, w.stage("Review").LatestExecution.Status)
	assert.Equal(t, types.ActionExecutionStatusInProgress, w.details(first)[0].Status, "what runs is let alone")
	assert.Equal(t, "DuplicatedStopRequestException", code(t, stop(first, false)))
	second := w.start()
	w.eventually(func() bool { return w.stage("Review").InboundExecution != nil })
	require.NoError(t, stop(second, false), "one that waits before a stage can be stopped")
	w.becomes(second, types.PipelineExecutionStatusStopped)
	require.NoError(t, stop(first, true))
	w.becomes(first, types.PipelineExecutionStatusStopped)
	assert.Equal(t, []string{"Source/Infrastructure Succeeded", "Review/Review Abandoned"}, w.runs(first))
	assert.Equal(t, "PipelineExecutionNotStoppableException", code(t, stop(first, true)))
	assert.Equal(t, "PipelineExecutionNotStoppableException", code(t, stop(unknown, true)))

	list, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(pipeline)})
	require.NoError(t, err)
	assert.Equal(t, "wrong commit", *list.PipelineExecutionSummaries[1].StopTrigger.Reason)
	assert.Equal(t, first, *list.PipelineExecutionSummaries[1].PipelineExecutionId)
}

func TestAClosedTransitionHoldsTheNewest(t *testing.T) {
	w := newWorld(t)
	_, err := w.jane.DisableStageTransition(t.Context(), &codepipeline.DisableStageTransitionInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), Reason: aws.String("freeze"),
		TransitionType: types.StageTransitionTypeInbound,
	})
	require.NoError(t, err)
	state := w.stage("Approve").InboundTransitionState
	assert.False(t, state.Enabled)
	assert.Equal(t, "freeze", *state.DisabledReason)
	assert.Equal(t, jane, *state.LastChangedBy)
	first := w.start()
	w.eventually(func() bool { return w.stage("Approve").InboundExecution != nil })
	second := w.start()
	w.becomes(first, types.PipelineExecutionStatusSuperseded)
	_, err = w.jane.EnableStageTransition(t.Context(), &codepipeline.EnableStageTransitionInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), TransitionType: types.StageTransitionTypeInbound,
	})
	require.NoError(t, err)
	w.asks(second)
}

func TestStartingTwiceWithOneTokenStartsOnce(t *testing.T) {
	w := newWorld(t)
	old := w.git("rev-parse", "HEAD")
	w.commit("Newer")
	in := &codepipeline.StartPipelineExecutionInput{
		Name: aws.String(pipeline), ClientRequestToken: aws.String("7b1e9d52-0000-4000-8000-000000000000"),
		SourceRevisions: []types.SourceRevisionOverride{{
			ActionName: aws.String("Infrastructure"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &old,
		}},
	}
	one, err := w.jane.StartPipelineExecution(t.Context(), in)
	require.NoError(t, err)
	two, err := w.jane.StartPipelineExecution(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, one.PipelineExecutionId, two.PipelineExecutionId)
	w.asks(*one.PipelineExecutionId)
	assert.Equal(t, old, *w.becomes(*one.PipelineExecutionId, types.PipelineExecutionStatusInProgress).ArtifactRevisions[0].RevisionId)
}
