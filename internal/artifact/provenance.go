package artifact

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Build is what is known about the run that made an artifact.
type Build struct {
	// Name is the artifact's s3:// address.
	Name   string
	Digest Digest
	// Repository is the address of the software repository, such as https://github.com/acme/shop-software.
	Repository string
	// Branch and Commit say which state of it was built; Commit is the full SHA-1.
	Branch, Commit string
	// Command is the build command, empty if there is none; Package the directory that was packed.
	Command, Package string
	// Builder names the machinery that ran it: the CodePipeline pipeline's purpose, not one run of it.
	Builder string
	// Version is relay's own version.
	Version string
	// Execution is the ID of the pipeline execution.
	Execution         string
	Started, Finished time.Time
}

// The types are those of in-toto Statement v1 (in-toto.io/Statement/v1) and SLSA provenance v1 (slsa.dev/provenance/v1); the
// build type says how to read the parameters.
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	buildType     = "https://github.com/tekpossible/ha-devops/relay-build/v1"
)

type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     predicate  `json:"predicate"`
}

type resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	BuildDefinition struct {
		BuildType            string            `json:"buildType"`
		ExternalParameters   map[string]string `json:"externalParameters"`
		ResolvedDependencies []resource        `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID      string            `json:"id"`
			Version map[string]string `json:"version"`
		} `json:"builder"`
		Metadata struct {
			InvocationID string `json:"invocationId"`
			StartedOn    string `json:"startedOn"`
			FinishedOn   string `json:"finishedOn"`
		} `json:"metadata"`
	} `json:"runDetails"`
}

// Provenance returns the statement of where an artifact came from, as JSON with a line end.
func Provenance(b Build) ([]byte, error) {
	repository := "git+" + b.Repository + "@refs/heads/" + b.Branch
	var p predicate
	p.BuildDefinition.BuildType = buildType
	p.BuildDefinition.ExternalParameters = map[string]string{"source": repository, "build": b.Command, "package": b.Package}
	p.BuildDefinition.ResolvedDependencies = []resource{{URI: repository, Digest: map[string]string{"gitCommit": b.Commit}}}
	p.RunDetails.Builder.ID = b.Builder
	p.RunDetails.Builder.Version = map[string]string{"relay": b.Version}
	p.RunDetails.Metadata.InvocationID = b.Execution
	p.RunDetails.Metadata.StartedOn = b.Started.UTC().Format(time.RFC3339)
	p.RunDetails.Metadata.FinishedOn = b.Finished.UTC().Format(time.RFC3339)
	out, err := json.MarshalIndent(statement{
		Type: statementType, PredicateType: predicateType, Predicate: p,
		Subject: []resource{{Name: b.Name, Digest: map[string]string{"sha256": b.Digest.SHA256}}},
	}, "", "  ")
	return append(out, '\n'), err
}

// ProvenanceError says that a statement about another build lies beside an artifact.
type ProvenanceError struct {
	URI string
	// Have and Want are what the statement there and the new one say was built: commit, repository, command, package, digest.
	Have, Want string
}

// Error names both builds.
func (e *ProvenanceError) Error() string {
	return fmt.Sprintf("uploading %s: it is there and says that the artifact was made of %s; this build is of %s", e.URI, e.Have, e.Want)
}

// Hint says how this comes about.
func (e *ProvenanceError) Hint() string {
	return "an artifact has one provenance: was the git tag moved to another commit, or its build command changed? Tag the new commit with a new tag"
}

// UploadProvenance puts a statement beside its artifact. A statement that is there stays: that of the run which put the artifact there.
// It may differ in how that run went (execution, times, version of relay), for a build that is run again says nothing new; if it
// differs in what was built, it is a *ProvenanceError.
func UploadProvenance(ctx context.Context, store Store, bucket, key string, text []byte) error {
	sum := sha256.Sum256(text)
	err := Upload(ctx, store, Object{
		Bucket: bucket, Key: key, ContentType: "application/json", Body: bytes.NewReader(text),
		Digest: Digest{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text))},
	})
	if there := (*ConflictError)(nil); !errors.As(err, &there) {
		return err
	}
	uri := URI(bucket, key)
	out, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return fmt.Errorf("uploading %s: it is there; reading it: %w", uri, err)
	}
	defer out.Body.Close()
	old, err := io.ReadAll(io.LimitReader(out.Body, maxStatement+1))
	if err != nil {
		return fmt.Errorf("uploading %s: it is there; reading it: %w", uri, err)
	}
	have, err := parseStatement(old)
	if err != nil {
		return fmt.Errorf("uploading %s: it is there, but %w; look who wrote it, then tag a new commit", uri, err)
	}
	want, err := parseStatement(text)
	if err != nil {
		return fmt.Errorf("uploading %s: %w", uri, err)
	}
	if !reflect.DeepEqual(have.made(), want.made()) {
		return &ProvenanceError{URI: uri, Have: have.String(), Want: want.String()}
	}
	return nil
}

// maxStatement is more than any statement has: most of it is the build command.
const maxStatement = 1 << 20

func parseStatement(text []byte) (statement, error) {
	var s statement
	if len(text) > maxStatement {
		return s, fmt.Errorf("it is larger than %d bytes and no provenance of relay's", maxStatement)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("it is no provenance: %w", err)
	}
	if s.Type != statementType || s.PredicateType != predicateType || s.Predicate.BuildDefinition.BuildType != buildType {
		return s, fmt.Errorf("it is no provenance of relay's: its types are %.80q, %.80q and %.80q", s.Type, s.PredicateType, s.Predicate.BuildDefinition.BuildType)
	}
	return s, nil
}

// made is the part of a statement that says what was built, and of what.
func (s statement) made() [2]any { return [2]any{s.Subject, s.Predicate.BuildDefinition} }

// String is made for people.
func (s statement) String() string {
	d := s.Predicate.BuildDefinition
	text := fmt.Sprintf("source %q, build %q, package %q", d.ExternalParameters["source"], d.ExternalParameters["build"], d.ExternalParameters["package"])
	for _, r := range d.ResolvedDependencies {
		text += ", commit " + r.Digest["gitCommit"]
	}
	for _, r := range s.Subject {
		text += ", sha256 " + r.Digest["sha256"]
	}
	return text
}
