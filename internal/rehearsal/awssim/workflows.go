package awssim

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// The states of a workflow and of its steps that are simulated.
const (
	statusPending   = "PENDING"
	statusRunning   = "RUNNING"
	statusCompleted = "COMPLETED"
	statusFailed    = "FAILED"
	statusCancelled = "CANCELLED"
)

// workflow is one run of one of Image Builder's own workflows, of which every build runs two: build-image, whose state is BUILDING,
// and test-image, whose state is TESTING. See EC2 Image Builder User Guide, "Manage build and test workflows for images".
type workflow struct {
	id, kind       string // the kind is BUILD or TEST
	status         string
	message        string
	started, ended time.Time
	steps          []workflowStep
}

type workflowStep struct{ id, name, action, status, message string }

// componentsAction is the action of the one step that carries out component documents; the others are here by name only.
const componentsAction = "ExecuteComponents"

// workflowSteps are the steps of both workflows, by their names and actions.
var workflowSteps = map[string][][2]string{
	"BUILD": {
		{"LaunchBuildInstance", "LaunchInstance"},
		{"ApplyBuildComponents", componentsAction},
		{"InventoryCollection", "CollectImageMetadata"},
		{"RunSanitizeScript", "SanitizeInstance"},
		{"CreateOutputAMI", "CreateImage"},
		{"TerminateBuildInstance", "TerminateInstance"},
	},
	"TEST": {
		{"LaunchTestInstance", "LaunchInstance"}, {"ApplyTestComponents", componentsAction}, {"TerminateTestInstance", "TerminateInstance"},
	},
}

// startWorkflow starts the workflow of a build's state unless it runs, after the one before it has ended.
func (a *Account) startWorkflow(b *build, state string) {
	kind := "BUILD"
	if state == stateTesting {
		kind = "TEST"
	}
	a.mu.Lock()
	last := len(b.workflows) - 1
	running := last >= 0 && b.workflows[last].kind == kind
	a.mu.Unlock()
	if running {
		return
	}
	if last >= 0 {
		a.endWorkflow(b, statusCompleted, "")
	}
	w := &workflow{id: "wf-" + uuid.NewString(), kind: kind, status: statusRunning, started: time.Now()}
	for _, s := range workflowSteps[kind] {
		step := workflowStep{id: "step-" + uuid.NewString(), name: s[0], action: s[1], status: statusPending}
		switch step.action {
		case "LaunchInstance":
			step.status = statusCompleted
		case componentsAction:
			step.status = statusRunning
		}
		w.steps = append(w.steps, step)
	}
	a.mu.Lock()
	b.workflows = append(b.workflows, w)
	a.mu.Unlock()
}

// endWorkflow ends the running workflow of a build and returns its ID. A failure is that of the components' step; what comes after
// it stays pending.
func (a *Account) endWorkflow(b *build, status, message string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(b.workflows) == 0 {
		return ""
	}
	w := b.workflows[len(b.workflows)-1]
	w.status, w.message, w.ended = status, message, time.Now()
	components := slices.IndexFunc(w.steps, func(s workflowStep) bool { return s.action == componentsAction })
	for i := components; i < len(w.steps) && (i == components || status == statusCompleted); i++ {
		w.steps[i].status, w.steps[i].message = status, message
	}
	return w.id
}

// summary is what ListWorkflowExecutions says of a workflow.
func (w *workflow) summary() map[string]any {
	counts := map[string]int{}
	for _, s := range w.steps {
		counts[s.status]++
	}
	out := map[string]any{
		"workflowExecutionId": w.id, "type": w.kind, "status": w.status, "startTime": w.started.UTC().Format(time.RFC3339),
		"totalStepCount": len(w.steps), "totalStepsSucceeded": counts[statusCompleted], "totalStepsFailed": counts[statusFailed],
		"totalStepsSkipped": 0,
	}
	if w.message != "" {
		out["message"] = w.message
	}
	if !w.ended.IsZero() {
		out["endTime"] = w.ended.UTC().Format(time.RFC3339)
	}
	return out
}

// list is what ListWorkflowStepExecutions says of the steps.
func (w *workflow) list() []any {
	steps := []any{}
	for _, s := range w.steps {
		step := map[string]any{"stepExecutionId": s.id, "name": s.name, "action": s.action, "status": s.status}
		if s.message != "" {
			step["message"] = s.message
		}
		steps = append(steps, step)
	}
	return steps
}
