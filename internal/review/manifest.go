// Package review is what an approver decides on, a preview with its plan and its reports, stored on S3, and the checks that keep
// anything else from being deployed. It runs neither Pulumi nor the deployment.
package review

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/tekpossible/ha-devops/internal/report"
)

// The files of a review.
const (
	PlanFile     = "plan.json"
	PreviewFile  = "preview.json"
	MarkdownFile = "report.md"
	PageFile     = "report.html"
	ReportFile   = "report.json"
	JUnitFile    = "junit.xml"
	SARIFFile    = "results.sarif"
	ManifestFile = "review.json"
)

// required are the files without which nothing is deployed.
var required = []string{PlanFile, PreviewFile, PageFile, MarkdownFile, ReportFile, JUnitFile, SARIFFile}

// Manifest says what was reviewed. Its own digest goes to the approver and to the deployment, so that whoever approves the digest
// approves every byte of the review.
type Manifest struct {
	// Product, Environment, Commit and Execution say what was reviewed: the infrastructure repository's commit in a pipeline run.
	Product     string `json:"product"`
	Environment string `json:"environment"`
	Commit      string `json:"commit"`
	Execution   string `json:"execution"`
	// Relay is the SHA-256 of the relay binary that made the review, in hex; Pulumi the version of the CLI.
	Relay  string `json:"relay"`
	Pulumi string `json:"pulumi"`
	// State is the digest of the state that the preview started from.
	State string `json:"state"`
	// Previous is the infrastructure commit that was deployed before, empty when it is not known.
	Previous string `json:"previous,omitempty"`
	// From is what the environment ran, To what it would run.
	From report.Release `json:"from"`
	To   report.Release `json:"to"`
	// Summary is one line: what would change. Changes is the number of resources.
	Summary string `json:"summary"`
	Changes int    `json:"changes"`
	// Authors are the e-mail addresses and logins of those who wrote the change.
	Authors []string `json:"authors"`
	// Created is when the review was made, Expires when it can no longer be deployed.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Files are the SHA-256 digests of the review's other files, in hex.
	Files map[string]string `json:"files"`
}

// Review is a manifest with the files that it names.
type Review struct {
	Manifest
	// Contents are the files by name, without the manifest.
	Contents map[string][]byte
}

// New makes a review of files: it takes their digests.
func New(m Manifest, contents map[string][]byte) Review {
	m.Files = map[string]string{}
	for name, content := range contents {
		m.Files[name] = Digest(content)
	}
	return Review{Manifest: m, Contents: contents}
}

// Encode returns the manifest's content.
func (m Manifest) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// Digest returns the SHA-256 of a content in hex.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseManifest reads a manifest and checks that it is the one with the given digest and that it binds all that it must. Its error
// wraps a *Refusal.
func ParseManifest(content []byte, digest string) (Manifest, error) {
	var m Manifest
	if found := Digest(content); found != digest {
		return m, &Refusal{What: "digest of " + ManifestFile, Expected: digest + ", which was approved", Found: found, Remedy: again}
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if !hexDigest.MatchString(m.Files[name]) {
			problems = append(problems, &Refusal{What: "digest of " + name, Expected: "64 hex digits", Found: quote(m.Files[name]), Remedy: again})
		}
	}
	for _, name := range required {
		if _, ok := m.Files[name]; !ok {
			problems = append(problems, &Refusal{What: "files of the review", Expected: name, Found: "none", Remedy: again})
		}
	}
	for what, value := range map[string]string{"state": m.State, "relay": m.Relay} {
		if !hexDigest.MatchString(value) {
			problems = append(problems, &Refusal{What: "digest of " + what, Expected: "64 hex digits", Found: quote(value), Remedy: again})
		}
	}
	return m, errors.Join(problems...)
}
