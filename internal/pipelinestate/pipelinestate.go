// Package pipelinestate looks at a pipeline: what runs in it now and what became of its newest execution, with the reason of a failure.
package pipelinestate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/tekpossible/ha-devops/internal/buildlog"
)

// API is the part of CodePipeline that is asked.
type API interface {
	codepipeline.ListPipelineExecutionsAPIClient
	codepipeline.ListActionExecutionsAPIClient
}

// Failures says why a build failed.
type Failures interface {
	Of(ctx context.Context, build string) (buildlog.Failure, error)
}

// Pipeline is a pipeline and what is going on in it.
type Pipeline struct {
	// Role is the role of the repository whose pipeline it is, Name the pipeline's.
	Role string `json:"role"`
	Name string `json:"name"`
	// Runs are its newest execution and all others that have not ended, the newest first; none before the first execution.
	Runs []Run `json:"runs"`
}

// Status says what an execution does, or how it ended.
type Status string

// The statuses.
const (
	Running    Status = "running"
	Waiting    Status = "waiting" // for its approval
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Stopped    Status = "stopped"
	Superseded Status = "superseded"
)

// Run is one execution of a pipeline.
type Run struct {
	Execution string `json:"execution"`
	Status    Status `json:"status"`
	// Stage is where it is or ended; empty for one that succeeded.
	Stage string `json:"stage,omitempty"`
	// Commit is the source commit's SHA-1, Subject the first line of its message; both are empty until the source was fetched.
	Commit  string `json:"commit,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Started is when it began, Since when it came to what it does now, or ended.
	Started time.Time `json:"started"`
	Since   time.Time `json:"since"`
	// Reason is why it failed or was stopped, a line for each problem, and Hint what to do, if relay said so.
	Reason string `json:"reason,omitempty"`
	Hint   string `json:"hint,omitempty"`
	// Log is the address of the failed build's log.
	Log string `json:"log,omitempty"`
}

// looked is how many executions are looked at: more than can be in a pipeline's stages at once.
const looked = 20

// Of looks at a pipeline; one that does not exist has no runs. With an error it returns what it found out all the same.
func Of(ctx context.Context, api API, failures Failures, role, name string) (Pipeline, error) {
	p := Pipeline{Role: role, Name: name, Runs: []Run{}}
	out, err := api.ListPipelineExecutions(ctx, &codepipeline.ListPipelineExecutionsInput{PipelineName: &name, MaxResults: aws.Int32(looked)})
	var missing *types.PipelineNotFoundException
	if errors.As(err, &missing) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("looking at pipeline %s: %w", name, err)
	}
	var problems []error
	for i, summary := range out.PipelineExecutionSummaries {
		run := begin(summary)
		if i > 0 && run.Status != Running {
			continue
		}
		if run.Status != Succeeded {
			problems = append(problems, run.look(ctx, api, failures, name))
		}
		p.Runs = append(p.Runs, run)
	}
	return p, errors.Join(problems...)
}

func begin(s types.PipelineExecutionSummary) Run {
	run := Run{
		Execution: aws.ToString(s.PipelineExecutionId), Status: statusOf(s.Status), Started: aws.ToTime(s.StartTime).UTC(),
		Since: aws.ToTime(s.LastUpdateTime).UTC(), Reason: aws.ToString(s.StatusSummary),
	}
	if s.StopTrigger != nil && s.StopTrigger.Reason != nil {
		run.Reason = *s.StopTrigger.Reason
	}
	for _, source := range s.SourceRevisions {
		run.Commit, run.Subject = aws.ToString(source.RevisionId), subject(aws.ToString(source.RevisionSummary))
	}
	return run
}

func statusOf(s types.PipelineExecutionStatus) Status {
	switch s {
	case types.PipelineExecutionStatusSucceeded:
		return Succeeded
	case types.PipelineExecutionStatusFailed:
		return Failed
	case types.PipelineExecutionStatusSuperseded:
		return Superseded
	case types.PipelineExecutionStatusStopped, types.PipelineExecutionStatusCancelled:
		return Stopped
	}
	return Running // InProgress, Stopping
}

// subject is the first line of a commit's message, which a source from a connection has in JSON (AWS CodePipeline User Guide,
// "CodeStarSourceConnection").
func subject(summary string) string {
	var commit struct{ CommitMessage string }
	if json.Unmarshal([]byte(summary), &commit) == nil {
		summary = commit.CommitMessage
	}
	first, _, _ := strings.Cut(strings.TrimSpace(summary), "\n")
	return first
}

// look finds out where a run is, or why it failed, from its newest action.
func (r *Run) look(ctx context.Context, api API, failures Failures, pipeline string) error {
	out, err := api.ListActionExecutions(ctx, &codepipeline.ListActionExecutionsInput{
		PipelineName: &pipeline, Filter: &types.ActionExecutionFilter{PipelineExecutionId: &r.Execution},
	})
	if err != nil {
		return fmt.Errorf("looking at execution %s of pipeline %s: %w", r.Execution, pipeline, err)
	}
	if len(out.ActionExecutionDetails) == 0 {
		return nil
	}
	a := out.ActionExecutionDetails[0]
	r.Stage = aws.ToString(a.StageName)
	if a.Status == types.ActionExecutionStatusInProgress {
		r.Since = aws.ToTime(a.StartTime).UTC()
		if isApproval(a) {
			r.Status = Waiting
		}
	}
	if r.Status == Failed && a.Status == types.ActionExecutionStatusFailed {
		return r.explain(ctx, failures, a)
	}
	return nil
}

func isApproval(a types.ActionExecutionDetail) bool {
	return a.Input != nil && a.Input.ActionTypeId != nil && a.Input.ActionTypeId.Category == types.ActionCategoryApproval
}

// explain prefers what relay itself said to CodePipeline's words for it, which name a build that failed and no more.
func (r *Run) explain(ctx context.Context, failures Failures, a types.ActionExecutionDetail) error {
	if a.Output == nil || a.Output.ExecutionResult == nil {
		return nil
	}
	result := a.Output.ExecutionResult
	if isApproval(a) {
		if by := aws.ToString(a.UpdatedBy); by != "" {
			r.Reason = fmt.Sprintf("rejected by %s: %s", by, aws.ToString(result.ExternalExecutionSummary))
		}
		return nil
	}
	if result.ErrorDetails != nil && aws.ToString(result.ErrorDetails.Message) != "" {
		r.Reason = *result.ErrorDetails.Message
	}
	r.Log = aws.ToString(result.ExternalExecutionUrl)
	build := aws.ToString(result.ExternalExecutionId)
	if build == "" || a.Input == nil || a.Input.ActionTypeId == nil || aws.ToString(a.Input.ActionTypeId.Provider) != "CodeBuild" {
		return nil
	}
	said, err := failures.Of(ctx, build)
	if said.Link != "" {
		r.Log = said.Link
	}
	if said.Reason != "" {
		r.Reason, r.Hint = said.Reason, said.Hint
	}
	return err
}
