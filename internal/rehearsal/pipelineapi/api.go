// Package pipelineapi is the API of CodePipeline and CodeBuild over the rehearsal's pipeline runner, as far as relay asks: the state and
// history of pipelines, approvals, starting, stopping and retrying, and whether a build is still alive. What it says and accepts follows
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/ and https://docs.aws.amazon.com/codebuild/latest/APIReference/.
//
// Everything that happens, happens in the runner; here are only names, errors and pages. An action or a parameter that it was not
// taught is an error that names it.
package pipelineapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// Options say whose pipelines and builds they are.
type Options struct {
	// Runner runs them.
	Runner *runner.Runner
	// Account and Region are of their ARNs.
	Account, Region string
}

// CodePipeline answers requests for the service "codepipeline"; awssim.Caller must know who sends them.
func CodePipeline(o Options) http.Handler {
	p := &pipelines{Options: o, started: map[string]string{}}
	return awssim.JSONService("codepipeline", map[string]awssim.JSONAction{
		"ListPipelines":          awssim.Taught(p.list),
		"GetPipeline":            awssim.Taught(p.get),
		"GetPipelineState":       awssim.Taught(p.state),
		"ListPipelineExecutions": awssim.Taught(p.executions),
		"GetPipelineExecution":   awssim.Taught(p.execution),
		"ListActionExecutions":   awssim.Taught(p.actions),
		"PutApprovalResult":      awssim.Taught(p.approve),
		"StartPipelineExecution": awssim.Taught(p.start),
		"StopPipelineExecution":  awssim.Taught(p.stop),
		"RetryStageExecution":    awssim.Taught(p.retry),
		"DisableStageTransition": awssim.Taught(p.disable),
		"EnableStageTransition":  awssim.Taught(p.enable),
	})
}

type pipelines struct {
	Options

	mu      sync.Mutex
	started map[string]string // execution ID by client request token
}

// object is a JSON object. Members that are nil, empty or false are left out of it by with.
type object map[string]any

// with adds members that have a value.
func (o object) with(members object) object {
	for name, value := range members {
		switch v := value.(type) {
		case string:
			if v == "" {
				continue
			}
		case map[string]string:
			if len(v) == 0 {
				continue
			}
		case []object:
			if len(v) == 0 {
				continue
			}
		case time.Time:
			if v.IsZero() {
				continue
			}
			value = seconds(v)
		case object:
			if len(v) == 0 {
				continue
			}
		}
		o[name] = value
	}
	return o
}

// seconds is a timestamp of AWS JSON 1.1.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// codes are the names of the runner's errors.
var codes = map[error]string{
	runner.ErrNoPipeline:   "PipelineNotFoundException",
	runner.ErrNoStage:      "StageNotFoundException",
	runner.ErrNoAction:     "ActionNotFoundException",
	runner.ErrNoExecution:  "PipelineExecutionNotFoundException",
	runner.ErrToken:        "InvalidApprovalTokenException",
	runner.ErrDecided:      "ApprovalAlreadyCompletedException",
	runner.ErrNotRetryable: "StageNotRetryableException",
	runner.ErrNotLatest:    "NotLatestPipelineExecutionException",
	runner.ErrNotStoppable: "PipelineExecutionNotStoppableException",
	runner.ErrStopping:     "DuplicatedStopRequestException",
}

// coded gives an error of the runner the name that the API knows it by; missing is the name for an execution that does not exist, which
// some actions have no word of their own for.
func coded(err error, missing string) error {
	if err == nil {
		return nil
	}
	if missing != "" && errors.Is(err, runner.ErrNoExecution) {
		return awssim.Refuse(missing, "%s", err)
	}
	for known, code := range codes {
		if errors.Is(err, known) {
			return awssim.Refuse(code, "%s", err)
		}
	}
	return err
}

// invalid is a parameter that breaks a constraint.
func invalid(format string, args ...any) error {
	return awssim.Refuse("ValidationException", format, args...)
}

// required refuses parameters that are missing.
func required(parameters map[string]string) error {
	var missing []string
	for name, value := range parameters {
		if value == "" {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		return invalid("missing required parameters: %s", strings.Join(missing, ", "))
	}
	return nil
}

// page is the part of a list that a request asks for, and the token of the next one. A token is the ID of the last item before it, so
// that what is added at the list's front meanwhile is neither repeated nor shifts anything.
func page[T any](items []T, id func(T) string, token string, limit *int, most int) ([]T, string, error) {
	size := most
	if limit != nil {
		if size = *limit; size < 1 || size > most {
			return nil, "", invalid("maxResults is %d; expected 1 to %d", size, most)
		}
	}
	if token != "" {
		last := slices.IndexFunc(items, func(item T) bool { return id(item) == token })
		if last < 0 {
			return nil, "", awssim.Refuse("InvalidNextTokenException", "the next token %q is not one of this list", token)
		}
		items = items[last+1:]
	}
	if len(items) <= size {
		return items, "", nil
	}
	return items[:size], id(items[size-1]), nil
}
