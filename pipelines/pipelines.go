// Package pipelines says what each pipeline does, as plain data: its stages and actions, the buildspec, the variables and the
// permissions of each build, and the document that Image Builder carries out. Nothing here knows of Pulumi; the components
// package turns a definition into resources.
package pipelines

import (
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// Role is what a repository is for, and with it the pipeline that its branches start.
type Role string

// The roles of the four repositories. The devops repository has no pipeline: only people run this program as a whole.
const (
	Software       Role = "software"
	Image          Role = "image"
	Infrastructure Role = "infrastructure"
	DevOps         Role = "devops"
)

// Mode is what happens when a pipeline is started while it runs (CodePipeline's execution modes).
type Mode string

// The execution modes that the pipelines use.
const (
	// Queued runs every commit in its order: each software commit gets its artifact.
	Queued Mode = "QUEUED"
	// Superseded lets the newest win, so that a waiting approval never blocks what came after it.
	Superseded Mode = "SUPERSEDED"
)

// Pipeline is what happens after a commit reaches a branch. Its first stage, which fetches the source, is understood.
type Pipeline struct {
	Role   Role
	Mode   Mode
	Stages []Stage
	// Ignore are patterns of paths: a push that changes nothing else starts nothing. CodePipeline takes at most eight.
	Ignore []string
	// Writes are the files that the pipeline commits to its environment's branch of other repositories.
	Writes []File
}

// File is a file of a repository.
type File struct {
	Role Role
	Path string
}

// Stage is a step that must end well before the next one starts. It is either a build or an approval.
type Stage struct {
	Name string
	// Skip says when the stage is passed over; nil for never.
	Skip     *Skip
	Build    *Build
	Approval *Approval
}

// Skip passes a stage over when a variable of an earlier stage has a value.
type Skip struct {
	// Variable is a reference, as #{Namespace.NAME}.
	Variable string
	Value    string
}

// Build is a CodeBuild action.
type Build struct {
	// Description is for the console.
	Description string
	// Buildspec says what is run.
	Buildspec Buildspec
	// Variables are set by the pipeline for the commands.
	Variables []vars.Variable
	// Grants are what the build's role may do, beyond reading its source and writing its log.
	Grants []Grant
	// TimeoutMinutes ends a build that hangs.
	TimeoutMinutes int
	// Namespace is the name under which later stages find the variables that the buildspec exports.
	Namespace string
}

// Approval is a manual approval action.
type Approval struct {
	// Message is what the approver reads; it may refer to variables of earlier stages as #{Namespace.NAME}.
	Message string
	// Link is the address of the page that shows what is approved.
	Link string
	// TimeoutMinutes ends an approval that nobody gives: the execution fails, and its commit is released again when it is wanted.
	TimeoutMinutes int
}

// Grant allows actions on resources, as a statement of an IAM policy.
type Grant struct {
	Actions   []string
	Resources []string
	// Condition is the statement's condition, if any: operator, key, values.
	Condition map[string]map[string][]string
}

// Variables that CodePipeline fills in (AWS CodePipeline User Guide, "Variables reference").
const (
	executionID   = "#{codepipeline.PipelineExecutionId}"
	sourceCommit  = "#{" + SourceNamespace + ".CommitId}"
	reviewsFolder = "reviews"
	// deploymentsFolder is that of package deployment, whose records only deployments write.
	deploymentsFolder = deployment.Folder
	softwareFolder    = "software"
	imageFolder       = "image"
)

// The actions of the infrastructure pipeline that relay looks at, and with them their stages.
const (
	ReviewAction  = "Review"
	ApproveAction = "Approve"
	DeployAction  = "Deploy"
)

// SourceNamespace is the namespace of the variables of every pipeline's source action.
const SourceNamespace = "Source"
