// Package relayfile reads .relay.yaml, in which the people who own the software repository say how it is built and started.
// It checks the file's own rules; whether the package directory exists is seen when it is packed.
package relayfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Name is the file's name, at the root of the software repository and of the artifact.
const Name = ".relay.yaml"

// File is what .relay.yaml says.
type File struct {
	// Build is the bash command that builds the software, run at the repository's root; of several lines the first one that
	// fails ends it. Empty: nothing is built.
	Build string
	// Package is the directory that becomes the artifact, relative to the repository's root, "." for the whole tree.
	Package string
	// Start is the shell command of the systemd unit, run at the artifact's root; empty: relay itself answers.
	Start string
	// Port is the TCP port on which the software listens; it gets it as $PORT.
	Port int
	// Health is the path that answers 200 when the software is well.
	Health string
}

// Default is what a repository without .relay.yaml gets: the tree as it is, and relay answering for it.
func Default() File { return File{Package: ".", Port: 8080, Health: "/healthz"} }

// InvalidError lists everything that is wrong with the file.
type InvalidError struct {
	// Problems are lines such as `.relay.yaml: port: 80: must be a number from 1024 to 65535`.
	Problems []string
}

// Error returns the problems, one on a line.
func (e *InvalidError) Error() string { return strings.Join(e.Problems, "\n") }

// Read reads the file in a folder; a file that is not there is Default, with nil bytes. The bytes are the file's own, for
// the artifact. An error in the content is an *InvalidError.
func Read(dir string) (File, []byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, Name))
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil, nil
	}
	if err != nil {
		return File{}, nil, fmt.Errorf("reading %s: %w", Name, err)
	}
	file, err := Parse(data)
	return file, data, err
}
