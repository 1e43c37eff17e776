// Package manifest is the bake manifest: what `relay bake` tells `relay install` on the instance that is baked, through an
// SSM parameter. It holds the format and its checks; who writes and reads the parameter is for packages bake and install.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Manifest says what goes into an image.
type Manifest struct {
	// Product and Environment are the ones the image is for.
	Product     string `json:"product"`
	Environment string `json:"environment"`
	// Key is the image key: the digest of all that goes into the image.
	Key string `json:"key"`
	// Release is what the image is.
	Release release.Release `json:"release"`
	// Pipeline is the ARN of the image pipeline that bakes it.
	Pipeline string `json:"pipeline"`
	// Software is the artifact, Image the content of the image repository.
	Software Content `json:"software"`
	Image    Content `json:"image"`
	// Setup and Test are scripts in the image repository's content, by relative path; empty: none.
	Setup string `json:"setup,omitempty"`
	Test  string `json:"test,omitempty"`
}

// Content is a tar.gz on S3.
type Content struct {
	// URI is its s3:// address.
	URI string `json:"uri"`
	// SHA256 is its digest in lower case hex.
	SHA256 string `json:"sha256"`
}

// InvalidError lists everything that is wrong with a manifest.
type InvalidError struct {
	// Problems are lines such as `manifest: key: "x": must be …`.
	Problems []string
}

// Error returns the problems, one on a line.
func (e *InvalidError) Error() string { return strings.Join(e.Problems, "\n") }

// Format returns the manifest as JSON, which stays far below the 4 KiB of an SSM parameter.
func (m Manifest) Format() (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	text, err := json.Marshal(m)
	return string(text), err
}

// Parse reads what Format wrote. What it does not know is refused: an older relay must not bake half of what a newer one
// asks for. The error is an *InvalidError.
func Parse(text string) (Manifest, error) {
	var m Manifest
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&m)
	if err == nil && !errors.Is(decoder.Decode(new(json.RawMessage)), io.EOF) {
		err = errors.New("there is something behind the object")
	}
	if err != nil {
		return Manifest{}, &InvalidError{Problems: []string{fmt.Sprintf("manifest: %v; was it written by relay bake of this version?", err)}}
	}
	if err := m.check(); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

var (
	name = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	sha1 = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// IsName says whether a text can be the name of a product or an environment, which become parts of paths and of units.
func IsName(s string) bool { return name.MatchString(s) }

func (m Manifest) check() error {
	var problems []string
	must := func(ok bool, key, value, want string) {
		if !ok {
			problems = append(problems, fmt.Sprintf("manifest: %s: %.80q: must be %s", key, value, want))
		}
	}
	const lower = "lower case letters, digits and hyphens"
	must(IsName(m.Product), "product", m.Product, lower)
	must(IsName(m.Environment), "environment", m.Environment, lower)
	must(artifact.IsSHA256(m.Key), "key", m.Key, "64 hex digits")
	must(artifact.IsTag(m.Release.ArtifactTag), "release.artifactTag", m.Release.ArtifactTag, "an artifact tag")
	must(sha1.MatchString(m.Release.SoftwareCommit), "release.softwareCommit", m.Release.SoftwareCommit, "40 hex digits")
	must(sha1.MatchString(m.Release.ImageCommit), "release.imageCommit", m.Release.ImageCommit, "40 hex digits")
	must(strings.HasPrefix(m.Pipeline, "arn:"), "pipeline", m.Pipeline, "the ARN of an image pipeline")
	must(m.Release.Execution != "", "release.execution", m.Release.Execution, "the pipeline execution's ID")
	for _, c := range []struct {
		key string
		Content
	}{{"software", m.Software}, {"image", m.Image}} {
		_, _, err := artifact.ParseURI(c.URI)
		must(err == nil, c.key+".uri", c.URI, "s3://bucket/key")
		must(artifact.IsSHA256(c.SHA256), c.key+".sha256", c.SHA256, "64 hex digits")
	}
	for _, s := range []struct{ key, file string }{{"setup", m.Setup}, {"test", m.Test}} {
		local := s.file == "" || filepath.IsLocal(s.file) && path.Clean(s.file) != "." && !strings.ContainsAny(s.file, "\x00\n")
		must(local, s.key, s.file, "a relative path without ..")
	}
	if problems != nil {
		return &InvalidError{Problems: problems}
	}
	return nil
}
