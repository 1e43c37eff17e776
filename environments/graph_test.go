package environments_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/internal/mocks"
)

// graph is what a stack registers: each resource's inputs by its type and name, with the words that are the environment's own
// replaced by what they stand for.
type graph map[string]map[string]any

// words replaces what stands in a stack's values for the environment itself.
type words []struct {
	pattern *regexp.Regexp
	with    string
}

func newWords(environment, upstream, account string) words {
	return words{
		{regexp.MustCompile(`\b` + environment + `\b`), "<environment>"},
		// The directory of devices is no environment.
		{regexp.MustCompile(`\b` + upstream + `\b(/(xvda|null))?`), "<upstream>"},
		{regexp.MustCompile(`\b` + account + `\b`), "<account>"},
	}
}

func (w words) replace(text string) string {
	for _, word := range w {
		text = word.pattern.ReplaceAllStringFunc(text, func(found string) string {
			if strings.Contains(found, "/") {
				return found
			}
			return word.with
		})
	}
	return text
}

func newGraph(resources []mocks.Resource, w words) graph {
	g := graph{}
	for _, r := range resources {
		inputs := r.Inputs.Mappable()
		inputs["(parent)"], inputs["(protect)"] = r.Parent, r.Protect
		// Which provider it is; the mock makes its ID.
		inputs["(provider)"] = strings.Contains(r.Provider, "::aws::")
		g[w.replace(r.Type+" "+r.Name)] = w.normal(inputs).(map[string]any)
	}
	return g
}

// normal replaces the words in a value, and reads text in JSON, such as policies, so that differences in it have a path.
func (w words) normal(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, v := range value {
			out[w.replace(key)] = w.normal(v)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = w.normal(v)
		}
		return out
	case string:
		var read map[string]any
		if strings.HasPrefix(value, "{") && json.Unmarshal([]byte(value), &read) == nil {
			return w.normal(read)
		}
		return w.replace(value)
	}
	return value
}

// difference is a place at which two graphs differ.
type difference struct {
	resource, path string
	left, right    any
}

func (d difference) String() string {
	return fmt.Sprintf("%s\n    %s\n      qa:   %v\n      main: %v", d.resource, d.path, d.left, d.right)
}

// absent stands for what one of two graphs does not have.
type absent struct{}

func (absent) String() string { return "(absent)" }

func compare(left, right graph) []difference {
	var all []difference
	for _, resource := range keysOf(left, right) {
		a, inLeft := left[resource]
		b, inRight := right[resource]
		switch {
		case !inLeft:
			all = append(all, difference{resource, "", absent{}, "there"})
		case !inRight:
			all = append(all, difference{resource, "", "there", absent{}})
		default:
			all = append(all, compareValues(resource, "", a, b)...)
		}
	}
	return all
}

func compareValues(resource, path string, a, b any) []difference {
	var all []difference
	switch left := a.(type) {
	case map[string]any:
		if right, ok := b.(map[string]any); ok {
			for _, key := range keysOf(left, right) {
				all = append(all, compareValues(resource, path+"."+key, valueAt(left, key), valueAt(right, key))...)
			}
			return all
		}
	case []any:
		if right, ok := b.([]any); ok {
			for i := range max(len(left), len(right)) {
				all = append(all, compareValues(resource, fmt.Sprintf("%s[%d]", path, i), elementAt(left, i), elementAt(right, i))...)
			}
			return all
		}
	}
	if fmt.Sprintf("%T %v", a, a) != fmt.Sprintf("%T %v", b, b) {
		all = append(all, difference{resource, path, a, b})
	}
	return all
}

func keysOf[V any](a, b map[string]V) []string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

func valueAt(m map[string]any, key string) any {
	if v, ok := m[key]; ok {
		return v
	}
	return absent{}
}

func elementAt(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return absent{}
}
