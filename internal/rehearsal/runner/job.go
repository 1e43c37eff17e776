package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// job is one action that runs.
type job struct {
	runner     *Runner
	execution  *execution
	stage      string
	definition *actionDefinition
	logFile    string
}

// do runs the action and returns its summary.
func (j *job) do(ctx context.Context) (string, error) {
	config := map[string]string{}
	for key, value := range j.definition.Configuration {
		config[key] = value
		if key == keyEnvironment {
			continue // resolved value by value, for a value may hold what JSON would have to quote
		}
		var err error
		if config[key], err = j.execution.resolve(value); err != nil {
			return "", fmt.Errorf("configuration %s: %w", key, err)
		}
	}
	switch j.definition.Category {
	case "Source":
		return j.source(ctx, config)
	case "Approval":
		return j.approve(ctx, config)
	default:
		return j.build(ctx, config)
	}
}

// dir makes a folder of the action; all of it is removed when the execution ends.
func (j *job) dir(parts ...string) (string, error) {
	return j.runner.dir(append([]string{"executions", j.execution.ID, j.stage, j.definition.Name}, parts...)...)
}

// source fetches the commit that started the execution, or the branch's newest.
func (j *job) source(ctx context.Context, config map[string]string) (string, error) {
	root, err := j.dir()
	if err != nil {
		return "", err
	}
	e, dest := j.execution, filepath.Join(root, "clone")
	repository, branch := config["FullRepositoryId"], config["BranchName"]
	if e.Branch != "" {
		branch = e.Branch // a trigger's branch goes before the configured one
	}
	if err := j.runner.opts.Clone(ctx, repository, branch, e.Commit, dest); err != nil {
		return "", fmt.Errorf("cloning %s at branch %s, commit %q: %w", repository, branch, e.Commit, err)
	}
	described, err := output(ctx, dest, j.runner.opts.Environ(), "git", "log", "-1", "--format=%H%x00%aI%x00%B")
	if err != nil {
		return "", err
	}
	fields := strings.SplitN(strings.TrimSpace(described), "\x00", 3)
	if len(fields) != 3 {
		return "", fmt.Errorf("git log of %s says %q", repository, described)
	}
	commit := fields[0]
	j.runner.mu.Lock()
	e.Commit, e.Branch = commit, branch
	j.runner.mu.Unlock()
	var made artifact = directory(dest)
	if config["OutputArtifactFormat"] == "CODEBUILD_CLONE_REF" {
		made = clone{clone: j.runner.opts.Clone, repository: repository, branch: branch, commit: commit}
		err = os.RemoveAll(dest)
	} else {
		err = os.RemoveAll(filepath.Join(dest, ".git"))
	}
	if err != nil {
		return "", err
	}
	e.results.store(j.definition.OutputArtifacts[0], made)
	_, name, _ := strings.Cut(repository, "/")
	e.results.put(j.definition.Namespace, map[string]string{
		"CommitId": commit, "BranchName": branch, "CommitMessage": strings.TrimSpace(fields[2]), "AuthorDate": fields[1],
		"FullRepositoryName": repository, "RepositoryName": name,
	})
	subject, _, _ := strings.Cut(strings.TrimSpace(fields[2]), "\n")
	return fmt.Sprintf("%.12s %s", commit, subject), nil
}

func (j *job) approve(ctx context.Context, config map[string]string) (string, error) {
	e := j.execution
	approved, comment, err := j.runner.opts.Approve(ctx, Approval{
		Pipeline: e.Pipeline, Environment: e.Branch, Execution: e.ID, Stage: j.stage, Action: j.definition.Name,
		CustomData: config["CustomData"], ExternalEntityLink: config["ExternalEntityLink"], Variables: e.results.all(),
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("waiting for the approval: %w", err)
	case !approved:
		return comment, errors.New("rejected: " + comment)
	}
	return comment, nil
}

// build runs the CodeBuild project of the action.
func (j *job) build(ctx context.Context, config map[string]string) (string, error) {
	r, e := j.runner, j.execution
	name := config["ProjectName"]
	r.mu.Lock()
	p := r.projects[name]
	r.builds[name]++
	number := r.builds[name]
	known := slices.Sorted(maps.Keys(r.projects))
	r.mu.Unlock()
	if p == nil {
		return "", fmt.Errorf("build project %q does not exist; there are %q", name, known)
	}
	logs, err := r.dir("logs", e.Pipeline, e.ID)
	if err != nil {
		return "", err
	}
	j.logFile = filepath.Join(logs, j.definition.Name+".log")
	work, err := j.dir()
	if err != nil {
		return "", err
	}
	b := &build{
		job: j, project: p, name: name, number: number, work: work, source: filepath.Join(work, "src"),
		home: filepath.Join(work, "home"),
	}
	variables, err := b.run(ctx, config)
	e.results.put(j.definition.Namespace, variables)
	if err != nil {
		return "", fmt.Errorf("build project %q: %w", name, err)
	}
	var summary []string
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		summary = append(summary, key+"="+variables[key])
	}
	return strings.Join(summary, " "), nil
}
