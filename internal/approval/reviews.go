package approval

import (
	"context"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/tekpossible/ha-devops/internal/vars"
)

// Decision is what became of a review that asked for an approval.
type Decision string

// The decisions.
const (
	// Undecided: it waits.
	Undecided Decision = "waiting"
	Approved  Decision = "approved"
	Rejected  Decision = "rejected"
	// Ended: nobody decided, because it expired or a newer review took its place.
	Ended Decision = "ended"
)

// Review is a review that asked for an approval.
type Review struct {
	// Digest is the digest that the message to its approver names, in full.
	Digest string `json:"digest"`
	// Execution is the pipeline's run.
	Execution string `json:"execution"`
	// URI is the s3:// folder of the review, Summary one line about it, and Report the page for the approver, as the review said.
	URI     string `json:"uri"`
	Summary string `json:"summary"`
	Report  string `json:"report"`
	// Decision is what became of it; By is the ARN of who decided and Comment what they said.
	Decision Decision `json:"decision"`
	By       string   `json:"by,omitempty"`
	Comment  string   `json:"comment,omitempty"`
	// At is when it was decided, or began to wait.
	At time.Time `json:"at"`
}

// remembered is how many runs of actions are looked through: some 75 of the pipeline's.
const remembered = 300

var digestInMessage = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// Reviews are the reviews that asked for an approval lately, the newest first. The message that an approver was shown says which digest
// it is about (AWS CodePipeline API Reference, ListActionExecutions); the review's own variables tell the rest.
func (p Pipeline) Reviews(ctx context.Context) ([]Review, error) {
	var found []Review
	seen := 0
	err := p.actions(ctx, nil, func(a types.ActionExecutionDetail) bool {
		switch aws.ToString(a.ActionName) {
		case p.Approve:
			if review, ok := asked(a); ok {
				found = append(found, review)
			}
		case p.Review:
			describe(found, a)
		}
		seen++
		return seen < remembered
	})
	return found, err
}

// asked reads the run of an approval. One whose message could not be resolved asked nobody.
func asked(a types.ActionExecutionDetail) (Review, bool) {
	if a.Input == nil {
		return Review{}, false
	}
	digests := digestInMessage.FindAllString(a.Input.ResolvedConfiguration["CustomData"], -1)
	if len(digests) == 0 {
		return Review{}, false
	}
	r := Review{
		Digest: digests[len(digests)-1], Execution: aws.ToString(a.PipelineExecutionId), Report: a.Input.ResolvedConfiguration["ExternalEntityLink"],
		Decision: Ended, By: aws.ToString(a.UpdatedBy), At: aws.ToTime(a.LastUpdateTime).UTC(),
	}
	if a.Output != nil && a.Output.ExecutionResult != nil {
		r.Comment = aws.ToString(a.Output.ExecutionResult.ExternalExecutionSummary)
	}
	switch {
	case a.Status == types.ActionExecutionStatusInProgress:
		r.Decision, r.By, r.Comment, r.At = Undecided, "", "", aws.ToTime(a.StartTime).UTC()
	case a.Status == types.ActionExecutionStatusSucceeded:
		r.Decision = Approved
	case a.Status == types.ActionExecutionStatusFailed && r.By != "":
		r.Decision = Rejected
	}
	return r, true
}

// describe adds to the reviews what the run that made one of them said of it.
func describe(reviews []Review, a types.ActionExecutionDetail) {
	if a.Output == nil {
		return
	}
	var said vars.Reviewed
	if err := vars.Read(&said, func(name string) string { return a.Output.OutputVariables[name] }); err != nil {
		return // a run that failed said nothing
	}
	for i, r := range reviews {
		if r.Digest == said.Digest && r.Execution == aws.ToString(a.PipelineExecutionId) {
			reviews[i].URI, reviews[i].Summary, reviews[i].Report = said.URI, said.Summary, said.Report
		}
	}
}
