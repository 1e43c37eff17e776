package lint_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

var ofTheApp = regexp.MustCompile(`(::ha-devops:index:AppEnvironment\$[^"]+)"`)

// resources is production's application, over and over, until it has that many resources.
func resources(t testing.TB, n int) lint.Input {
	t.Helper()
	p := load(t, "main")
	var app preview.Resource
	var parts []preview.Resource
	for _, r := range p.preview.Resources {
		switch {
		case r.Type == "ha-devops:index:AppEnvironment":
			app = r
		case strings.Contains(r.URN, "AppEnvironment$"):
			parts = append(parts, r)
		}
	}
	p.preview.Resources = []preview.Resource{app}
	plans := map[string]any{app.URN: p.planned(app.URN)}
	for i := range n - 1 {
		r := parts[i%len(parts)]
		another := fmt.Sprintf(`$1-%d"`, i/len(parts))
		text, err := json.Marshal(map[string]any{r.URN: p.planned(r.URN)})
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(ofTheApp.ReplaceAll(text, []byte(another)), &plans))
		r.URN += fmt.Sprintf("-%d", i/len(parts))
		p.preview.Resources = append(p.preview.Resources, r)
	}
	p.plan["resourcePlans"] = plans
	return p.input(t)
}

func BenchmarkLint(b *testing.B) {
	for _, n := range []int{20, 200, 2000} {
		b.Run(fmt.Sprintf("resources=%d", n), func(b *testing.B) {
			in := resources(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := lint.Lint(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Ten times the resources cost ten times as much, and not a hundred times.
func TestTheCostGrowsWithTheResources(t *testing.T) {
	cost := func(n int) float64 {
		in := resources(t, n)
		return testing.AllocsPerRun(1, func() {
			_, err := lint.Lint(t.Context(), in)
			require.NoError(t, err)
		})
	}
	assert.Less(t, cost(2000), 15*cost(200))
}
