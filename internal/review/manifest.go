// Package review stores what an approver decides on, a preview with its plan and its reports, on S3, and reads it back for the
// deployment. It does not run Pulumi and does not deploy.
package review

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/tekpossible/ha-devops/internal/stack"
)

// The files of a review.
const (
	PlanFile     = "plan.json"
	PreviewFile  = "preview.json"
	MarkdownFile = "report.md"
	PageFile     = "report.html"
	ManifestFile = "review.json"
)

// Manifest says what was reviewed. Its own digest goes to the approver and to the deployment, so that whoever approves the digest
// approves every byte of the review.
type Manifest struct {
	// Product, Environment, Commit and Execution say what was reviewed: the infrastructure repository's commit in a pipeline run.
	Product     string `json:"product"`
	Environment string `json:"environment"`
	Commit      string `json:"commit"`
	Execution   string `json:"execution"`
	// Relay is the version of relay that made the review.
	Relay string `json:"relay"`
	// State is the digest of the state that the preview started from.
	State string `json:"state"`
	// Release is what the environment would run.
	Release string `json:"release"`
	// Summary is one line: what would change.
	Summary string `json:"summary"`
	// Changes are what the preview would do.
	Changes stack.Changes `json:"-"`
	// Files are the SHA-256 digests of the review's other files, in hex.
	Files map[string]string `json:"files"`
}

// Review is a manifest with the files that it names.
type Review struct {
	Manifest
	// Contents are the files by name, without the manifest.
	Contents map[string][]byte
}

// New makes a review of a preview: it writes the reports and takes all digests.
func New(m Manifest, plan []byte) (Review, error) {
	r := Review{Manifest: m, Contents: map[string][]byte{PlanFile: plan}}
	r.Summary = m.Changes.Summary()
	preview, err := json.MarshalIndent(m.Changes, "", "  ")
	if err != nil {
		return r, err
	}
	page, err := render(pageTemplate, r.Manifest)
	if err != nil {
		return r, err
	}
	markdown, err := render(markdownTemplate, r.Manifest)
	if err != nil {
		return r, err
	}
	r.Contents[PreviewFile], r.Contents[PageFile], r.Contents[MarkdownFile] = preview, page, markdown
	r.Files = map[string]string{}
	for name, content := range r.Contents {
		r.Files[name] = Digest(content)
	}
	return r, nil
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

// ParseManifest reads a manifest and checks that it is the one with the given digest and that it names a plan.
func ParseManifest(content []byte, digest string) (Manifest, error) {
	var m Manifest
	if found := Digest(content); found != digest {
		return m, fmt.Errorf("%s: digest %s was approved, found %s: the review was changed after it was made; release the pipeline again", ManifestFile, digest, found)
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if !hexDigest.MatchString(m.Files[PlanFile]) || !hexDigest.MatchString(m.State) {
		return m, fmt.Errorf("%s: the digest of %s or of the state is missing; release the pipeline again", ManifestFile, PlanFile)
	}
	return m, nil
}
