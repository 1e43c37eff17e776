package lint_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/lint"
)

// The page says of each rule what the rule says of itself.
func TestDocsHaveEveryRule(t *testing.T) {
	const page, from, to = "../../docs/policy.md", "-run Docs -->\n", "<!-- /rules -->"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(content), from)
	require.True(t, found, from)
	written, tail, found := strings.Cut(rest, to)
	require.True(t, found, to)

	rules, err := lint.Rules()
	require.NoError(t, err)
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "\n### `%s` (%s)\n\n%s.\n\n- Why: %s\n- How to mend: %s\n", r.ID, r.Severity, r.Title, r.Why, r.Fix)
	}
	b.WriteString("\n")
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(page, []byte(head+from+b.String()+to+tail), 0o600))
		return
	}
	assert.Equal(t, b.String(), written, "run UPDATE_DOCS=1 go test ./internal/lint -run Docs")
}

// What the page shows as an exception is one.
func TestDocsExceptionIsRead(t *testing.T) {
	content, err := os.ReadFile("../../docs/policy.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(content), "```yaml\n")
	require.True(t, found)
	example, _, _ := strings.Cut(rest, "```")
	parsed, err := parse(t, example)
	require.NoError(t, err)
	assert.Len(t, parsed, 1)
	assert.Contains(t, string(content), "ssh-keygen -Y sign -n "+lint.ExceptionsNamespace)
}
