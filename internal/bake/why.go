package bake

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// FailedError says that Image Builder ended without an image, and, as far as it could be found out, why.
type FailedError struct {
	ARN, State string
	// Reason is Image Builder's own, which names the component at best.
	Reason string
	// Step is the step of Image Builder's workflow that failed, with what it says, such as "ApplyBuildComponents: Document … failed!".
	Step string
	// Log are the lines of the bake's log that end with the failure.
	Log []string
	// Unknown says why Step or Log could not be read.
	Unknown string
}

// Error names state, reason and image, then the step and the end of the log, each on lines of its own.
func (e *FailedError) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = "no reason given"
	}
	text := fmt.Sprintf("baking %s: %s: %s", e.ARN, e.State, reason)
	if e.Step != "" {
		text += "\nstep " + e.Step
	}
	for _, line := range e.Log {
		text += "\n" + line
	}
	if e.Unknown != "" {
		text += "\n" + e.Unknown
	}
	return text
}

// Hint says where the log is.
func (e *FailedError) Hint() string { return whereToLook(e.ARN) }

// logOf is where Image Builder writes a build's log: EC2 Image Builder User Guide, "Monitor Image Builder logs with Amazon CloudWatch
// Logs".
func logOf(arn string) (region, group, stream string) {
	parts := strings.SplitN(arn, ":", 6)
	image, ok := strings.CutPrefix(parts[len(parts)-1], "image/")
	if len(parts) < 6 || !ok {
		return "", "", ""
	}
	name, version, _ := strings.Cut(image, "/")
	return parts[3], "/aws/imagebuilder/" + name, version
}

func whereToLook(arn string) string {
	region, group, stream := logOf(arn)
	if group == "" {
		return "open the image in the EC2 Image Builder console; its log is in CloudWatch Logs, group /aws/imagebuilder/<recipe name>"
	}
	// The console escapes a name twice and writes $ for the percent sign.
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$") }
	return fmt.Sprintf("its log is in CloudWatch Logs, group %s, stream %s: "+
		"https://%s.console.aws.amazon.com/cloudwatch/home?region=%[3]s#logsV2:log-groups/log-group/%s/log-events/%s",
		group, stream, region, escape(group), escape(stream))
}

// explain adds the failed step and the end of the log to a failure. That they cannot be read is said there and hides nothing.
func (b *baker) explain(ctx context.Context, failed *FailedError) {
	ctx, cancel := context.WithTimeout(ctx, retry.RequestTimeout)
	defer cancel()
	var unknown []string
	var err error
	if failed.Step, err = b.failedStep(ctx, failed.ARN); err != nil {
		unknown = append(unknown, fmt.Sprintf("the step that failed could not be read: %v", err))
	}
	if failed.Log, err = b.failureLog(ctx, failed.ARN); err != nil {
		unknown = append(unknown, fmt.Sprintf("the log could not be read: %v", err))
	}
	failed.Unknown = strings.Join(unknown, "\n")
}

// failedStep asks for the workflows of a build and for the failed one's steps; there are two workflows, of fewer than ten steps.
func (b *baker) failedStep(ctx context.Context, arn string) (string, error) {
	workflows, err := b.clients.ImageBuilder.ListWorkflowExecutions(ctx, &imagebuilder.ListWorkflowExecutionsInput{ImageBuildVersionArn: &arn})
	if err != nil {
		return "", err
	}
	for _, workflow := range workflows.WorkflowExecutions {
		if workflow.TotalStepsFailed == 0 {
			continue
		}
		steps, err := b.clients.ImageBuilder.ListWorkflowStepExecutions(ctx, &imagebuilder.ListWorkflowStepExecutionsInput{
			WorkflowExecutionId: workflow.WorkflowExecutionId,
		})
		if err != nil {
			return "", err
		}
		for _, step := range steps.Steps {
			if step.Status == types.WorkflowStepExecutionStatusFailed {
				return fmt.Sprintf("%s: %s", aws.ToString(step.Name), aws.ToString(step.Message)), nil
			}
		}
	}
	return "", nil
}

// How much of a log is read, and shown: what a step printed before it failed, and what follows the failure.
const (
	logEvents = 500
	before    = 16
	after     = 10
)

func (b *baker) failureLog(ctx context.Context, arn string) ([]string, error) {
	_, group, stream := logOf(arn)
	out, err := b.clients.Logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, Limit: aws.Int32(logEvents),
	})
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, event := range out.Events {
		for line := range strings.Lines(aws.ToString(event.Message)) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	return evidence(lines), nil
}

// evidence is the part of a log around its failure. After the failed step's block, which has its error message, Image Builder goes on
// to write how it cleans up (EC2 Image Builder User Guide, "Get the full component output from the logs").
func evidence(lines []string) []string {
	end := len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(strings.TrimSpace(lines[i]), "ErrorMessage:") {
			end = min(i+1+after, len(lines))
			return lines[max(0, i+1-before):end]
		}
	}
	return lines[max(0, end-before):]
}
