// Package yamledit changes single values of a YAML document and leaves every other byte as it is: comments, order, quotes and spaces
// belong to the people who wrote them. It changes scalars on one line, and adds keys to block mappings; what else there is in YAML it
// refuses rather than guesses. What a document means is its caller's.
package yamledit

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrNotThere says that a document has no such key.
var ErrNotThere = errors.New("there is no such key")

// Find returns the node at a path of keys (string) and indices (int).
func Find(text []byte, path ...any) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 {
		return nil, ErrNotThere
	}
	node := doc.Content[0]
	for i, step := range path {
		if node = child(node, step); node == nil {
			return nil, fmt.Errorf("%s: %w", name(path[:i+1]), ErrNotThere)
		}
	}
	return node, nil
}

func child(node *yaml.Node, step any) *yaml.Node {
	switch step := step.(type) {
	case string:
		for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1]
			}
		}
	case int:
		if node.Kind == yaml.SequenceNode && step < len(node.Content) {
			return node.Content[step]
		}
	}
	return nil
}

func name(path []any) string {
	var text strings.Builder
	for i, step := range path {
		switch {
		case reflect.TypeOf(step).Kind() == reflect.Int:
			fmt.Fprintf(&text, "[%d]", step)
		case i > 0:
			fmt.Fprintf(&text, ".%s", step)
		default:
			fmt.Fprint(&text, step)
		}
	}
	return text.String()
}

// Set gives the string at a path a new value. The value must be there, on one line; it is quoted as it was, and where it needs to be.
func Set(text []byte, value string, path ...any) ([]byte, error) {
	node, err := Find(text, path...)
	if err != nil {
		return nil, err
	}
	refuse := func(why string) ([]byte, error) {
		return nil, fmt.Errorf("%s (line %d): %s", name(path), node.Line, why)
	}
	if node.Kind != yaml.ScalarNode || node.Anchor != "" || node.Style&yaml.TaggedStyle != 0 {
		return refuse("expected a plain value")
	}
	if node.Tag == "!!str" && node.Value == value {
		return text, nil
	}
	start := offset(text, node.Line, node.Column)
	end := width(text[start:], node)
	if end < 0 {
		return refuse("expected a value on one line")
	}
	for _, written := range spellings(value, node.Style) {
		changed := bytes.Join([][]byte{text[:start], text[start+end:]}, []byte(written))
		if same(text, changed, path, value) {
			return changed, nil
		}
	}
	return refuse("it cannot be changed without changing something else")
}

// Add puts a new key with a value at the end of the block mapping at a path, indented as its other keys are. The value is written in one
// line.
func Add(text []byte, key, value string, path ...any) ([]byte, error) {
	node, err := Find(text, path...)
	if err != nil {
		return nil, err
	}
	if node.Kind != yaml.MappingNode || node.Style&yaml.FlowStyle != 0 || len(node.Content) == 0 {
		return nil, fmt.Errorf("%s (line %d): expected keys, each on a line of its own", name(path), node.Line)
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
		return nil, fmt.Errorf("the value of %s: %w", key, err)
	}
	first := node.Content[0]
	indent := text[offset(text, first.Line, 1):offset(text, first.Line, first.Column)]
	at := offset(text, lastLine(node)+1, 1)
	ending := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		ending = "\r\n"
	}
	line := string(indent) + key + ": " + value + ending
	if at > 0 && text[at-1] != '\n' {
		line = ending + line
	}
	changed := bytes.Join([][]byte{text[:at], text[at:]}, []byte(line))
	if !same(text, changed, append(path[:len(path):len(path)], key), parsed) {
		return nil, fmt.Errorf("%s: %s cannot be added below line %d", name(path), key, lastLine(node))
	}
	return changed, nil
}

// lastLine is the last line on which a node below begins.
func lastLine(node *yaml.Node) int {
	last := node.Line
	for _, c := range node.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// same says that a document is another one with one value set, and nothing else changed.
func same(before, after []byte, path []any, value any) bool {
	var was, is any
	if yaml.Unmarshal(before, &was) != nil || yaml.Unmarshal(after, &is) != nil {
		return false
	}
	return reflect.DeepEqual(put(was, path, value), is)
}

func put(in any, path []any, value any) any {
	if len(path) == 0 {
		return value
	}
	switch in := in.(type) {
	case map[string]any:
		key, _ := path[0].(string)
		in[key] = put(in[key], path[1:], value)
	case map[any]any: // one of its keys is no string
		in[path[0]] = put(in[path[0]], path[1:], value)
	case []any:
		if i, ok := path[0].(int); ok && i < len(in) {
			in[i] = put(in[i], path[1:], value)
		}
	}
	return in
}
