package webtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Finding is what axe-core found in a page: a rule that does not hold, how bad that is, and for which elements.
type Finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// Serious says whether it keeps people from reading the page (axe-core, "doc/issue_impact.md").
func (f Finding) Serious() bool { return f.Impact == "serious" || f.Impact == "critical" }

// Accessible says that axe-core finds nothing serious in a page, with everything unfolded, in light and in dark.
func (b *Tab) Accessible(t *testing.T, address, name string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(t, scheme)
		b.Open(t, address)
		Evaluate[int](t, b, `document.querySelectorAll("details").forEach(d => d.open = true) ?? 0`)
		findings := slices.DeleteFunc(b.Axe(t), func(f Finding) bool { return !f.Serious() })
		assert.Empty(t, findings, "%s, %s", name, scheme)
	}
}

// Axe is all that axe-core finds in the page that is open. That axe-core is not there fails the test.
func (b *Tab) Axe(t *testing.T) []Finding {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root(t), ".tools", "axe-core", "axe.min.js"))
	require.NoError(t, err, "run: tools/axe")
	Evaluate[int](t, b, string(script)+"\n;0")
	result := Evaluate[struct {
		Passes     int
		Violations []Finding
	}](t, b, `axe.run().then(r => ({Passes: r.passes.length, Violations: r.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help,
		Nodes: v.nodes.map(n => ({HTML: n.html.slice(0, 200), FailureSummary: n.failureSummary}))}))}))`)
	require.Greater(t, result.Passes, 10, "axe-core has looked at the page")
	return result.Violations
}

// root is the directory of this module's source, below which tests run.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(text), "module github.com/tekpossible/ha-devops\n") {
			return dir
		}
		up := filepath.Dir(dir)
		require.NotEqual(t, dir, up, "no go.mod of this module above the working directory")
		dir = up
	}
}
