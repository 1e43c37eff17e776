package artifact

import (
	"encoding/json"
	"time"
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
