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
	// Stopped is an execution that ended because the runner closed or the pipeline was deleted.
	Stopped Status = "Stopped"
)

// Execution is one run of a pipeline.
type Execution struct {
	// ID is a UUID, as CodePipeline gives it.
	ID string
	// Pipeline is the pipeline's name.
	Pipeline string
	// Status is the status now.
	Status Status
	// Commit is the full SHA-1 of the source, empty until the source is known; Branch the branch it is on.
	Commit, Branch string
	// Stages are those that were entered, in order.
	Stages []Stage
	// Started and Ended are the times; Ended is zero while it runs.
	Started, Ended time.Time
}

// Stage is one stage of an execution.
type Stage struct {
	Name    string
	Status  Status
	Actions []Action
}

// Action is one action of an execution.
type Action struct {
	Name   string
	Status Status
	// Started and Ended are the times; Ended is zero while it runs.
	Started, Ended time.Time
	// Summary is one line: the commit, the approver's comment, the exported variables.
	Summary string
	// LogFile is the path of a build's log, empty for other actions.
	LogFile string
	// Error is why it failed; for a build with the last lines of its log.
	Error string
}
