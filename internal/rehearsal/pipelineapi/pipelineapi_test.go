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
	assert.Equal(t, []string{"Source/Infrastructure Succeeded", "Review/Review Succeeded", "Approve/Decide Succeeded", "Deploy/Deploy Succeeded"}, w.runs(id))

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
	assert.Equal(t, "InvalidApprovalTokenException", code(t, w.decide(w.jane, "8b2f4a30-0000-4000-8000-000000000000", types.ApprovalStatusApproved, "x")))
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
	require.Eventually(t, inbound(second), 20*time.Second, 5*time.Millisecond)
	third := w.start()
	require.Eventually(t, inbound(third), 20*time.Second, 5*time.Millisecond)
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
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), PipelineExecutionId: &first, RetryMode: types.StageRetryModeFailedActions,
	})
	assert.Equal(t, "NotLatestPipelineExecutionException", code(t, err), "what was rejected does not come back past a newer one")
}

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
	assert.Equal(t, "NotLatestPipelineExecutionException", code(t, retry("Review", "8b2f4a30-0000-4000-8000-000000000000")))
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
	require.Eventually(t, func() bool { return w.stage("Review").LatestExecution != nil && len(w.details(first)) == 2 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, stop(first, false))
	assert.Equal(t, "wrong commit", *w.becomes(first, types.PipelineExecutionStatusStopping).StatusSummary)
	assert.Equal(t, types.StageExecutionStatusStopping, w.stage("Review").LatestExecution.Status)
	assert.Equal(t, types.ActionExecutionStatusInProgress, w.details(first)[0].Status, "what runs is let alone")
	assert.Equal(t, "DuplicatedStopRequestException", code(t, stop(first, false)))
	second := w.start()
	require.Eventually(t, func() bool { return w.stage("Review").InboundExecution != nil }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, stop(second, false), "one that waits before a stage can be stopped")
	w.becomes(second, types.PipelineExecutionStatusStopped)
	require.NoError(t, stop(first, true))
	w.becomes(first, types.PipelineExecutionStatusStopped)
	assert.Equal(t, []string{"Source/Infrastructure Succeeded", "Review/Review Abandoned"}, w.runs(first))
	assert.Equal(t, "PipelineExecutionNotStoppableException", code(t, stop(first, true)))
	assert.Equal(t, "PipelineExecutionNotStoppableException", code(t, stop("8b2f4a30-0000-4000-8000-000000000000", true)))

	list, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(pipeline)})
	require.NoError(t, err)
	assert.Equal(t, "wrong commit", *list.PipelineExecutionSummaries[1].StopTrigger.Reason)
	assert.Equal(t, first, *list.PipelineExecutionSummaries[1].PipelineExecutionId)
}

func TestAClosedTransitionHoldsTheNewest(t *testing.T) {
	w := newWorld(t)
	_, err := w.jane.DisableStageTransition(t.Context(), &codepipeline.DisableStageTransitionInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Approve"), TransitionType: types.StageTransitionTypeInbound, Reason: aws.String("freeze"),
	})
	require.NoError(t, err)
	state := w.stage("Approve").InboundTransitionState
	assert.False(t, state.Enabled)
	assert.Equal(t, "freeze", *state.DisabledReason)
	assert.Equal(t, jane, *state.LastChangedBy)
	first := w.start()
	require.Eventually(t, func() bool { return w.stage("Approve").InboundExecution != nil }, 20*time.Second, 5*time.Millisecond)
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
		SourceRevisions: []types.SourceRevisionOverride{{ActionName: aws.String("Infrastructure"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: &old}},
	}
	one, err := w.jane.StartPipelineExecution(t.Context(), in)
	require.NoError(t, err)
	two, err := w.jane.StartPipelineExecution(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, one.PipelineExecutionId, two.PipelineExecutionId)
	w.asks(*one.PipelineExecutionId)
	assert.Equal(t, old, *w.becomes(*one.PipelineExecutionId, types.PipelineExecutionStatusInProgress).ArtifactRevisions[0].RevisionId)
}

func TestListsComeInPagesNewestFirst(t *testing.T) {
	w := newWorld(t)
	w.breaks(true)
	var ids []string
	for range 3 {
		id := w.start()
		w.becomes(id, types.PipelineExecutionStatusFailed)
		ids = append([]string{id}, ids...)
	}
	var got []string
	pages := codepipeline.NewListPipelineExecutionsPaginator(w.jane, &codepipeline.ListPipelineExecutionsInput{
		PipelineName: aws.String(pipeline), MaxResults: aws.Int32(2),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		assert.LessOrEqual(t, len(page.PipelineExecutionSummaries), 2)
		for _, one := range page.PipelineExecutionSummaries {
			got = append(got, *one.PipelineExecutionId)
			assert.Equal(t, "Infrastructure", *one.SourceRevisions[0].ActionName)
		}
	}
	assert.Equal(t, ids, got)
	var actions []string
	all := codepipeline.NewListActionExecutionsPaginator(w.jane, &codepipeline.ListActionExecutionsInput{PipelineName: aws.String(pipeline), MaxResults: aws.Int32(4)})
	for all.HasMorePages() {
		page, err := all.NextPage(t.Context())
		require.NoError(t, err)
		for _, one := range page.ActionExecutionDetails {
			actions = append(actions, *one.PipelineExecutionId+" "+*one.ActionName)
		}
	}
	var want []string
	for _, id := range ids {
		want = append(want, id+" Review", id+" Infrastructure")
	}
	assert.Equal(t, want, actions)
	_, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(pipeline), NextToken: aws.String("x")})
	assert.Equal(t, "InvalidNextTokenException", code(t, err))
	succeeded, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{
		PipelineName: aws.String(pipeline), Filter: &types.PipelineExecutionFilter{SucceededInStage: &types.SucceededInStageFilter{StageName: aws.String("Deploy")}},
	})
	require.NoError(t, err)
	assert.Empty(t, succeeded.PipelineExecutionSummaries)
}

func TestDefinitions(t *testing.T) {
	w := newWorld(t)
	w.pipeline("QUEUED")
	out, err := w.jane.GetPipeline(t.Context(), &codepipeline.GetPipelineInput{Name: aws.String(pipeline)})
	require.NoError(t, err)
	assert.Equal(t, "arn:aws:codepipeline:eu-west-1:111122223333:"+pipeline, *out.Metadata.PipelineArn)
	assert.Equal(t, types.PipelineTypeV2, out.Pipeline.PipelineType)
	assert.Equal(t, types.ExecutionModeQueued, out.Pipeline.ExecutionMode)
	assert.EqualValues(t, 2, *out.Pipeline.Version)
	var names []string
	for _, stage := range out.Pipeline.Stages {
		names = append(names, *stage.Name+"/"+*stage.Actions[0].Name+"/"+*stage.Actions[0].ActionTypeId.Provider)
	}
	assert.Equal(t, []string{
		"Source/Infrastructure/CodeStarSourceConnection", "Review/Review/CodeBuild", "Approve/Decide/Manual", "Deploy/Deploy/CodeBuild",
	}, names)
	list, err := w.jane.ListPipelines(t.Context(), &codepipeline.ListPipelinesInput{})
	require.NoError(t, err)
	require.Len(t, list.Pipelines, 1)
	assert.Equal(t, pipeline, *list.Pipelines[0].Name)

	_, err = w.jane.GetPipelineState(t.Context(), &codepipeline.GetPipelineStateInput{Name: aws.String("gone")})
	var gone *types.PipelineNotFoundException
	require.ErrorAs(t, err, &gone)
	_, err = w.jane.GetPipelineExecution(t.Context(), &codepipeline.GetPipelineExecutionInput{
		PipelineName: aws.String(pipeline), PipelineExecutionId: aws.String("8b2f4a30-0000-4000-8000-000000000000"),
	})
	assert.Equal(t, "PipelineExecutionNotFoundException", code(t, err))
}

func TestWhatWasNotTaughtIsNamed(t *testing.T) {
	w := newWorld(t)
	_, err := w.jane.RollbackStage(t.Context(), &codepipeline.RollbackStageInput{
		PipelineName: aws.String(pipeline), StageName: aws.String("Deploy"), TargetPipelineExecutionId: aws.String("x"),
	})
	assert.ErrorContains(t, err, `was not taught the action "RollbackStage"`)
	_, err = w.jane.StartPipelineExecution(t.Context(), &codepipeline.StartPipelineExecutionInput{
		Name: aws.String(pipeline), Variables: []types.PipelineVariable{{Name: aws.String("X"), Value: aws.String("1")}},
	})
	assert.ErrorContains(t, err, `unknown field "variables"`)
}

func TestWhoCalls(t *testing.T) {
	w := newWorld(t)
	for key, arn := range map[string]string{"approver": jane, "developer": dev} {
		out, err := w.whoami(key)
		require.NoError(t, err)
		assert.Equal(t, arn, *out.Arn)
		assert.Equal(t, account, *out.Account)
		assert.True(t, strings.HasSuffix(arn, (*out.UserId)[strings.Index(*out.UserId, ":")+1:]))
	}
	_, err := w.whoami("stranger")
	assert.Equal(t, "InvalidClientTokenId", code(t, err))
	_, err = w.as("stranger").ListPipelines(t.Context(), &codepipeline.ListPipelinesInput{})
	assert.Equal(t, "UnrecognizedClientException", code(t, err))
}
