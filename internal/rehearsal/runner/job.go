package runner

import (
	"context"
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
	definition *ActionDefinition
	// stageAt and at say where its record is.
	stageAt, at int
	attempt     int // from 1
	logFile     string
}

// record is the record of this run. The caller holds the lock, and keeps it no longer.
func (j *job) record() *Action { return &j.execution.Stages[j.stageAt].Actions[j.at] }

// note changes the record.
func (j *job) note(change func(*Action)) {
	j.runner.mu.Lock()
	defer j.runner.mu.Unlock()
	change(j.record())
}

// put keeps the output variables.
func (j *job) put(variables map[string]string) {
	j.execution.results.put(j.definition.Namespace, variables)
	j.note(func(a *Action) { a.Variables = variables })
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
	resolved := maps.Clone(config)
	if text, err := j.execution.resolve(config[keyEnvironment]); err == nil && text != "" {
		resolved[keyEnvironment] = text
	}
	j.note(func(a *Action) { a.Configuration = resolved })
	if err := os.RemoveAll(j.path()); err != nil { // of an earlier attempt
		return "", err
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

// dir makes a folder of the action; all of it is removed when the execution has succeeded or the runner closes.
func (j *job) dir(parts ...string) (string, error) {
	return j.runner.dir(append([]string{"executions", j.execution.ID, j.stage, j.definition.Name}, parts...)...)
}

func (j *job) path() string {
	return filepath.Join(j.runner.opts.Dir, "executions", j.execution.ID, j.stage, j.definition.Name)
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
	if usable := j.runner.opts.Connection; usable != nil {
		if err := usable(config["ConnectionArn"]); err != nil {
			return "", err
		}
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
	e.Commit, e.Branch, e.Message = commit, branch, strings.TrimSpace(fields[2])
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
	j.put(map[string]string{
		"CommitId": commit, "BranchName": branch, "CommitMessage": strings.TrimSpace(fields[2]), "AuthorDate": fields[1],
		"FullRepositoryName": repository, "RepositoryName": name,
	})
	subject, _, _ := strings.Cut(strings.TrimSpace(fields[2]), "\n")
	return fmt.Sprintf("%.12s %s", commit, subject), nil
}

// build runs the CodeBuild project of the action.
func (j *job) build(ctx context.Context, config map[string]string) (string, error) {
	r, e := j.runner, j.execution
	name := config["ProjectName"]
	r.mu.Lock()
	p := r.projects[name]
	known := slices.Sorted(maps.Keys(r.projects))
	r.mu.Unlock()
	if p == nil {
		return "", fmt.Errorf("build project %q does not exist; there are %q", name, known)
	}
	logs, err := r.dir("logs", e.Pipeline, e.ID)
	if err != nil {
		return "", err
	}
	log := j.definition.Name
	if j.attempt > 1 {
		log = fmt.Sprintf("%s-%d", log, j.attempt)
	}
	j.logFile = filepath.Join(logs, log+".log")
	work, err := j.dir()
	if err != nil {
		return "", err
	}
	b := &build{
		job: j, project: p, name: name, work: work, source: filepath.Join(work, "src"), home: filepath.Join(work, "home"),
		record: r.newBuild(j, name),
	}
	j.note(func(a *Action) { a.BuildID, a.LogFile = b.record.ID, j.logFile })
	variables, err := b.run(ctx, config)
	b.end(ctx, err)
	j.put(variables)
	if err != nil {
		return "", fmt.Errorf("build project %q: %w", name, err)
	}
	var summary []string
	for _, key := range slices.Sorted(maps.Keys(variables)) {
		summary = append(summary, key+"="+variables[key])
	}
	return strings.Join(summary, " "), nil
}
