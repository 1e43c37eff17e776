package runner

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// results are what the actions of one execution leave for those after them.
type results struct {
	mu        sync.Mutex
	artifacts map[string]artifact
	variables map[string]string // by "namespace.name"
}

func (s *results) put(namespace string, variables map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range variables {
		if namespace != "" {
			s.variables[namespace+"."+name] = value
		}
	}
}

func (s *results) all() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.variables)
}

func (s *results) store(name string, a artifact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.artifacts[name] = a
}

func (s *results) artifact(name string) (artifact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.artifacts[name]; ok {
		return a, nil
	}
	return nil, fmt.Errorf("input artifact %q was not made by an earlier action; there are %q", name,
		slices.Sorted(maps.Keys(s.artifacts)))
}

var reference = regexp.MustCompile(`#\{([^}]*)\}`)

// resolve puts the values of variables in the place of their references, such as #{Source.CommitId}.
func (e *execution) resolve(text string) (string, error) {
	known := e.results.all()
	known["codepipeline.PipelineExecutionId"] = e.ID
	for _, v := range e.definition.Variables {
		known["variables."+v.Name] = v.DefaultValue
	}
	var missing []string
	out := reference.ReplaceAllStringFunc(text, func(match string) string {
		name := match[2 : len(match)-1]
		value, ok := known[name]
		if !ok {
			missing = append(missing, match)
		}
		return value
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s is not known here; known are %s", strings.Join(missing, ", "),
			strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return out, nil
}
