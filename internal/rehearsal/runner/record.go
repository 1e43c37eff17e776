package runner

import "time"

// Status is the status of an execution, stage or action, in CodePipeline's words.
type Status string

// The statuses.
const (
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	// Skipped is a stage that its condition passed over.
	Skipped Status = "Skipped"
	// Superseded is an execution that a newer one overtook before a stage.
	Superseded Status = "Superseded"
	// Stopping is an execution that ends when the actions that run now have ended.
	Stopping Status = "Stopping"
	// Stopped is an execution or a stage that ended because it was stopped, the runner closed or the pipeline was deleted.
	Stopped Status = "Stopped"
	// Abandoned is an action that was cut short by that.
	Abandoned Status = "Abandoned"
)

// Running says that an execution with this status has not ended.
func (s Status) Running() bool { return s == InProgress || s == Stopping }

// Execution is one run of a pipeline.
type Execution struct {
	// ID is a UUID, as CodePipeline gives it.
	ID string
	// Pipeline is the pipeline's name, Version that of the definition that it runs, Mode the definition's execution mode.
	Pipeline string
	Version  int
	Mode     string
	// Trigger is what started it.
	Trigger Trigger
	// Status is the status now, Reason one line about it: what failed, what superseded it, why it was stopped.
	Status Status
	Reason string
	// Commit is the full SHA-1 of the source, empty until the source is known; Branch the branch it is on, Message the commit's.
	Commit, Branch, Message string
	// Stages are those that were entered, in order.
	Stages []Stage
	// Started, Updated and Ended are the times; Ended is zero while it runs.
	Started, Updated, Ended time.Time
}

// Trigger is what started an execution, see
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html.
type Trigger struct {
	// Type is TriggerPush or TriggerStart.
	Type string
	// Detail is the repository and branch that moved, or the ARN of who started it.
	Detail string
}

// The types of a trigger: a connection's push, and a call of StartPipelineExecution.
const (
	TriggerPush  = "WebhookV2"
	TriggerStart = "StartPipelineExecution"
)

// Stage is one stage of an execution.
type Stage struct {
	Name   string
	Status Status
	// Actions are the runs of its actions in the order that they began; an action that was retried is there for each attempt.
	Actions []Action
}

// Action is one run of an action of an execution.
type Action struct {
	// ID is a UUID of this run.
	ID     string
	Name   string
	Status Status
	// Started and Ended are the times; Ended is zero while it runs.
	Started, Ended time.Time
	// Definition is the action as the execution's pipeline defines it, Configuration its configuration with variables resolved.
	Definition    ActionDefinition
	Configuration map[string]string
	// Variables are the output variables.
	Variables map[string]string
	// Token identifies a manual approval's request, By is the ARN of who decided on it.
	Token, By string
	// BuildID is the ID of a build, see Build.
	BuildID string
	// Summary is one line: the commit, the approver's comment, the exported variables.
	Summary string
	// LogFile is the path of a build's log, empty for other actions.
	LogFile string
	// Error is why it failed; for a build with the last lines of its log.
	Error string
}
