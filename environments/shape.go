package environments

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/pipelines"
)

// shape is what an environment and its mirror must have in common, as the output OutputShape has it: the systems' shape and the tools
// that make them, in JSON.
func (c Config) shape(spec envspec.Spec) string {
	plugins := map[string]string{}
	for _, p := range c.Plugins {
		plugins[p.Name] = p.Version
	}
	pulumi := ""
	if c.PulumiCLI != nil {
		pulumi = c.PulumiCLI.SHA256
	}
	// Strings, numbers and booleans always marshal.
	text, _ := json.Marshal(struct {
		envspec.Spec
		BaseImage string            `json:"baseImage"`
		Bake      pipelines.Bake    `json:"bake"`
		Relay     string            `json:"relay"`
		Pulumi    string            `json:"pulumi"`
		Plugins   map[string]string `json:"plugins"`
	}{spec, c.BaseImage, c.Bake, c.Relay.SHA256, pulumi, plugins})
	return string(text)
}

// Parity are the settings in which two environments differ that must be alike, by the values of their outputs OutputShape. Number of
// zones and release are not among them: those may differ.
func Parity(here, there string) ([]report.Difference, error) {
	var sides [2]map[string]string
	for i, text := range []string{here, there} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return nil, fmt.Errorf("output %s: %w", OutputShape, err)
		}
		sides[i] = map[string]string{}
		flatten("", value, sides[i])
	}
	settings := maps.Clone(sides[0])
	maps.Copy(settings, sides[1])
	var out []report.Difference
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		if sides[0][setting] != sides[1][setting] {
			out = append(out, report.Difference{Setting: setting, Here: sides[0][setting], There: sides[1][setting]})
		}
	}
	return out, nil
}

func flatten(path string, value any, into map[string]string) {
	object, ok := value.(map[string]any)
	if !ok {
		text, isText := value.(string)
		if !isText {
			encoded, _ := json.Marshal(value)
			text = string(encoded)
		}
		into[path] = text
		return
	}
	for key, below := range object {
		if path != "" {
			key = path + "." + key
		}
		flatten(key, below, into)
	}
}
