package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/leftover"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/stack"
)

// Account is where a run that was cut short may have made what the stack's state does not know.
type Account interface {
	Find(ctx context.Context, typ, name string) (leftover.Resource, bool, error)
	Delete(ctx context.Context, r leftover.Resource) error
}

// skew is how far AWS's clock may be behind the one that a start was recorded by.
const skew = time.Minute

// policyType is of a resource that needs no look: making it again changes the one that is there (Amazon EC2 Auto Scaling API Reference,
// PutScalingPolicy).
const policyType = "aws:autoscaling/policy:Policy"

// clearUp takes away what an earlier run of this review left half done, and says whether there was anything: what it made in the account
// without the state knowing of it, which would be refused a second time, and notes in the state that its creation has begun. What is
// approved is that it is created, so it is deleted and created rather than imported. It refuses to delete what that run has not made.
func (d Deployment) clearUp(ctx context.Context, s Stack, state stack.State, reviewed preview.Preview, start deployment.Start) (bool, error) {
	left, looked, err := d.leftovers(ctx, state, reviewed, start)
	if err != nil {
		return false, err
	}
	for _, r := range left {
		d.Progress("%s was made by the run that was cut short, and the state does not know it: it is deleted, to be made anew", r)
		if err := d.Account.Delete(ctx, r); err != nil {
			return false, err
		}
	}
	resolved := func(p stack.Resource) bool { return looked[p.URN] || p.Type == policyType }
	pending := slices.DeleteFunc(slices.Clone(state.Pending), resolved)
	if len(state.Pending) == 0 || len(pending) > 0 { // the state forgets all or none
		return len(left) > 0, nil
	}
	return true, s.Forget(ctx)
}

// leftovers are what is in the account and was to be created, without the state knowing of it, in the order in which it can be deleted.
// It also returns the URNs of all that were looked for. Replacements are left alone: the state knows the one that is replaced.
func (d Deployment) leftovers(ctx context.Context, state stack.State, reviewed preview.Preview, start deployment.Start) (
	left []leftover.Resource, looked map[string]bool, err error,
) {
	looked = map[string]bool{}
	var problems []error
	for _, r := range slices.Backward(reviewed.Resources) { // what comes later in a preview needs what comes before
		name, _ := r.After["name"].(string)
		known := func(by func(stack.Resource) bool) bool { return slices.ContainsFunc(state.Resources, by) }
		if r.Op != preview.Create || !leftover.Known(r.Type) || name == "" || name == preview.Unknown ||
			known(func(s stack.Resource) bool { return s.URN == r.URN }) {
			continue
		}
		found, there, err := d.Account.Find(ctx, r.Type, name)
		if err != nil {
			return nil, nil, err
		}
		looked[r.URN] = true
		if !there || known(func(s stack.Resource) bool { return s.Type == found.Type && s.ID == found.ID }) {
			continue
		}
		left = append(left, found)
		problems = append(problems, d.foreign(found, start))
	}
	return left, looked, errors.Join(problems...)
}

// foreign refuses what was not made by the run that began at a start, as far as its age and its tags tell.
func (d Deployment) foreign(r leftover.Resource, start deployment.Start) error {
	since := start.At.Add(-skew)
	if !r.Created.Before(since) && tagged(d.Tags, r.Tags) == tagged(d.Tags, d.Tags) {
		return nil
	}
	when := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return &review.Refusal{
		What: r.String(), Expected: fmt.Sprintf("none, or one that the run made which was cut short, created after %s and tagged %s", when(since), tagged(d.Tags, d.Tags)),
		Found: fmt.Sprintf("one that was created at %s and is tagged %s", when(r.Created), tagged(d.Tags, r.Tags)),
		Remedy: "look whose it is. If nobody needs it, delete it and retry the stage; to keep it, pulumi import it into the stack and release the pipeline, " +
			"which makes a new review",
	}
}

// tagged is a line with the values of those tags that matter.
func tagged(matter, tags map[string]string) string {
	var line []string
	for _, key := range slices.Sorted(maps.Keys(matter)) {
		line = append(line, key+"="+tags[key])
	}
	return strings.Join(line, " ")
}
