package policy_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/policy"
)

// modules are the rules and their tests by file name.
func modules(t *testing.T) map[string]*ast.Module {
	t.Helper()
	files, err := fs.Glob(policy.Files, "*.rego")
	require.NoError(t, err)
	all := map[string]*ast.Module{}
	for _, name := range files {
		text, err := fs.ReadFile(policy.Files, name)
		require.NoError(t, err)
		all[name], err = ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		require.NoError(t, err)
	}
	return all
}

func TestRego(t *testing.T) {
	runner := tester.NewRunner().SetStore(inmem.New()).SetModules(modules(t)).RaiseBuiltinErrors(true).EnableTracing(true).
		SetCompiler(ast.NewCompiler().WithStrict(true).WithEnablePrintStatements(false))
	results, err := runner.RunTests(t.Context(), nil)
	require.NoError(t, err)
	for result := range results {
		t.Run(strings.TrimPrefix(result.Package, "data.")+"/"+result.Name, func(t *testing.T) {
			assert.NoError(t, result.Error)
			assert.True(t, result.Pass(), "%s: %s", result.Location, result)
		})
	}
}

// A rule without a passing test refuses everything, for all that is known, and one without a failing test nothing.
func TestEveryRuleHasPassingAndFailingTests(t *testing.T) {
	all := modules(t)
	passing, failing := regexp.MustCompile(`^test_accepts_`), regexp.MustCompile(`^test_(refuses|warns)_`)
	rules := 0
	for name, module := range all {
		rule, isRule := strings.CutPrefix(module.Package.Path.String(), "data.policy.")
		if !isRule || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		rules++
		assert.Equal(t, rule+".rego", name, "a rule's file is named after its package")
		tests := all[rule+"_test.rego"]
		require.NotNil(t, tests, "%s has no tests beside it", name)
		assert.Equal(t, fmt.Sprintf("data.policy.%s_test", rule), tests.Package.Path.String())
		var accepts, refuses int
		for _, r := range tests.Rules {
			head := r.Head.Ref().String()
			if passing.MatchString(head) {
				accepts++
			}
			if failing.MatchString(head) {
				refuses++
			}
		}
		assert.NotZero(t, accepts, "%s: no test_accepts_…", name)
		assert.NotZero(t, refuses, "%s: no test_refuses_… or test_warns_…", name)
	}
	assert.GreaterOrEqual(t, rules, 10)
}

func TestRegoIsFormatted(t *testing.T) {
	for name := range modules(t) {
		text, err := fs.ReadFile(policy.Files, name)
		require.NoError(t, err)
		formatted, err := format.SourceWithOpts(name, text, format.Opts{RegoVersion: ast.RegoV1})
		require.NoError(t, err)
		if os.Getenv("UPDATE_REGO") != "" {
			require.NoError(t, os.WriteFile(name, formatted, 0o600))
			continue
		}
		assert.Equal(t, string(formatted), string(text), "run UPDATE_REGO=1 go test ./policy -run Formatted")
	}
}
