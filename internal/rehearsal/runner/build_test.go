package runner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVariablesAndArtifactsPassBetweenActions(t *testing.T) {
	w := newWorld(t)
	head := w.git("rev-parse", "HEAD")
	w.parameters["/config"] = "from ssm"
	w.project("Build", `mkdir out && cd out && export DIGEST="a \"b\" $COMMIT"
echo made > file && mkdir deep && echo deep > deep/er
test "$(git rev-parse HEAD)" = "$CODEBUILD_RESOLVED_SOURCE_VERSION"
`, "env:\n  variables: {FROM_SPEC: spec, BOTH: spec}\n  exported-variables: [DIGEST, NEVER_SET]\nartifacts: {base-directory: out, files: ['**/*']}\n",
		m{"name": "CONFIG", "value": "/config", "type": "PARAMETER_STORE"}, m{"name": "BOTH", "value": "project"},
		m{"name": "TOKEN", "value": "arn:aws:secretsmanager:r:1:secret:s:token", "type": "SECRETS_MANAGER"})
	w.project("Use", `test "$DIGEST" = "a \"b\" $COMMIT"
grep made "$CODEBUILD_SRC_DIR_made/file" && grep deep "$CODEBUILD_SRC_DIR_made/deep/er"
grep hello README.md && test "$PWD" = "$CODEBUILD_SRC_DIR"
`, "")
	variables := `[{"name":"COMMIT","value":"#{Source.CommitId}"},{"name":"E","value":"#{codepipeline.PipelineExecutionId}"}]`
	w.pipeline("p", "QUEUED",
		[]any{buildAction("Build", m{
			"outputArtifacts": []any{"made"}, "configuration": m{"ProjectName": "Build", "EnvironmentVariables": variables},
		})},
		[]any{buildAction("Use", m{"inputArtifacts": []any{"src", "made"}, "configuration": m{
			"ProjectName": "Use", "PrimarySource": "src",
			"EnvironmentVariables": `[{"name":"DIGEST","value":"#{Build.DIGEST}"},{"name":"COMMIT","value":"#{Source.CommitId}"}]`,
		}})})
	e := w.finish("p")
	for _, stage := range e.Stages {
		for _, action := range stage.Actions {
			require.Empty(t, action.Error)
		}
	}
	assert.Equal(t, Succeeded, e.Status)
	assert.Equal(t, head, e.Commit)
	assert.Equal(t, `DIGEST=a "b" `+head, e.Stages[1].Actions[0].Summary)
	assert.NoDirExists(t, filepath.Join(w.dir, "executions", e.ID))
	assert.FileExists(t, e.Stages[1].Actions[0].LogFile)
	for _, event := range w.events {
		assert.NotContains(t, fmt.Sprint(event), "t0ken")
	}
}

func TestTheEnvironmentIsExactlyWhatIsDefined(t *testing.T) {
	t.Setenv("LEAKED", "from the test's own environment")
	w := newWorld(t)
	w.project("Build", "env -0 > env && cp env $CACHED/env\n", "env: {variables: {BOTH: spec, FROM_SPEC: spec}}\n",
		m{"name": "BOTH", "value": "project"}, m{"name": "CACHED", "value": w.dir})
	w.pipeline("p", "QUEUED", []any{buildAction("Build", m{"configuration": m{
		"ProjectName": "Build", "EnvironmentVariables": `[{"name":"ONLY","value":"action","type":"PLAINTEXT"}]`,
	}})})
	require.Equal(t, Succeeded, w.finish("p").Status)
	data, err := os.ReadFile(filepath.Join(w.dir, "env"))
	require.NoError(t, err)
	got := map[string]string{}
	for _, entry := range strings.Split(string(data), "\x00") {
		if key, value, ok := strings.Cut(entry, "="); ok {
			got[key] = value
		}
	}
	assert.Equal(t, "project", got["BOTH"])
	assert.Equal(t, "spec", got["FROM_SPEC"])
	assert.Equal(t, "action", got["ONLY"])
	assert.Equal(t, "eu-central-1", got["AWS_DEFAULT_REGION"])
	assert.Equal(t, "codepipeline/p", got["CODEBUILD_INITIATOR"])
	assert.Equal(t, "true", got["CI"])
	assert.NotContains(t, got, "LEAKED")
	assert.NotEqual(t, os.Getenv("HOME"), got["HOME"])
}

func TestAFailedCommandShowsItsLastLines(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "for i in $(seq 100); do echo line $i; done\nsh -c 'echo the reason >&2; exit 3'\necho never\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)}, []any{approvalAction("")})
	e := w.finish("p")
	require.Len(t, e.Stages, 2, "a later stage began")
	text := failure(t, e)
	for _, want := range []string{`pipeline "p"`, `action "Build"`, "the reason", "exit status 3", "line 100"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "line 50\n")
	assert.NotContains(t, text, "never")
}

func TestPhases(t *testing.T) {
	for name, test := range map[string]struct {
		spec   string
		want   string
		status Status
	}{
		"a failed build goes on to post_build": {`
  build: {commands: [echo build, "false", echo no], finally: [echo finally]}
  post_build: {commands: [echo post $CODEBUILD_BUILD_SUCCEEDING]}`, "build finally post 0", Failed},
		"a failed pre_build ends": {`
  pre_build: {commands: ["false"], finally: [echo finally]}
  build: {commands: [echo build]}`, "finally", Failed},
		"unless it says otherwise": {`
  pre_build: {commands: ["false"], on-failure: CONTINUE}
  build: {commands: [echo build]}`, "build", Failed},
		"a build may abort": {`
  build: {commands: ["false"], on-failure: ABORT}
  post_build: {commands: [echo post]}`, "", Failed},
		"one shell runs all": {`
  install: {commands: [cd /, X=kept], runtime-versions: {golang: latest}}
  build: {commands: [echo "$X $PWD"]}`, "kept /", Succeeded},
		"exit is not the end of a build": {`
  build: {commands: [exit 0]}`, "", Failed},
		"a command may have many lines": {`
  build:
    commands:
      - |
        if true; then
          echo "it's" fine
        fi`, "it's fine", Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.NoError(t, w.PutProject("Build", projectInputs("version: 0.2\nphases:"+test.spec+"\n")))
			w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
			e := w.finish("p")
			assert.Equal(t, test.status, e.Status)
			log, err := os.ReadFile(e.Stages[1].Actions[0].LogFile)
			require.NoError(t, err)
			var said []string
			for line := range strings.Lines(string(log)) {
				if !strings.HasPrefix(line, "[") {
					said = append(said, strings.TrimSpace(line))
				}
			}
			assert.Equal(t, test.want, strings.Join(said, " "))
		})
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		configuration m
		variables     []any
		want          []string
	}{
		"a reference": {
			m{"ProjectName": "Build", "EnvironmentVariables": `[{"name":"X","value":"#{Review.DIGEST}"}]`},
			nil,
			[]string{"variable X", "#{Review.DIGEST}", "Source.CommitId"},
		},
		"a reference in the configuration": {m{"ProjectName": "#{No.Such}"}, nil, []string{"configuration ProjectName", "#{No.Such}"}},
		"a parameter": {
			m{"ProjectName": "Build"},
			[]any{m{"name": "X", "value": "/gone", "type": "PARAMETER_STORE"}},
			[]string{"variable X", `SSM parameter "/gone"`},
		},
		"a secret": {
			m{"ProjectName": "Build"},
			[]any{m{"name": "X", "value": "gone", "type": "SECRETS_MANAGER"}},
			[]string{"variable X", `secret "gone"`},
		},
		"a project": {m{"ProjectName": "Gone"}, nil, []string{`build project "Gone" does not exist`, "Build"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.project("Build", "true\n", "", test.variables...)
			w.pipeline("p", "QUEUED", []any{buildAction("Build", m{"configuration": test.configuration})})
			text := failure(t, w.finish("p"))
			for _, want := range test.want {
				assert.Contains(t, text, want)
			}
		})
	}
}

func TestCachesStayBetweenBuilds(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "mkdir -p ~/.cache/x && echo $CODEBUILD_BUILD_NUMBER >> ~/.cache/x/n && cp ~/.cache/x/n "+w.dir+"/n\n",
		"cache: {paths: ['/root/.cache/x/**/*']}\n")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
	w.finish("p")
	require.Equal(t, Succeeded, w.finish("p").Status)
	got, err := os.ReadFile(filepath.Join(w.dir, "n"))
	require.NoError(t, err)
	assert.Equal(t, "1\n2\n", string(got))
}

func TestWhatABuildLeavesRunningEndsWithIt(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "sleep 60 & echo $! > "+w.dir+"/pid\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
	require.Equal(t, Succeeded, w.finish("p").Status)
	pid, err := os.ReadFile(filepath.Join(w.dir, "pid"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(pid))).Output()
		return err != nil || strings.HasPrefix(string(state), "Z")
	}, 5*time.Second, 20*time.Millisecond)
}

func TestATimeoutIsNamed(t *testing.T) {
	w := newWorld(t)
	w.project("Build", "echo begun; sleep 60\n", "")
	w.pipeline("p", "QUEUED", []any{buildAction("Build", nil)})
	w.projects["Build"].limit = 3 * time.Second
	text := failure(t, w.finish("p"))
	assert.Contains(t, text, "timed out after 3s")
	assert.Contains(t, text, "begun")
}

func TestTestReportsAreKeptAlsoOfABuildThatFails(t *testing.T) {
	const group = "arn:aws:codebuild:r:1:report-group/shop-findings"
	reports := "reports: {'" + group + "': {files: [found.xml], file-format: JUNITXML}}\n"
	w := newWorld(t)
	w.project("Good", "echo good > found.xml", reports)
	w.project("Bad", "echo bad > found.xml; false", reports)
	w.project("Without", "true", reports)
	for _, name := range []string{"Good", "Bad", "Without"} {
		w.pipeline("p"+name, "QUEUED", []any{buildAction(name, m{"configuration": m{"ProjectName": name}})})
		e := w.finish("p" + name)
		action := e.Stages[1].Actions[0]
		kept, err := os.ReadFile(filepath.Join(w.dir, "logs", "p"+name, e.ID, name+"-reports", "shop-findings", "found.xml"))
		if name == "Without" {
			require.ErrorIs(t, err, os.ErrNotExist)
			assert.Contains(t, action.Error, "report group "+group+": no matching")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, strings.ToLower(name)+"\n", string(kept))
		assert.Equal(t, name == "Bad", action.Error != "")
	}
}
