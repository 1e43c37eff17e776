package awssim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// document is a component document as AWSTOE reads it. A key that is not here is refused rather than passed over.
// https://docs.aws.amazon.com/imagebuilder/latest/userguide/toe-use-documents.html
type document struct {
	Name          string                `yaml:"name"`
	Description   string                `yaml:"description"`
	SchemaVersion string                `yaml:"schemaVersion"`
	Constants     []map[string]constant `yaml:"constants"`
	Parameters    []map[string]constant `yaml:"parameters"`
	Phases        []phase               `yaml:"phases"`
}

// constant is a constant, which has a value, or a parameter, which may have a default.
type constant struct {
	Type        string  `yaml:"type"`
	Value       *string `yaml:"value"`
	Default     *string `yaml:"default"`
	Description string  `yaml:"description"`
}

type phase struct {
	Name  string `yaml:"name"`
	Steps []step `yaml:"steps"`
}

type step struct {
	Name   string `yaml:"name"`
	Action string `yaml:"action"`
	// OnFailure is Abort, the default, Continue (go on, the document fails in the end) or Ignore (go on).
	OnFailure string `yaml:"onFailure"`
	// TimeoutSeconds is 7200 if it is not set, and -1 stands for no timeout.
	TimeoutSeconds int       `yaml:"timeoutSeconds"`
	Inputs         yaml.Node `yaml:"inputs"`
}

// phaseOrder is the order in which Image Builder carries out phases, whatever their order in the document.
var phaseOrder = []string{"build", "validate", "test"}

// parseDocument reads and checks a component document. What a step's action makes of its inputs shows when it is carried out.
func parseDocument(text string) (document, error) {
	var doc document
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return document{}, fmt.Errorf("component document: %w", err)
	}
	if doc.SchemaVersion != "1.0" {
		return document{}, fmt.Errorf("component document %q: schemaVersion is %q, expected 1.0", doc.Name, doc.SchemaVersion)
	}
	if len(doc.Phases) == 0 {
		return document{}, fmt.Errorf("component document %q: it has no phases", doc.Name)
	}
	for _, phase := range doc.Phases {
		if !slices.Contains(phaseOrder, phase.Name) {
			return document{}, fmt.Errorf("component document %q: phase %q is not one of %q", doc.Name, phase.Name, phaseOrder)
		}
		for _, step := range phase.Steps {
			if step.Name == "" || step.Action == "" {
				return document{}, fmt.Errorf("component document %q: phase %s: a step has no name or no action", doc.Name, phase.Name)
			}
			if !slices.Contains([]string{"", "Abort", "Continue", "Ignore"}, step.OnFailure) {
				return document{}, fmt.Errorf("component document %q: step %s: onFailure is %q, expected Abort, Continue or Ignore",
					doc.Name, step.Name, step.OnFailure)
			}
		}
	}
	return doc, nil
}

// values returns what {{ name }} stands for, given the parameters that the recipe sets.
func (d document) values(given map[string]string) (map[string]string, error) {
	values := map[string]string{}
	for _, constants := range d.Constants {
		for name, c := range constants {
			if c.Value == nil {
				return nil, fmt.Errorf("component document %q: constant %q has no value", d.Name, name)
			}
			values[name] = *c.Value
		}
	}
	declared := map[string]bool{}
	for _, parameters := range d.Parameters {
		for name, p := range parameters {
			declared[name] = true
			value, ok := given[name]
			switch {
			case ok:
				values[name] = value
			case p.Default != nil:
				values[name] = *p.Default
			default:
				return nil, fmt.Errorf("component document %q: parameter %q has no default and the recipe sets none", d.Name, name)
			}
		}
	}
	for name := range given {
		if !declared[name] {
			return nil, fmt.Errorf("component document %q: the recipe sets the parameter %q, which it does not declare", d.Name, name)
		}
	}
	return values, nil
}

// reference is {{ name }}. Templates of other tools, such as {{.Name}}, do not look like this and stay.
var reference = regexp.MustCompile(`\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}`)

// interpolate returns a step's inputs with the references replaced. An unknown name is an error.
func interpolate(node *yaml.Node, values map[string]string) (*yaml.Node, error) {
	var unknown error
	out := *node // the document is shared by builds that run at the same time
	if node.Kind == yaml.ScalarNode {
		out.Value = reference.ReplaceAllStringFunc(node.Value, func(match string) string {
			value, ok := values[reference.FindStringSubmatch(match)[1]]
			if !ok {
				unknown = fmt.Errorf("%s names neither a constant nor a parameter of the document", match)
			}
			return value
		})
	}
	out.Content = nil
	for _, child := range node.Content {
		replaced, err := interpolate(child, values)
		out.Content = append(out.Content, replaced)
		unknown = errors.Join(unknown, err)
	}
	return &out, unknown
}
