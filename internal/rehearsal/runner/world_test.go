package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// world is a runner with one git repository, acme/app, and pipelines made of short descriptions.
type world struct {
	*Runner
	t          *testing.T
	dir, repo  string
	parameters map[string]string

	mu      sync.Mutex
	events  []Event
	approve func(context.Context, Approval) (bool, string, error)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), repo: t.TempDir(), parameters: map[string]string{}}
	w.git("init", "-q", "-b", "dev", ".")
	w.commit("README.md", "hello\n")
	w.Runner = New(Options{
		Dir: w.dir, Environ: environ, Log: func(e Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
		Parameter: func(name string) (string, bool) { v, ok := w.parameters[name]; return v, ok },
		Secret: func(name string) (string, bool) {
			return `{"token":"t0ken"}`, name == "arn:aws:secretsmanager:r:1:secret:s"
		},
		Clone: func(ctx context.Context, repository, branch, commit, dest string) error {
			if repository != "acme/app" {
				return fmt.Errorf("no repository %s", repository)
			}
			if _, err := output(ctx, w.repo, environ(), "git", "clone", "-q", "-b", branch, w.repo, dest); err != nil || commit == "" {
				return err
			}
			_, err := output(ctx, dest, environ(), "git", "reset", "-q", "--hard", commit)
			return err
		},
		Approve: func(ctx context.Context, a Approval) (bool, string, error) {
			if w.approve == nil {
				return false, "", errors.New("nobody approves here")
			}
			return w.approve(ctx, a)
		},
	})
	t.Cleanup(w.Close)
	return w
}

func environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "AWS_REGION=eu-central-1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_CONFIG_GLOBAL=/dev/null",
	}
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	out, err := output(w.t.Context(), w.repo, environ(), "git", args...)
	require.NoError(w.t, err)
	return strings.TrimSpace(out)
}

func (w *world) commit(file, content string) string {
	w.t.Helper()
	path := filepath.Join(w.repo, file)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(content), 0o644))
	w.git("add", "-A")
	w.git("commit", "-q", "-m", "Change "+file)
	return w.git("rev-parse", "HEAD")
}

type m = map[string]any

// project provisions a build project whose build phase has these commands; more is put under them in the buildspec.
func (w *world) project(name, commands, more string, variables ...any) {
	w.t.Helper()
	spec := "version: 0.2\nphases:\n  build:\n    commands:\n"
	for line := range strings.Lines(commands) {
		spec += "      - " + line
	}
	require.NoError(w.t, w.PutProject(name, projectInputs(spec+"\n"+more, variables...)))
}

func projectInputs(spec string, variables ...any) m {
	return m{
		"name": "p", "serviceRole": "arn:role", "buildTimeout": 5, "tags": m{"a": "b"},
		"artifacts":   m{"type": "CODEPIPELINE"},
		"source":      m{"type": "CODEPIPELINE", "buildspec": spec},
		"environment": m{"computeType": "s", "image": "i", "type": "LINUX_CONTAINER", "environmentVariables": variables},
		"cache":       m{"type": "LOCAL", "modes": []any{"LOCAL_CUSTOM_CACHE"}},
	}
}

func sourceAction() m {
	return m{
		"name": "Source", "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1",
		"namespace": "Source", "outputArtifacts": []any{"src"}, "configuration": m{
			"ConnectionArn": "arn:c", "FullRepositoryId": "acme/app", "BranchName": "dev",
			"OutputArtifactFormat": "CODEBUILD_CLONE_REF", "DetectChanges": "false",
		},
	}
}

func buildAction(name string, more m) m {
	action := m{
		"name": name, "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1", "namespace": name,
		"inputArtifacts": []any{"src"}, "configuration": m{"ProjectName": name},
	}
	for key, value := range more {
		action[key] = value
	}
	return action
}

func approvalAction(data string) m {
	return m{
		"name": "Approve", "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
		"configuration": m{"CustomData": data, "NotificationArn": "arn:topic"},
	}
}

// pipeline provisions a pipeline whose later stages have these actions.
func (w *world) pipeline(name, mode string, stages ...[]any) {
	w.t.Helper()
	all := []any{m{"name": "Source", "actions": []any{sourceAction()}}}
	for i, actions := range stages {
		all = append(all, m{"name": fmt.Sprint("Stage", i+1), "actions": actions})
	}
	require.NoError(w.t, w.PutPipeline(name, m{
		"name": name, "pipelineType": "V2", "executionMode": mode, "roleArn": "arn:role", "stages": all,
		"artifactStores": []any{m{"type": "S3", "location": "b"}},
		"triggers": []any{m{"providerType": "CodeStarSourceConnection", "gitConfiguration": m{
			"sourceActionName": "Source", "pushes": []any{m{"branches": m{"includes": []any{"dev"}}}},
		}}},
	}))
}

// finish runs the pipeline to its end.
func (w *world) finish(name string) Execution {
	w.t.Helper()
	id, err := w.Start(name, "")
	require.NoError(w.t, err)
	w.wait()
	return w.execution(id)
}

func (w *world) wait() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(w.t, w.Wait(ctx))
}

func (w *world) execution(id string) Execution {
	for _, e := range w.Executions() {
		if e.ID == id {
			return e
		}
	}
	w.t.Fatalf("no execution %s", id)
	return Execution{}
}

// failure is the error of the execution's last action.
func failure(t *testing.T, e Execution) string {
	t.Helper()
	require.Equal(t, Failed, e.Status)
	actions := e.Stages[len(e.Stages)-1].Actions
	return actions[len(actions)-1].Error
}
