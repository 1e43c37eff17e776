package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// group is the changes of one component of the program.
type group struct {
	Component string `json:"component"`
	// Summary is one line, such as "1 to delete, 2 to create".
	Summary string   `json:"summary"`
	Changes []change `json:"changes"`
}

// change is a resource that something would be done to.
type change struct {
	Op         string             `json:"op"`
	Name       string             `json:"name"`
	Type       string             `json:"type"`
	URN        string             `json:"urn"`
	Protected  bool               `json:"protected,omitempty"`
	Properties []preview.Property `json:"properties,omitempty"`
}

// destructive says that the resource that is there would be gone.
func (c change) destructive() bool { return c.Op == preview.Delete || c.Op == preview.Replace }

// destructive says that the group has a change that is; those come first.
func (g group) destructive() bool { return g.Changes[0].destructive() }

// order is how much an operation concerns an approver: what is lost comes first.
var order = []string{preview.Delete, preview.Replace, preview.Update, preview.Create}

func rank(op string) int {
	if i := slices.Index(order, op); i >= 0 {
		return i
	}
	return len(order)
}

// groups are the changes by component: components and changes with deletions and replacements first, and otherwise in the engine's order.
func (r Report) groups() []group {
	component := r.Preview.Component()
	index := map[string]int{}
	var groups []group
	members := [][]preview.Resource{}
	for _, resource := range r.Preview.Changed() {
		name := component(resource)
		i, ok := index[name]
		if !ok {
			i = len(groups)
			index[name] = i
			groups, members = append(groups, group{Component: name}), append(members, nil)
		}
		members[i] = append(members[i], resource)
		groups[i].Changes = append(groups[i].Changes, change{
			Op: resource.Op, Name: resource.Name(), Type: resource.Type, URN: resource.URN, Protected: resource.Protected,
			Properties: properties(resource),
		})
	}
	for i := range groups {
		groups[i].Summary = preview.Preview{Resources: members[i]}.Summary()
		slices.SortStableFunc(groups[i].Changes, func(a, b change) int { return cmp.Compare(rank(a.Op), rank(b.Op)) })
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(rank(a.Changes[0].Op), rank(b.Changes[0].Op)) })
	return groups
}

// properties are the properties that differ. A resource that comes or goes as a whole differs in all that it has.
func properties(r preview.Resource) []preview.Property {
	if len(r.Changes) > 0 {
		return r.Changes
	}
	var all []preview.Property
	switch r.Op {
	case preview.Create:
		for _, key := range slices.Sorted(maps.Keys(r.After)) {
			all = append(all, preview.Property{Path: key, Op: preview.Create, After: r.After[key]})
		}
	case preview.Delete:
		for _, key := range slices.Sorted(maps.Keys(r.Before)) {
			all = append(all, preview.Property{Path: key, Op: preview.Delete, Before: r.Before[key]})
		}
	}
	return all
}
