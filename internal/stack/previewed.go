package stack

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// rootType is the type of the resource that stands for the stack itself.
const rootType = "pulumi:pulumi:Stack"

// planned is what a step would do to a resource, in plain data. The steps of one replacement share a URN; the one that is called
// replace knows both sides, so that the others are passed over.
func planned(step apitype.StepEventMetadata) (preview.Resource, bool) {
	r := preview.Resource{URN: step.URN, Type: step.Type, Op: string(step.Op)}
	switch step.Op {
	case apitype.OpCreateReplacement, apitype.OpDeleteReplaced, apitype.OpDiscardReplaced, apitype.OpRemovePendingReplace:
		return r, false
	case apitype.OpReadReplacement, apitype.OpReadDiscard, apitype.OpRefresh:
		r.Op = preview.Read
	}
	if before := step.Old; before != nil {
		r.Parent, r.Protected = before.Parent, before.Protect
		if r.Op != preview.Same && r.Op != preview.Read {
			r.Before = plainMap(before.Inputs)
		}
	}
	if after := step.New; after != nil && r.Op != preview.Delete {
		r.Parent = after.Parent
		r.After = plainMap(after.Inputs)
		if r.Op == preview.Create || r.Op == preview.Replace {
			forgetNames(r, after.Inputs)
		}
	}
	if r.Op == preview.Update || r.Op == preview.Replace {
		r.Changes = changes(step, r)
	}
	return r, true
}

// automatic is the end of a name that Pulumi made up.
var automatic = regexp.MustCompile(`-[0-9a-f]{7}$`)

// forgetNames makes names unknown that Pulumi makes up for a new resource: each preview makes up another one, and the update again
// another, unless it is bound to the plan. The provider lists them among the properties that it filled in.
func forgetNames(r preview.Resource, inputs map[string]any) {
	defaults, _ := inputs["__defaults"].([]any)
	for _, key := range defaults {
		key, _ := key.(string)
		if name, ok := r.After[key].(string); ok && strings.Contains(name, r.Name()+"-") && automatic.MatchString(name) {
			r.After[key] = preview.Unknown
		}
	}
}

// changes are the properties that the provider's diff names, with their values.
func changes(step apitype.StepEventMetadata, r preview.Resource) []preview.Property {
	detailed := step.DetailedDiff
	if len(detailed) == 0 {
		detailed = coarse(step, r)
	}
	var out []preview.Property
	for _, path := range slices.Sorted(maps.Keys(detailed)) {
		diff := detailed[path]
		p := preview.Property{Path: path, Op: preview.Update, Replaces: strings.HasSuffix(string(diff.Kind), "-replace")}
		before := r.Before
		if !diff.InputDiff && step.Old != nil {
			before = plainMap(step.Old.Outputs)
		}
		p.Before, p.After = at(before, path), at(r.After, path)
		switch {
		case p.Before == nil && p.After != nil:
			p.Op = preview.Create
		case p.Before != nil && p.After == nil:
			p.Op = preview.Delete
		}
		out = append(out, p)
	}
	return out
}

// coarse is a diff by whole properties: the provider's where it gives no detail, else, as for components, of the inputs.
func coarse(step apitype.StepEventMetadata, r preview.Resource) map[string]apitype.PropertyDiff {
	keys := step.Diffs
	if len(keys) == 0 {
		for key := range r.Before {
			if !reflect.DeepEqual(r.Before[key], r.After[key]) {
				keys = append(keys, key)
			}
		}
		for key := range r.After {
			if _, ok := r.Before[key]; !ok {
				keys = append(keys, key)
			}
		}
	}
	diffs := map[string]apitype.PropertyDiff{}
	for _, key := range keys {
		diffs[key] = apitype.PropertyDiff{Kind: apitype.DiffUpdate, InputDiff: true}
		if slices.Contains(step.Keys, key) {
			diffs[key] = apitype.PropertyDiff{Kind: apitype.DiffUpdateReplace, InputDiff: true}
		}
	}
	return diffs
}

// at is the value at a property path, nil where there is none.
func at(value any, path string) any {
	steps, err := resource.ParsePropertyPath(path)
	if err != nil {
		return nil
	}
	for _, step := range steps {
		switch key := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[key]
		case int:
			list, _ := value.([]any)
			if key < 0 || key >= len(list) {
				return nil
			}
			value = list[key]
		}
	}
	return value
}

func plainMap(values map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range values {
		if !strings.HasPrefix(key, "__") { // what the provider bridge keeps for itself
			out[key] = plainValue(value)
		}
	}
	return out
}

// unknowns stand for values of each kind that are not known yet.
var unknowns = []string{
	plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownStringValue, plugin.UnknownArrayValue, plugin.UnknownAssetValue,
	plugin.UnknownArchiveValue, plugin.UnknownObjectValue,
}

// plainValue takes the engine's markers out of a value.
func plainValue(value any) any {
	switch v := value.(type) {
	case string:
		if slices.Contains(unknowns, v) {
			return preview.Unknown
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case map[string]any:
		switch v[sig.Key] {
		case sig.Secret:
			return preview.Secret
		case sig.OutputValue:
			if _, known := v["value"]; !known {
				return preview.Unknown
			}
			return plainValue(v["value"])
		case sig.AssetSig, sig.ArchiveSig:
			return "asset " + text(v["hash"])
		case sig.ResourceReference:
			return text(v["urn"])
		}
		return plainMap(v)
	}
	return value
}

func text(value any) string {
	s, _ := value.(string)
	return s
}
