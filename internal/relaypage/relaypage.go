// Package relaypage writes the page of a relay: what runs where, what is going on, and how long each step took. It knows its data only,
// and nothing of where they come from: a rehearsal, or the state of a real account.
package relaypage

import "time"

// Page is a relay at one moment. What is empty is not shown.
type Page struct {
	// Title says what the page is of, such as "Rehearsal of the relay"; Product is the product's name.
	Title, Product string
	// At is when the state was as it is shown.
	At time.Time
	// Failure is what ended the story, and where; of several lines.
	Failure string
	// Note is a sentence at the end.
	Note string
	// Lanes are the environments, in the order of promotion.
	Lanes []Lane
}

// Lane is one environment.
type Lane struct {
	Environment string
	// Runs is the release that runs; the zero Release while none does. Named is the one that git names, the zero Release when it is the
	// same or not known.
	Runs, Named Release
	// Instances are the instances that run; none when they are not known.
	Instances []Instance
	// Waiting is the review that waits for its approval; nil when none does.
	Waiting *Review
	// Holds are the branches that take no hand-offs.
	Holds []Hold
	// Promotion says in a sentence how the release stands to that of the environment it is promoted from.
	Promotion string
	// Problems are what could not be found out, and why.
	Problems []string
	// Executions are those of the environment's pipelines, in the order that they began.
	Executions []Execution
}

// Release is what an environment runs.
type Release struct {
	// ArtifactTag is the tag of the software's artifact, AMI the image's ID.
	ArtifactTag, AMI string
	// SoftwareCommit and ImageCommit are SHA-1s.
	SoftwareCommit, ImageCommit string
}

// Instance is an instance of an environment.
type Instance struct {
	ID, AMI string
	// Health is a word for its health, Healthy whether that is a good one.
	Health  string
	Healthy bool
}

// Review is a review that waits for its approval.
type Review struct {
	// Since is when it began to wait, Summary one line about it.
	Since   time.Time
	Summary string
	// Report is the address of its page: a web address, or one of a file relative to this page.
	Report string
	// Command is how to answer it.
	Command string
}

// Hold is a branch that takes no hand-offs.
type Hold struct {
	// Repository is the one whose branch it is, Text why.
	Repository, Text string
}

// Execution is one execution of a pipeline.
type Execution struct {
	// Role is the role of the repository whose pipeline it is: software, image, infrastructure. ID is the execution's.
	Role, ID string
	Status   Status
	// Commit is the source commit's SHA-1, Subject the first line of its message.
	Commit, Subject string
	// Started is when it began; Ended when it ended, zero while it runs.
	Started, Ended time.Time
	// Stages are those that it entered, in order; none when they are not known.
	Stages []Stage
	// Stage is where it is or ended, for one that did not succeed.
	Stage string
	// Reason is why it failed or was stopped, a line for each problem, and Hint what to do.
	Reason, Hint string
	// Links are to its report and logs.
	Links []Link
}

// Stage is a stage of an execution.
type Stage struct {
	Name   string
	Status Status
	// Started is when it was entered; Ended when it ended, zero while it runs.
	Started, Ended time.Time
}

// Link is an address, either a web address or one of a file relative to the page, and what is there. Others are not linked to.
type Link struct{ Text, Address string }

// Status says what an execution or a stage does, or how it ended.
type Status string

// The statuses. Others are shown as they are.
const (
	Running    Status = "running"
	Waiting    Status = "waiting" // for its approval
	Succeeded  Status = "succeeded"
	Failed     Status = "failed"
	Stopped    Status = "stopped"
	Superseded Status = "superseded"
)
