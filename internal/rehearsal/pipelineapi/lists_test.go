package pipelineapi_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	all := codepipeline.NewListActionExecutionsPaginator(w.jane, &codepipeline.ListActionExecutionsInput{
		PipelineName: aws.String(pipeline), MaxResults: aws.Int32(4),
	})
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
	_, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{
		PipelineName: aws.String(pipeline), NextToken: aws.String("x"),
	})
	assert.Equal(t, "InvalidNextTokenException", code(t, err))
	succeeded, err := w.jane.ListPipelineExecutions(t.Context(), &codepipeline.ListPipelineExecutionsInput{
		PipelineName: aws.String(pipeline),
		Filter:       &types.PipelineExecutionFilter{SucceededInStage: &types.SucceededInStageFilter{StageName: aws.String("Deploy")}},
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
		PipelineName: aws.String(pipeline), PipelineExecutionId: aws.String(unknown),
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
