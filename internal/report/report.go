// Package report shows a review to people and machines: one result type, and a renderer each for a terminal, Markdown, JSON, JUnit,
// SARIF and a single HTML page. It fetches nothing and decides nothing.
package report

import (
	"time"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

// Report is all that a review knows. Nothing in it is secret; everything in it may come from strangers (commit messages, tags,
// properties), so that every renderer escapes it.
type Report struct {
	Product     string `json:"product"`
	Environment string `json:"environment"`
	// Commit is the infrastructure repository's commit that is reviewed, Execution the pipeline's run.
	Commit    Commit `json:"commit"`
	Execution string `json:"execution"`
	// From is what the environment runs, zero when nothing runs yet; To what it would run.
	From Release `json:"from"`
	To   Release `json:"to"`
	// Software are the software's commits that To has and From has not, the newest first; More is how many of them are not listed.
	// SoftwareNote says why there are none when that cannot be known, such as after a rollback.
	Software     []Commit `json:"software,omitempty"`
	More         int      `json:"more,omitempty"`
	SoftwareNote string   `json:"softwareNote,omitempty"`
	// Preview is what would change, Rules all that were held against it, and Findings what they found.
	Preview  preview.Preview `json:"-"`
	Rules    []lint.Rule     `json:"rules"`
	Findings []lint.Finding  `json:"findings"`
	// Promotion says how the release stands to that of the environment it is promoted from.
	Promotion Promotion `json:"promotion"`
	// Mirror is the environment that this one must equal, empty when there is none; Parity are the settings in which they differ.
	Mirror string       `json:"mirror,omitempty"`
	Parity []Difference `json:"parity,omitempty"`
	// Digests are those of the files and of the state that the review is bound to.
	Digests []Digest `json:"digests"`
	// Approval is how people answer. DryRun says that there is nothing to answer, as for a pull request: nothing is deployed.
	Approval Approval `json:"approval"`
	DryRun   bool     `json:"dryRun,omitempty"`
	// Relay and Pulumi are the versions of the tools.
	Relay  string `json:"relay"`
	Pulumi string `json:"pulumi"`
	// Created is when the review was made, Expires when it can no longer be deployed, zero for a dry run.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// Release is what an environment runs.
type Release struct {
	ArtifactTag    string `json:"artifactTag,omitempty"`
	AMI            string `json:"amiId,omitempty"`
	SoftwareCommit string `json:"softwareCommit,omitempty"`
	ImageCommit    string `json:"imageCommit,omitempty"`
}

// Commit is a commit of one of the repositories.
type Commit struct {
	SHA string `json:"sha"`
	// Subject is the first line of its message.
	Subject string `json:"subject,omitempty"`
	Author  string `json:"author,omitempty"`
	// URL is its page on GitHub, empty when there is none.
	URL string `json:"url,omitempty"`
}

// Promotion is how a release stands to that of the environment upstream.
type Promotion struct {
	// Upstream is the environment's name, empty for the first one.
	Upstream string `json:"upstream,omitempty"`
	// State is a value of the stack's output promotion.
	State string `json:"state"`
	// Meaning says the same in a sentence.
	Meaning string `json:"meaning"`
}

// Difference is a setting in which an environment differs from its mirror.
type Difference struct {
	Setting string `json:"setting"`
	Here    string `json:"here"`
	There   string `json:"there"`
}

// Approval is how people answer a review. What is empty is not shown. The digest that the commands name is that of review.json: it comes
// with the request for approval and is in no report, since it depends on theirs.
type Approval struct {
	// Approve and Reject are commands with a word in place of the digest, such as "relay approve dev DIGEST".
	Approve string `json:"approve,omitempty"`
	Reject  string `json:"reject,omitempty"`
	// Console is the pipeline's page in the AWS console, Page that of the review's HTML report.
	Console string `json:"console,omitempty"`
	Page    string `json:"page,omitempty"`
}

// Digest is a SHA-256 in hex.
type Digest struct {
	// Of is a file's name, or "state".
	Of     string `json:"of"`
	SHA256 string `json:"sha256"`
}

// NothingChanges says that no resource would be touched: nobody is asked to approve nothing.
func (r Report) NothingChanges() bool { return len(r.Preview.Changed()) == 0 }

// Blocked says that a finding fails the review.
func (r Report) Blocked() bool {
	for _, f := range r.Findings {
		if f.Blocks() {
			return true
		}
	}
	return false
}
