package approval_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/approval"
)

// history is a pipeline with the runs of its actions, the newest first, one on a page.
type history struct {
	approval.Pipelines
	actions []types.ActionExecutionDetail
}

func (h history) ListActionExecutions(_ context.Context, in *codepipeline.ListActionExecutionsInput, _ ...func(*codepipeline.Options)) (*codepipeline.ListActionExecutionsOutput, error) {
	at := len(aws.ToString(in.NextToken))
	out := &codepipeline.ListActionExecutionsOutput{ActionExecutionDetails: h.actions[at : at+1]}
	if at+1 < len(h.actions) {
		out.NextToken = aws.String(strings.Repeat("x", at+1))
	}
	return out, nil
}

func asked(execution, message, by string, status types.ActionExecutionStatus) types.ActionExecutionDetail {
	a := types.ActionExecutionDetail{
		ActionName: aws.String("Approve"), PipelineExecutionId: &execution, Status: status,
		Input: &types.ActionExecutionInput{ResolvedConfiguration: map[string]string{"CustomData": message}},
	}
	if by != "" {
		a.UpdatedBy = &by
	}
	return a
}

func TestReviewsThatAskedForAnApproval(t *testing.T) {
	digest := func(c string) string { return strings.Repeat(c, 64) }
	reviewed := func(execution, digest string) types.ActionExecutionDetail {
		return types.ActionExecutionDetail{
			ActionName: aws.String("Review"), PipelineExecutionId: &execution, Status: types.ActionExecutionStatusSucceeded,
			Output: &types.ActionExecutionOutput{OutputVariables: map[string]string{
				"REVIEW_URI": "s3://b/" + execution + "/", "REVIEW_DIGEST": digest, "REVIEW_REPORT": "https://r", "REVIEW_SUMMARY": "1 to update", "REVIEW_CHANGES": "1",
			}},
		}
	}
	p := approval.Pipeline{Review: "Review", Approve: "Approve", API: history{actions: []types.ActionExecutionDetail{
		asked("e-5", "dev: of software "+digest("0")+". Review "+digest("5"), "", types.ActionExecutionStatusInProgress), reviewed("e-5", digest("5")),
		asked("e-4", "Review "+digest("4"), "kim", types.ActionExecutionStatusSucceeded), reviewed("e-4", digest("4")),
		asked("e-3", "Review "+digest("3"), "lee", types.ActionExecutionStatusFailed), reviewed("e-3", digest("9")),
		asked("e-2", "Review "+digest("2"), "", types.ActionExecutionStatusFailed),
		asked("e-1", "Review "+digest("1"), "kim", types.ActionExecutionStatusAbandoned),
		asked("e-0", "Review #{Review.REVIEW_DIGEST}", "", types.ActionExecutionStatusFailed),
	}}}
	reviews, err := p.Reviews(t.Context())
	require.NoError(t, err)
	require.Len(t, reviews, 5)
	var decisions []approval.Decision
	for i, r := range reviews {
		decisions = append(decisions, r.Decision)
		assert.Equal(t, digest(string(rune('5'-i))), r.Digest)
	}
	assert.Equal(t, []approval.Decision{approval.Undecided, approval.Approved, approval.Rejected, approval.Ended, approval.Ended}, decisions)
	assert.Equal(t, "s3://b/e-5/", reviews[0].URI)
	assert.Equal(t, "kim", reviews[1].By)
	assert.Empty(t, reviews[2].URI, "what the run said was about another review")
}
