package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/pipelineapi"
	sim "github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
)

// identities are the people of the account, by access key ID.
func identities() map[string]string {
	return map[string]string{
		"a":   "arn:aws:sts::" + account + ":assumed-role/rehearsal/rehearsal",
		"kim": "arn:aws:sts::" + account + ":assumed-role/Approver/kim@example.com",
		"lee": "arn:aws:sts::" + account + ":assumed-role/Approver/lee@example.com",
	}
}

// runPipelines gives the account pipelines, whose builds run the scripts of the folder steps.
func (w *world) runPipelines(env *testscript.Env) {
	dir := filepath.Join(env.WorkDir, ".runner")
	w.runner = sim.New(sim.Options{
		Dir: dir, Account: account, Environ: func() []string {
			return []string{"PATH=" + os.Getenv("PATH"), "STEPS=" + filepath.Join(env.WorkDir, ".steps")}
		},
		Clone: func(ctx context.Context, repository, branch, commit, dest string) error {
			_, err := git.Run(ctx, env.WorkDir, "clone", "-q", "-b", branch, filepath.Join(w.repos, repository+".git"), dest)
			return err
		},
	})
	env.Defer(w.runner.Close)
	o := pipelineapi.Options{Runner: w.runner, Account: account, Region: region}
	w.aws.Handle("codepipeline", pipelineapi.CodePipeline(o))
	w.aws.Handle("codebuild", pipelineapi.CodeBuild(o))
	w.aws.ServeLogs(pipelineapi.LogFile(w.runner))
}

// factsOf are what things of an environment are called.
func factsOf(environment string) pipelines.Facts {
	profile := environments.Profile{Environment: environment}
	return environments.Config{Product: "shop", Account: account, Region: region}.Facts(profile)
}

type m = map[string]any

// makePipelines provisions the pipelines of environments: with the stages and the approval of the real ones, and builds that are scripts.
func makePipelines(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	for _, environment := range args {
		f := factsOf(environment)
		ts.Check(w.aws.CreateBucket(f.Bucket()))
		approve := pipelines.InfrastructurePipeline(f).Stages[1]
		ts.Check(w.provision(f, pipelines.Software, w.build(ts, f, pipelines.Software, "Build")))
		ts.Check(w.provision(f, pipelines.Image, w.build(ts, f, pipelines.Image, "Bake")))
		ts.Check(w.provision(f, pipelines.Infrastructure, w.build(ts, f, pipelines.Infrastructure, "Review"), stage(approve.Name, m{
			"name": approve.Name, "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
			"configuration": m{"CustomData": approve.Approval.Message, "ExternalEntityLink": approve.Approval.Link},
		}), w.build(ts, f, pipelines.Infrastructure, "Deploy")))
	}
}

func stage(name string, action m) any { return m{"name": name, "actions": []any{action}} }

func (w *world) provision(f pipelines.Facts, role pipelines.Role, stages ...any) error {
	source := stage("Source", m{
		"name": "Source", "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1", "namespace": "Source",
		"outputArtifacts": []any{"source"}, "configuration": m{
			"ConnectionArn": "arn:c", "FullRepositoryId": "acme/" + string(role), "BranchName": f.Environment, "OutputArtifactFormat": "CODEBUILD_CLONE_REF",
		},
	})
	return w.runner.PutPipeline(f.Pipeline(role), m{
		"pipelineType": "V2", "executionMode": "SUPERSEDED", "stages": append([]any{source}, stages...),
	})
}

// build provisions the project of a stage, which runs the script ENV-ROLE-STAGE.sh where there is one.
func (w *world) build(ts *testscript.TestScript, f pipelines.Facts, role pipelines.Role, name string) any {
	project := f.Project(role, name)
	spec := "version: 0.2\nenv:\n  exported-variables: [" + strings.Join(vars.Names(vars.Reviewed{}), ", ") + "]\n" +
		"phases:\n  build:\n    commands:\n      - if test -e $STEPS/" + project + ".sh; then . $STEPS/" + project + ".sh; fi\n"
	ts.Check(w.runner.PutProject(project, m{
		"buildTimeout": 5, "artifacts": m{"type": "CODEPIPELINE"}, "source": m{"type": "CODEPIPELINE", "buildspec": spec},
		"environment": m{"type": "LINUX_CONTAINER"},
	}))
	return stage(name, m{
		"name": name, "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1", "namespace": name,
		"inputArtifacts": []any{"source"}, "configuration": m{"ProjectName": project},
	})
}

// setStep says what a stage's build does: step ENV ROLE STAGE FILE.
func setStep(ts *testscript.TestScript, _ bool, args []string) {
	writeStep(ts, factsOf(args[0]).Project(pipelines.Role(args[1]), args[2]), ts.ReadFile(args[3]))
}

func writeStep(ts *testscript.TestScript, project, script string) {
	dir := ts.MkAbs(".steps")
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(os.WriteFile(filepath.Join(dir, project+".sh"), []byte(script), 0o644))
}

// start runs a pipeline until it ends or waits for its approval: start ENV ROLE. $EXECUTION and $BUILD become its IDs. With -hold it
// returns as soon as a build runs.
func start(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	hold := args[0] == "-hold"
	if hold {
		args = args[1:]
	}
	id, err := w.runner.Start(factsOf(args[0]).Pipeline(pipelines.Role(args[1])), "")
	ts.Check(err)
	ts.Setenv("EXECUTION", id)
	ts.Check(eventually(func() bool {
		for _, build := range w.runner.Builds() {
			if build.Execution == id {
				ts.Setenv("BUILD", build.ID)
				if hold && build.Phase == "BUILD" {
					return true
				}
			}
		}
		return w.rests(id)
	}))
}

// rests says that an execution ended, or waits for its approval.
func (w *world) rests(id string) bool {
	for _, e := range w.runner.Executions() {
		if e.ID != id {
			continue
		}
		for _, s := range e.Stages {
			for _, a := range s.Actions {
				if a.Token != "" && a.Status == sim.InProgress {
					return true
				}
			}
		}
		return !e.Status.Running()
	}
	return false
}

// settle waits until the execution $EXECUTION has ended.
func settle(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(eventually(func() bool {
		for _, e := range of(ts).runner.Executions() {
			if e.ID == ts.Getenv("EXECUTION") {
				return !e.Status.Running()
			}
		}
		return false
	}))
}

func eventually(so func() bool) error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if so() {
			return nil
		}
	}
	return errors.New("it did not come to pass within a minute")
}

// setAccount makes the account that scripts work in.
func setAccount(env *testscript.Env) *awssim.Account {
	return awssim.New(awssim.Options{
		AccountID: account, Region: region, Dir: filepath.Join(env.WorkDir, ".aws"), Identities: identities(),
		Environ: func() []string { return env.Vars },
	})
}

// keep writes a text as a test's file.
func keep(ts *testscript.TestScript, name, format string, args ...any) {
	ts.Check(os.WriteFile(ts.MkAbs(name), fmt.Appendf(nil, format, args...), 0o644))
}
