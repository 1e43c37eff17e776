package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"mvdan.cc/sh/v3/syntax"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// root is the repository's root.
const root = "../.."

// workflow is what these tests read of a workflow (GitHub Docs, "Workflow syntax for GitHub Actions").
type workflow struct {
	On          map[string]any
	Permissions *map[string]string
	Concurrency map[string]any
	Jobs        map[string]job
}

type job struct {
	If          string
	Permissions map[string]string
	Timeout     int `yaml:"timeout-minutes"`
	Environment string
	Steps       []step
}

type step struct {
	ID, Name, Uses, Run string
	Env, With           map[string]string
}

// workflows are the texts of this repository's workflows, and of those that new repositories begin with, by where they are.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	paths, err := filepath.Glob(root + "/.github/workflows/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		found[strings.TrimPrefix(path, root+"/")] = string(text)
	}
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure, pipelines.DevOps} {
		for _, file := range components.StarterFiles(role, nil) {
			if strings.HasPrefix(file.Path, ".github/workflows/") {
				found[string(role)+":"+file.Path] = file.Content
			}
		}
	}
	return found
}

// eachWorkflow has a test look at each of them.
func eachWorkflow(t *testing.T, check func(t *testing.T, text string, w workflow)) {
	t.Helper()
	for name, text := range workflows(t) {
		t.Run(name, func(t *testing.T) {
			var w workflow
			require.NoError(t, yaml.Unmarshal([]byte(text), &w))
			require.NotEmpty(t, w.Jobs)
			check(t, text, w)
		})
	}
}

func TestActionlintFindsNothing(t *testing.T) {
	eachWorkflow(t, func(t *testing.T, text string, _ workflow) {
		linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		require.NoError(t, err)
		found, err := linter.Lint("workflow.yml", []byte(text), nil)
		require.NoError(t, err)
		for _, problem := range found {
			t.Errorf("line %d: %s", problem.Line, problem.Message)
		}
	})
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	found, err := linter.Lint("workflow.yml", []byte("on: push\njobs: {x: {runs-on: ubuntu-24.04, steps: [{run: 'echo ${{ github.event.pull_request.title }}'}]}}"), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, found, "it looks for scripts that run what strangers write")
}

var pinned = regexp.MustCompile(`uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+\n`)

func TestWorkflowsMayDoNoMoreThanTheyNeed(t *testing.T) {
	versions := map[string]string{}
	eachWorkflow(t, func(t *testing.T, text string, w workflow) {
		require.NotNil(t, w.Permissions, "permissions: {} at the top")
		assert.Empty(t, *w.Permissions)
		assert.Contains(t, w.Concurrency, "group")
		assert.Contains(t, w.Concurrency, "cancel-in-progress")
		for name, job := range w.Jobs {
			assert.Positive(t, job.Timeout, "%s ends", name)
			for permission, level := range job.Permissions {
				assert.Contains(t, []string{"contents: read", "id-token: write", "pull-requests: write"}, permission+": "+level, name)
			}
			if job.Permissions["pull-requests"] != "" {
				assert.Len(t, job.Permissions, 1, "%s: what comments runs nothing else", name)
			}
			if job.Permissions["id-token"] != "" {
				assert.Contains(t, job.If, "github.event.pull_request.head.repo.full_name == github.repository", name)
				assert.Regexp(t, `^`+regexp.QuoteMeta(pipelines.ChecksEnvironment(""))+`\$\{\{ (github\.base_ref|matrix\.stack) \}\}$`, job.Environment, name)
			}
			for _, step := range job.Steps {
				assert.NotContains(t, step.Run, "${{", "%s: what strangers write does not become a command", name)
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					assert.Equal(t, "false", step.With["persist-credentials"], name)
				}
			}
		}
		for line := range strings.Lines(text) {
			_, uses, ok := strings.Cut(line, "uses: ")
			if !ok {
				continue
			}
			assert.Regexp(t, pinned, line, "an action is pinned by commit, with its version beside it")
			action, commit, _ := strings.Cut(strings.TrimSpace(uses), "@")
			if versions[action] == "" {
				versions[action] = commit
			}
			assert.Equal(t, versions[action], commit, "%s has one version", action)
		}
	})
}

// runners are the programs of GitHub's image ubuntu-24.04 and of GNU and git that the workflows use (actions/runner-images). pulumi is
// among those that a step before has installed.
var runners = []string{"aws", "awk", "chmod", "gh", "head", "jq", "mkdir", "openssl", "pulumi", "sed", "sha256sum", "tail", "tee"}

// builtins are bash's own.
var builtins = []string{"[", "echo", "exit", "export", "printf", "read", "test"}

func TestEveryCommandOfTheWorkflowsExists(t *testing.T) {
	makefile, err := os.ReadFile(root + "/Makefile")
	require.NoError(t, err)
	eachWorkflow(t, func(t *testing.T, _ string, w workflow) {
		for name, job := range w.Jobs {
			for _, step := range job.Steps {
				for _, problem := range unknownCommands(step.Run, string(makefile)) {
					t.Errorf("%s: %s", name, problem)
				}
			}
		}
	})
	for line, want := range map[string]string{
		"make lnit":                            "make lnit: the Makefile has no such target",
		"relay reveiw":                         "relay reveiw: relay has no such command",
		"if true; then relay review --dry; fi": "true: no known program",
		"x=$(relay check --output jsn)":        "relay check --output jsn: must be text or json",
		"relay check --all":                    "relay check --all: unknown flag: --all",
		"go build ./nowhere/...":               "go build ./nowhere/...: there is no ./nowhere",
		"go run ./cmd/nowhere":                 "go run ./cmd/nowhere: there is no ./cmd/nowhere",
		"tools/nothing":                        "tools/nothing: there is no such script",
		"f() { kubectl apply; }; f":            "kubectl: no known program",
		"echo $((":                             "must be followed by an expression",
	} {
		assert.Contains(t, strings.Join(unknownCommands(line, string(makefile)), "\n"), want)
	}
}

// unknownCommands are the commands of a script that do not exist.
func unknownCommands(script, makefile string) (problems []string) {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return []string{err.Error()}
	}
	functions := map[string]bool{}
	syntax.Walk(file, func(node syntax.Node) bool {
		if f, ok := node.(*syntax.FuncDecl); ok {
			functions[f.Name.Value] = true
		}
		return true
	})
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		var words []string
		for _, word := range call.Args {
			words = append(words, word.Lit()) // empty for what the shell computes
		}
		if !functions[words[0]] {
			if problem := unknownCommand(words, makefile); problem != "" {
				problems = append(problems, problem)
			}
		}
		return true
	})
	return problems
}

func unknownCommand(words []string, makefile string) string {
	line := strings.Join(words, " ")
	missing := func(path string) bool {
		_, err := os.Stat(filepath.Join(root, path))
		return err != nil
	}
	switch name := words[0]; {
	case name == "make":
		for _, target := range words[1:] {
			if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).MatchString(makefile) {
				return line + ": the Makefile has no such target"
			}
		}
	case name == "relay":
		return unknownRelay(line, words[1:])
	case name == "go":
		for _, word := range words[2:] {
			if path := strings.TrimSuffix(word, "/..."); strings.HasPrefix(word, "./") && missing(path) {
				return line + ": there is no " + path
			}
		}
	case strings.Contains(name, "/"):
		if missing(name) {
			return name + ": there is no such script"
		}
	case !slices.Contains(runners, name) && !slices.Contains(builtins, name):
		return fmt.Sprintf("%s: no known program", name)
	}
	return ""
}

func unknownRelay(line string, args []string) string {
	command := newRootCommand(&deps{ui: &ui{}})
	found, rest, err := command.Find(args)
	if err != nil || found == command {
		return line + ": relay has no such command"
	}
	if err := found.ParseFlags(rest); err != nil {
		return line + ": " + strings.TrimPrefix(err.Error(), `invalid argument "jsn" for "--output" flag: `)
	}
	if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		return line + ": " + err.Error()
	}
	return ""
}

func TestThePreviewTellsRelayWhatItReads(t *testing.T) {
	for name, text := range workflows(t) {
		if !strings.HasSuffix(name, "preview.yml") || !strings.HasPrefix(name, string(pipelines.Infrastructure)) {
			continue
		}
		var w workflow
		require.NoError(t, yaml.Unmarshal([]byte(text), &w))
		for _, step := range w.Jobs["preview"].Steps {
			if step.ID != "review" {
				continue
			}
			for _, variable := range vars.Names(vars.DryRun{}) {
				assert.True(t, step.Env[variable] != "" || strings.Contains(step.Run, "export "+variable+"\n"), variable)
			}
			return
		}
	}
	t.Error("no workflow of the infrastructure repository previews")
}
