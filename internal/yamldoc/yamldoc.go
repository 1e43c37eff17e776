// Package yamldoc reads a YAML file of one document as nodes. Its users want all that is wrong with a file at once, each with its line:
// unmarshalling would stop at the first unknown key, and would read 0x1F90 or 8_080 as numbers without a word.
package yamldoc

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Root returns the only document's root, or nil when there is none or it is null. That there is another one, or that it is no YAML, is
// an error without the file's name.
func Root(content []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, next yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, errors.New(strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", "; "))
	}
	if err := decoder.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document; keep one")
	}
	root := document.Content[0]
	if root.ShortTag() == "!!null" {
		return nil, nil
	}
	return root, nil
}
