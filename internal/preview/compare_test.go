package preview_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// reviewed is a preview with one resource of each operation.
func reviewed() preview.Preview {
	p := preview.Preview{Outputs: map[string]string{"amiId": "ami-2"}}
	for _, op := range []string{preview.Same, preview.Update, preview.Create, preview.Replace, preview.Delete} {
		r := resource("", "a:b:C", op, op)
		if op != preview.Create && op != preview.Same {
			r.Before = map[string]any{"size": 1.0}
		}
		if op != preview.Delete {
			r.After = map[string]any{"size": 2.0, "vpc": preview.Unknown, "password": preview.Secret}
		}
		p.Resources = append(p.Resources, r)
	}
	return p
}

func clone(p preview.Preview) preview.Preview {
	p.Resources, p.Outputs = slices.Clone(p.Resources), maps.Clone(p.Outputs)
	for i := range p.Resources {
		p.Resources[i].Before, p.Resources[i].After = maps.Clone(p.Resources[i].Before), maps.Clone(p.Resources[i].After)
	}
	return p
}

func TestWhatWouldDoTheSameDoesNotDiffer(t *testing.T) {
	text, err := reviewed().Encode()
	require.NoError(t, err)
	stored, err := preview.Parse(text)
	require.NoError(t, err)
	assert.Empty(t, preview.Differences(stored, reviewed()), "stored and read again")
	rapid.Check(t, func(t *rapid.T) {
		other := clone(reviewed())
		other.Resources = rapid.Permutation(other.Resources).Draw(t, "order")
		assert.Empty(t, preview.Differences(reviewed(), other), "the engine's order means nothing")
	})
}

func TestEveryDifferenceIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *preview.Preview)
		want   string
	}{
		"another operation": {func(p *preview.Preview) { p.Resources[1].Op = preview.Replace }, "update would replace, not update"},
		"another start":     {func(p *preview.Preview) { p.Resources[1].Before["size"] = 9.0 }, "starts from other values of [size]"},
		"another wish":      {func(p *preview.Preview) { p.Resources[2].After["size"] = 9.0 }, "would get other values of [size]"},
		"an unchanged one":  {func(p *preview.Preview) { p.Resources[0].After["size"] = 9.0 }, "same would get other values of [size]"},
		"one less":          {func(p *preview.Preview) { p.Resources = p.Resources[1:] }, "is no longer there"},
		"one more": {func(p *preview.Preview) {
			p.Resources = append(p.Resources, resource("", "a:b:C", "new", preview.Create))
		}, "new was not there"},
		"a known value":       {func(p *preview.Preview) { p.Resources[2].After["vpc"] = "vpc-1" }, "would get other values of [vpc]"},
		"another output":      {func(p *preview.Preview) { p.Outputs["amiId"] = "ami-3" }, `stack output amiId would be "ami-3", not "ami-2"`},
		"one output the less": {func(p *preview.Preview) { p.Outputs = nil }, "stack output amiId"},
	} {
		now := clone(reviewed())
		c.change(&now)
		differences := preview.Differences(reviewed(), now)
		require.Len(t, differences, 1, name)
		assert.Contains(t, differences[0], c.want, name)
	}
}

// carriedOut is what a preview shows after a part of the reviewed one was carried out.
func carriedOut(p preview.Preview, done map[string]bool) preview.Preview {
	p = clone(p)
	var left []preview.Resource
	for _, r := range p.Resources {
		if done[r.Name()] && r.Op == preview.Delete {
			continue
		}
		if done[r.Name()] {
			r.Op, r.Before = preview.Same, nil
			r.After["vpc"] = "vpc-1" // known by now
		}
		left = append(left, r)
	}
	p.Resources = left
	return p
}

func TestTheRestIsWhatRemainsAndNothingElse(t *testing.T) {
	names := []string{preview.Update, preview.Create, preview.Replace, preview.Delete}
	rapid.Check(t, func(t *rapid.T) {
		done := map[string]bool{}
		for _, name := range names {
			done[name] = rapid.Bool().Draw(t, name)
		}
		now := carriedOut(reviewed(), done)
		assert.Empty(t, preview.NotRemaining(reviewed(), now))

		i := rapid.IntRange(0, len(now.Resources)-1).Draw(t, "one")
		if now.Resources[i].After != nil {
			now.Resources[i].After["size"] = 9.0
			assert.Len(t, preview.NotRemaining(reviewed(), now), 1, "%s ends up as something else", now.Resources[i].Name())
		}
	})
	now := clone(reviewed())
	now.Resources[0].Op = preview.Update
	assert.Len(t, preview.NotRemaining(reviewed(), now), 1, "what was not to change does")
	now = clone(reviewed())
	now.Resources[1].Op = preview.Delete
	now.Resources[1].After = nil
	assert.Len(t, preview.NotRemaining(reviewed(), now), 1, "an update became a deletion")
	now = clone(reviewed())
	now.Resources = append(now.Resources, resource("", "a:b:C", "new", preview.Create))
	assert.Len(t, preview.NotRemaining(reviewed(), now), 1, "something is there that was not reviewed")
	now.Resources = now.Resources[1:5]
	now.Outputs["url"] = "known by now"
	assert.Len(t, preview.NotRemaining(reviewed(), now), 1, "something is gone")
}
