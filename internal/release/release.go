// Package release says what an environment runs and how that is written down: in the file ami-id, in the trailers of the
// commit that wrote it, and in the tags of the AMI. It reads and writes these formats and does nothing else.
package release

import (
	"fmt"
	"regexp"
	"strings"
)

// The files of the repositories that the relay reads and writes, at the root of each branch.
const (
	// AMIFile names the AMI that the infrastructure repository's branch runs: one line, the AMI ID.
	AMIFile = "ami-id"
	// HoldFile, while it exists beside ConfigFile or AMIFile, refuses hand-offs to its branch with its text.
	HoldFile = "hold"
)

// Release is where an AMI came from. The AMI bears it as tags, the commit of its ID as trailers.
type Release struct {
	// ArtifactTag is the tag of the software's artifact, such as "v1.4.0" or "v1.4.0-3-g1a2b3c4d5e6f".
	ArtifactTag string `json:"artifactTag"`
	// SoftwareCommit is the full SHA-1 of the software repository's commit.
	SoftwareCommit string `json:"softwareCommit"`
	// ImageCommit is the full SHA-1 of the image repository's commit.
	ImageCommit string `json:"imageCommit"`
	// Execution is the ID of the pipeline execution that baked the AMI.
	Execution string `json:"execution"`
}

// The keys of tags and trailers.
const (
	keyArtifactTag    = "Artifact-Tag"
	keySoftwareCommit = "Software-Commit"
	keyImageCommit    = "Image-Commit"
	keyExecution      = "Pipeline-Execution"
	// KeyImage is the tag of an AMI that holds its image key, the digest of all that went into it.
	KeyImage = "Image-Key"
)

// Tags returns the release as tags of an AMI.
func (r Release) Tags() map[string]string {
	return map[string]string{
		keyArtifactTag: r.ArtifactTag, keySoftwareCommit: r.SoftwareCommit,
		keyImageCommit: r.ImageCommit, keyExecution: r.Execution,
	}
}

// FromTags reads a release from the tags of an AMI; a tag that is not there leaves its field empty.
func FromTags(tags map[string]string) Release {
	return Release{
		ArtifactTag: tags[keyArtifactTag], SoftwareCommit: tags[keySoftwareCommit],
		ImageCommit: tags[keyImageCommit], Execution: tags[keyExecution],
	}
}

// Trailers returns the release as the trailers of a commit message (git interpret-trailers), one on a line.
func (r Release) Trailers() string {
	return fmt.Sprintf("%s: %s\n%s: %s\n%s: %s\n%s: %s\n", keyArtifactTag, r.ArtifactTag, keySoftwareCommit, r.SoftwareCommit,
		keyImageCommit, r.ImageCommit, keyExecution, r.Execution)
}

// FromMessage reads a release from the trailers of a commit message; of several trailers of one key the last counts, and one that is not
// there leaves its field empty.
func FromMessage(message string) Release {
	tags := map[string]string{}
	for line := range strings.Lines(message) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			tags[key] = strings.TrimSpace(value)
		}
	}
	return FromTags(tags)
}

var amiID = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

// ParseAMI reads the content of AMIFile: one line, an AMI ID as EC2 writes it (ami- and 8 or 17 hex digits).
func ParseAMI(content string) (string, error) {
	id := strings.TrimSpace(content)
	if !amiID.MatchString(id) {
		return "", fmt.Errorf("%s: %q is not an AMI ID; expected one line such as ami-0123456789abcdef0", AMIFile, abbreviate(id))
	}
	return id, nil
}

// FormatAMI returns the content of AMIFile for an AMI ID.
func FormatAMI(id string) string { return id + "\n" }

func abbreviate(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
