package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func triggered(t *testing.T, push m) *pipelineDefinition {
	t.Helper()
	d, err := decodePipeline("p", m{
		"pipelineType": "V2", "stages": []any{
			m{"name": "Source", "actions": []any{sourceAction()}}, m{"name": "Build", "actions": []any{buildAction("B", nil)}},
		},
		"triggers": []any{m{"providerType": "CodeStarSourceConnection", "gitConfiguration": m{
			"sourceActionName": "Source", "pushes": []any{push},
		}}},
	})
	require.NoError(t, err)
	return d
}

func TestTriggers(t *testing.T) {
	dev := m{"includes": []any{"dev"}}
	for name, test := range map[string]struct {
		push   m
		repo   string
		branch string
		paths  []string
		want   bool
	}{
		"the branch":                   {m{"branches": dev}, "acme/app", "dev", nil, true},
		"another branch":               {m{"branches": dev}, "acme/app", "qa", nil, false},
		"another repository":           {m{"branches": dev}, "acme/other", "dev", nil, false},
		"a branch that is excluded":    {m{"branches": m{"includes": []any{"*"}, "excludes": []any{"dev"}}}, "acme/app", "dev", nil, false},
		"a star stops at a slash":      {m{"branches": m{"includes": []any{"feature/*"}}}, "acme/app", "feature/a/b", nil, false},
		"two stars do not":             {m{"branches": m{"includes": []any{"feature/**"}}}, "acme/app", "feature/a/b", nil, true},
		"a path that is included":      {m{"branches": dev, "filePaths": m{"includes": []any{"src/**"}}}, "acme/app", "dev", []string{"a", "src/x/y"}, true},
		"no path that is included":     {m{"branches": dev, "filePaths": m{"includes": []any{"src/**"}}}, "acme/app", "dev", []string{"a"}, false},
		"only paths that are excluded": {m{"branches": dev, "filePaths": m{"excludes": []any{"*.md"}}}, "acme/app", "dev", []string{"a.md"}, false},
		"a path that is not excluded":  {m{"branches": dev, "filePaths": m{"excludes": []any{"*.md"}}}, "acme/app", "dev", []string{"a.md", "x"}, true},
		"a filter for tags, a branch":  {m{"tags": m{"includes": []any{"v*"}}}, "acme/app", "dev", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, triggered(t, test.push).starts(test.repo, test.branch, test.paths))
		})
	}
}

func TestAMoveStartsWhatItTriggers(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "true\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
	first := w.git("rev-parse", "HEAD")
	w.commit("second", "2")
	assert.Empty(t, w.Move("acme/app", "qa", first, nil))
	assert.Len(t, w.Move("acme/app", "dev", first, []string{"README.md"}), 1)
	w.wait()
	require.Len(t, w.Executions(), 1)
	assert.Equal(t, first, w.Executions()[0].Commit, "it ran another commit than the one that moved the branch")
	assert.Equal(t, []string{"p"}, w.Triggers("acme/app", "dev"))
	assert.Empty(t, w.Triggers("acme/app", "main"))
}

func TestUnknownSettingsAreRefused(t *testing.T) {
	stages := func(action m) m {
		return m{"pipelineType": "V2", "stages": []any{
			m{"name": "Source", "actions": []any{sourceAction()}}, m{"name": "S", "actions": []any{action}},
		}}
	}
	for want, inputs := range map[string]m{
		`"Deploy/AWS/ECS" is not simulated`: stages(buildAction("X", m{"category": "Deploy", "provider": "ECS"})),
		`configuration key "BatchEnabled"`:  stages(buildAction("X", m{"configuration": m{"BatchEnabled": "true"}})),
		`unknown field "surprise"`:          stages(buildAction("X", m{"surprise": 1})),
		`executionMode "SOMETIMES"`:         {"pipelineType": "V2", "executionMode": "SOMETIMES"},
		`pipelineType "V1"`:                 {"pipelineType": "V1"},
		`0 stages`:                          {"pipelineType": "V2"},
	} {
		_, err := decodePipeline("p", inputs)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, `pipeline "p"`)
	}
	for want, spec := range map[string]string{
		"version \"0.1\"":   "version: 0.1\n",
		"no phase":          "version: 0.2\n",
		"batch":             "version: 0.2\nbatch: {}\n",
		"on-failure \"NO\"": "version: 0.2\nphases: {build: {commands: [x], on-failure: \"NO\"}}\n",
		"run-as":            "version: 0.2\nphases: {build: {commands: [x], run-as: root}}\n",
		"exported variable": "version: 0.2\nenv: {exported-variables: ['a b']}\n",
		"env.shell":         "version: 0.2\nenv: {shell: powershell.exe}\n",
	} {
		_, err := decodeProject("p", projectInputs(spec))
		require.ErrorContains(t, err, want)
	}
}

func FuzzParseBuildspec(f *testing.F) {
	f.Add([]byte("version: 0.2\nphases:\n  build:\n    commands: [make]\nartifacts: {files: ['**/*']}\n"))
	f.Add([]byte("version: \"0.2\"\nenv:\n  shell: bash\n  variables: {A: b}\n  exported-variables: [A]\nphases:\n  install: {commands: [&c \"echo 'a\\n\"], finally: [*c], on-failure: CONTINUE}\n" +
		"  post_build: {commands: ['exit 1']}\ncache: {paths: ['/x/**/*']}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if spec, err := parseBuildspec(data); err == nil {
			require.NoError(t, script{dir: t.TempDir()}.write(spec))
		}
	})
}

func TestSplitSecret(t *testing.T) {
	for text, want := range map[string][2]string{
		"name":                                {"name", ""},
		"name:key":                            {"name", "key"},
		"arn:aws:secretsmanager:r:1:secret:s": {"arn:aws:secretsmanager:r:1:secret:s", ""},
		"arn:aws:secretsmanager:r:1:secret:s:key::": {"arn:aws:secretsmanager:r:1:secret:s", "key"},
	} {
		id, key := splitSecret(text)
		assert.Equal(t, want, [2]string{id, key})
	}
}
