package preview

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Differences says in which ways another preview shows something else than the reviewed one, one line each, without values: those may
// be secret or long. Nothing differs when both would do the same to the same resources.
func Differences(reviewed, now Preview) []string {
	return compare(reviewed, now, func(a, b Resource) string {
		switch {
		case a.Op != b.Op:
			return fmt.Sprintf("would %s, not %s", b.Op, a.Op)
		case !equal(a.Before, b.Before):
			return fmt.Sprintf("starts from other values of %v", keys(a.Before, b.Before))
		case !equal(a.After, b.After):
			return fmt.Sprintf("would get other values of %v", keys(a.After, b.After))
		}
		return ""
	})
}

// NotRemaining says in which ways a preview is not the rest of the reviewed one after a part of it was carried out: every resource must
// end up as reviewed, and none may change that was not to. Values that the review could not know yet may be anything.
func NotRemaining(reviewed, now Preview) []string {
	gone := map[string]bool{}
	for _, r := range reviewed.Resources {
		gone[r.URN] = r.Op == Delete
	}
	kept := Preview{Outputs: reviewed.Outputs}
	now.Outputs = maps.Clone(now.Outputs)
	maps.DeleteFunc(now.Outputs, func(key, _ string) bool { _, known := reviewed.Outputs[key]; return !known })
	there := map[string]bool{}
	for _, r := range now.Resources {
		there[r.URN] = true
	}
	for _, r := range reviewed.Resources {
		if !gone[r.URN] || there[r.URN] {
			kept.Resources = append(kept.Resources, r)
		}
	}
	return compare(kept, now, func(a, b Resource) string {
		switch {
		case b.Changed() && !a.Changed():
			return fmt.Sprintf("would %s, which was not reviewed", b.Op)
		case b.Op == Delete && a.Op != Delete, b.Op == Replace && a.Op != Replace && a.Op != Create:
			return fmt.Sprintf("would %s, not %s", b.Op, a.Op)
		case !matches(a.After, b.After):
			return fmt.Sprintf("would get other values of %v", keys(a.After, b.After))
		}
		return ""
	})
}

func compare(reviewed, now Preview, differ func(a, b Resource) string) []string {
	var out []string
	found := map[string]Resource{}
	for _, r := range now.Resources {
		found[r.URN] = r
	}
	for _, a := range reviewed.Resources {
		b, ok := found[a.URN]
		delete(found, a.URN)
		difference := "is no longer there"
		if ok {
			difference = differ(a, b)
		}
		if difference != "" {
			out = append(out, a.URN+" "+difference)
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(found)) {
		out = append(out, urn+" was not there")
	}
	if !maps.Equal(reviewed.Outputs, now.Outputs) {
		for _, key := range slices.Sorted(maps.Keys(merged(reviewed.Outputs, now.Outputs))) {
			if reviewed.Outputs[key] != now.Outputs[key] {
				out = append(out, fmt.Sprintf("stack output %s would be %q, not %q", key, now.Outputs[key], reviewed.Outputs[key]))
			}
		}
	}
	return out
}

// equal compares inputs; none at all and nil are the same, also after JSON.
func equal(a, b map[string]any) bool { return len(keys(a, b)) == 0 }

// keys are the properties in which two sets of inputs differ.
func keys(a, b map[string]any) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(merged(a, b))) {
		if !reflect.DeepEqual(a[key], b[key]) {
			out = append(out, key)
		}
	}
	return out
}

func merged[V any](a, b map[string]V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// matches says that a value is as reviewed; what the review could not know matches anything.
func matches(reviewed, now any) bool {
	switch a := reviewed.(type) {
	case string:
		return a == Unknown || reviewed == now
	case map[string]any:
		b, ok := now.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if _, there := b[key]; !there || !matches(a[key], b[key]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := now.([]any)
		return ok && slices.EqualFunc(a, b, matches)
	}
	return reflect.DeepEqual(reviewed, now)
}
