package rehearsal_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// ask returns what an environment answers.
func ask(t *testing.T, r *rehearsal.Rehearsal, environment string) rehearsal.Environment {
	t.Helper()
	answer, err := r.Ask(t.Context(), environment)
	require.NoError(t, err)
	return answer
}

// TestTheRelay is the main job: a commit runs in dev and nowhere else until it is promoted, and what did not change is not baked again.
func TestTheRelay(t *testing.T) {
	r := world{}.start(t, "dev", "qa", "main")
	ctx := t.Context()
	require.NoError(t, r.FirstRelease(ctx))
	first := ask(t, r, "dev")
	for _, environment := range []string{"qa", "main"} {
		require.NoError(t, r.Promote(ctx, environment))
		promoted := ask(t, r, environment)
		assert.Equal(t, first.AMI, promoted.AMI, "promoting an unchanged tree reuses the AMI")
		assert.Equal(t, first.Answered, promoted.Answered)
	}

	require.NoError(t, r.Change(ctx, map[string]string{"greeting.go": "package main\n\nconst greeting = \"Welcome back.\"\n"}))
	second := ask(t, r, "dev")
	assert.NotEqual(t, first.Answered, second.Answered)
	assert.NotEqual(t, first.AMI, second.AMI)
	assert.Equal(t, first, named(ask(t, r, "qa"), first), "qa runs the first release until it is promoted to")
	assert.Equal(t, first, named(ask(t, r, "main"), first))

	bakes, runs := len(r.Bakes()), len(r.Steps())
	require.NoError(t, r.Change(ctx, map[string]string{"NOTES.md": "Beside the packed tree.\n"}))
	third := ask(t, r, "dev")
	assert.Equal(t, second.AMI, third.AMI, "the packed tree is the same, and so is the image")
	assert.Len(t, r.Bakes(), bakes, "nothing is baked")
	assert.Greater(t, len(r.Steps()), runs+2, "the pipelines did run")

	require.NoError(t, r.Promote(ctx, "qa"))
	assert.Equal(t, second.AMI, ask(t, r, "qa").AMI)
	assert.Equal(t, first.AMI, ask(t, r, "main").AMI)

	for _, environment := range []string{"dev", "qa", "main"} {
		t.Run("a second preview of "+environment+" shows no changes", func(t *testing.T) {
			changes, err := r.Preview(ctx, environment)
			require.NoError(t, err)
			assert.Empty(t, changes.Changed())
		})
		t.Run("the export of "+environment+" is a deployment", func(t *testing.T) {
			text, err := r.Export(ctx, environment)
			require.NoError(t, err)
			var export struct {
				Version    int
				Deployment struct{ Resources []any }
			}
			require.NoError(t, json.Unmarshal(text, &export))
			assert.Greater(t, len(export.Deployment.Resources), 80)
		})
	}
	t.Run("rulesets", func(t *testing.T) { checkRulesets(t, r) })
}

// named is an environment's answer under another's name and size, to compare what they run.
func named(e, as rehearsal.Environment) rehearsal.Environment {
	e.Name, e.Instances = as.Name, as.Instances
	return e
}

// checkRulesets pushes straight to environment branches, which nobody may, except the pipelines' App where it hands off.
func checkRulesets(t *testing.T, r *rehearsal.Rehearsal) {
	for _, c := range []struct {
		repository string
		token      string
		allowed    bool
	}{
		{"software", rehearsal.DeveloperToken, false},
		{"image", rehearsal.DeveloperToken, false},
		{"infrastructure", rehearsal.DeveloperToken, false},
		{"software", rehearsal.AppToken, false},
		{"image", rehearsal.AppToken, true},
		{"infrastructure", rehearsal.AppToken, true},
	} {
		// Production's branch has nothing in flight.
		output, err := push(t, r.Remote(c.repository, c.token), "main")
		if c.allowed {
			assert.NoError(t, err, "%s with %s: %s", c.repository, c.token, output)
			continue
		}
		assert.Error(t, err, "%s with %s", c.repository, c.token)
		assert.Contains(t, output, "GH013: Repository rule violations found for refs/heads/main", c.repository)
	}
}

func push(t *testing.T, remote, branch string) (string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	run := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput()
		return string(out), err
	}
	if out, err := run("clone", "--quiet", "--branch", branch, remote, dir); err != nil {
		return out, err
	}
	write(t, dir, map[string]string{"direct.txt": "pushed past the pull requests\n"})
	if out, err := run("-C", dir, "add", "--all"); err != nil {
		return out, err
	}
	if out, err := run("-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message=direct"); err != nil {
		return out, err
	}
	return run("-C", dir, "push", "origin", branch)
}

// TestContentThatWasNotMadeForIt rehearses with directories and repositories that know nothing of the relay.
func TestContentThatWasNotMadeForIt(t *testing.T) {
	image := files(t, map[string]string{"motd": "hello\n"})
	t.Run("a plain directory", func(t *testing.T) {
		software := files(t, map[string]string{"index.html": "<h1>hello</h1>", "run": "#!/bin/sh\n"})
		r := world{software: software, image: image, infrastructure: files(t, map[string]string{"README.md": "empty"})}.start(t, "dev")
		require.NoError(t, r.FirstRelease(t.Context()))
		answer := ask(t, r, "dev")
		assert.Regexp(t, `^g[0-9a-f]{12}$`, answer.ArtifactTag)
		assert.Equal(t, answer.ArtifactTag, answer.Answered)
		assert.True(t, strings.HasPrefix(answer.SoftwareCommit, answer.ArtifactTag[1:]))
	})
	t.Run("a git repository with history and tags", func(t *testing.T) {
		software := files(t, map[string]string{"index.html": "one"})
		git(t, software, "init", "--quiet", "--initial-branch=trunk")
		commit(t, software, "one")
		git(t, software, "tag", "v1.0.0")
		write(t, software, map[string]string{"index.html": "two"})
		commit(t, software, "two")
		git(t, software, "tag", "--annotate", "--message=second", "v1.1.0")
		r := world{software: software, image: image}.start(t, "dev", "qa")
		require.NoError(t, r.FirstRelease(t.Context()))
		answer := ask(t, r, "dev")
		assert.Equal(t, "v1.1.0", answer.ArtifactTag)
		assert.Equal(t, git(t, software, "rev-parse", "HEAD"), answer.SoftwareCommit)
		require.NoError(t, r.Promote(t.Context(), "qa"))
		assert.Equal(t, "v1.1.0", ask(t, r, "qa").Answered)
	})
	t.Run("a git repository with one commit and no tag", func(t *testing.T) {
		software := files(t, map[string]string{"index.html": "one"})
		git(t, software, "init", "--quiet", "--initial-branch=main")
		commit(t, software, "one")
		r := world{software: software, image: image}.start(t, "dev")
		require.NoError(t, r.FirstRelease(t.Context()))
		assert.Equal(t, "g"+git(t, software, "rev-parse", "HEAD")[:12], ask(t, r, "dev").Answered)
	})
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"}, args...)...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

func commit(t *testing.T, dir, message string) {
	t.Helper()
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message="+message)
}

// TestTwoProductsSideBySide rehearses two products in one account and one organization.
func TestTwoProductsSideBySide(t *testing.T) {
	demo := world{}.start(t, "dev")
	shop := demo.Beside("shop")
	require.NoError(t, shop.Provision(t.Context(), "dev"))
	require.NoError(t, demo.FirstRelease(t.Context()))
	require.NoError(t, shop.FirstRelease(t.Context()))
	first := ask(t, demo, "dev")
	require.NoError(t, shop.Change(t.Context(), map[string]string{"greeting.go": "package main\n\nconst greeting = \"Welcome to the other shop.\"\n"}))
	assert.Equal(t, first, ask(t, demo, "dev"), "what one product releases is nothing to the other")
	assert.NotEqual(t, first.Answered, ask(t, shop, "dev").Answered)
	for _, r := range []*rehearsal.Rehearsal{demo, shop} {
		changes, err := r.Preview(t.Context(), "dev")
		require.NoError(t, err)
		assert.Empty(t, changes.Changed())
	}
}

// TestNobodyIsAskedToApproveNothing commits a file to the infrastructure repository that the program does not read.
func TestNobodyIsAskedToApproveNothing(t *testing.T) {
	var asked atomic.Int32
	r := world{approve: func(context.Context, runner.Approval, string) (bool, string, error) {
		asked.Add(1)
		return true, "", nil
	}}.start(t, "dev")
	require.NoError(t, r.FirstRelease(t.Context()))
	require.EqualValues(t, 1, asked.Load())
	first := ask(t, r, "dev")
	output, err := push(t, r.Remote("infrastructure", rehearsal.AppToken), "dev")
	require.NoError(t, err, output)
	require.NoError(t, r.Wait(t.Context()))
	assert.EqualValues(t, 1, asked.Load(), "the approval is skipped")
	all := r.Executions()
	last := all[len(all)-1]
	assert.Equal(t, rehearsal.Product+"-dev-infrastructure", last.Pipeline)
	assert.Equal(t, runner.Succeeded, last.Status)
	assert.Equal(t, "Deploy", last.Stages[len(last.Stages)-1].Name)
	assert.Equal(t, first, ask(t, r, "dev"))
}
