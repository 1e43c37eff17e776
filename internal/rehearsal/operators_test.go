package rehearsal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// operator is the AWS configuration of a person's machine.
func operator(t *testing.T, r *rehearsal.Rehearsal, who string) aws.Config {
	t.Helper()
	variables, err := r.Operator(who)
	require.NoError(t, err)
	env := map[string]string{}
	for _, variable := range variables {
		key, value, _ := strings.Cut(variable, "=")
		env[key] = value
	}
	return aws.Config{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// TestAReviewIsApprovedThroughTheAPI rehearses without a callback: the approver has an own machine.
func TestAReviewIsApprovedThroughTheAPI(t *testing.T) {
	o := world{}.options(t)
	o.Approve = nil
	r, err := rehearsal.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	require.NoError(t, r.Provision(t.Context(), "dev"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	released := make(chan error, 1)
	go func() { released <- r.FirstRelease(ctx) }()

	config := operator(t, r, rehearsal.Approver)
	identity, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	client := codepipeline.NewFromConfig(config)
	name := aws.String(rehearsal.Product + "-dev-infrastructure")
	var stage types.StageState
	require.Eventually(t, func() bool {
		state, err := client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: name})
		require.NoError(t, err)
		for _, s := range state.StageStates {
			if last := s.ActionStates[0].LatestExecution; last != nil && last.Token != nil {
				stage = s
				return true
			}
		}
		return false
	}, 2*time.Minute, 50*time.Millisecond)
	action := stage.ActionStates[0]
	_, err = client.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{
		PipelineName: name, StageName: stage.StageName, ActionName: action.ActionName, Token: action.LatestExecution.Token,
		Result: &types.ApprovalResult{Status: types.ApprovalStatusApproved, Summary: aws.String("looks right")},
	})
	require.NoError(t, err)
	require.NoError(t, <-released)
	details, err := client.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{
		PipelineName: name, Filter: &types.ActionExecutionFilter{PipelineExecutionId: stage.LatestExecution.PipelineExecutionId},
	})
	require.NoError(t, err)
	found := false
	for _, d := range details.ActionExecutionDetails {
		if *d.ActionName != *action.ActionName {
			continue
		}
		found = true
		assert.Equal(t, *identity.Arn, *d.UpdatedBy)
		assert.Equal(t, "looks right", *d.Output.ExecutionResult.ExternalExecutionSummary)
	}
	assert.True(t, found)
	assert.Equal(t, runner.Succeeded, r.Executions()[len(r.Executions())-1].Status)

	_, err = sts.NewFromConfig(operator(t, r, "stranger")).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	assert.ErrorContains(t, err, "InvalidClientTokenId")
}
