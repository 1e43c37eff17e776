// Package buildlog finds out from the end of a build's log why relay failed in it, and where the log can be read.
package buildlog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
)

// Builds is the part of CodeBuild that is asked.
type Builds interface {
	BatchGetBuilds(context.Context, *codebuild.BatchGetBuildsInput, ...func(*codebuild.Options)) (*codebuild.BatchGetBuildsOutput, error)
}

// Logs is the part of CloudWatch Logs that is asked.
type Logs interface {
	GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error)
}

// Reader reads builds' logs.
type Reader struct {
	Builds Builds
	Logs   Logs
}

// Failure is what a build's log says of its failure.
type Failure struct {
	// Reason is relay's own error, a line for each problem; empty when the log has none.
	Reason string
	// Hint says what to do, as relay said it.
	Hint string
	// Link is where the log can be read.
	Link string
}

// tail is how many lines are read: relay's errors are the last that a command prints, and CodeBuild adds some twenty.
const tail = 200

// How relay marks its lines; cmd/relay prints them.
const (
	errorMark = "relay: error: "
	hintMark  = "relay: hint: "
)

// Of reads the end of a build's log. A build without a log, because it failed before it began, says nothing.
func (r Reader) Of(ctx context.Context, build string) (Failure, error) {
	out, err := r.Builds.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{build}})
	if err != nil {
		return Failure{}, fmt.Errorf("asking for build %s: %w", build, err)
	}
	if len(out.Builds) != 1 || out.Builds[0].Logs == nil {
		return Failure{}, nil
	}
	logs := out.Builds[0].Logs
	f := Failure{Link: aws.ToString(logs.DeepLink)}
	if logs.GroupName == nil || logs.StreamName == nil {
		return f, nil
	}
	events, err := r.Logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: logs.GroupName, LogStreamName: logs.StreamName, Limit: aws.Int32(tail),
	})
	var missing *logtypes.ResourceNotFoundException
	if errors.As(err, &missing) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("reading the log of build %s: %w", build, err)
	}
	var lines []string
	for _, event := range events.Events {
		for line := range strings.Lines(aws.ToString(event.Message)) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	f.Reason, f.Hint = said(lines)
	return f, nil
}

// said is the last command's error: its lines follow one another.
func said(lines []string) (reason, hint string) {
	var problems []string
	for i, line := range lines {
		if text, ok := strings.CutPrefix(line, errorMark); ok {
			if i == 0 || !strings.HasPrefix(lines[i-1], errorMark) {
				problems, hint = nil, ""
			}
			problems = append(problems, text)
		} else if text, ok := strings.CutPrefix(line, hintMark); ok {
			hint = text
		}
	}
	return strings.Join(problems, "\n"), hint
}
