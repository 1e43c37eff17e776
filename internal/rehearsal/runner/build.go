package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// build is one build of a CodeBuild project.
type build struct {
	job     *job
	project *project
	name    string
	record  *Build
	// work is the build's folder; source and home lie in it.
	work, source, home string
	inputs             []string // the names of the secondary input artifacts
}

// errTimeout is a build that took longer than its project allows.
var errTimeout = errors.New("timed out")

// shown is how many of a failed build's last lines its error carries.
const shown = 20

// run runs the build and returns its exported variables.
func (b *build) run(ctx context.Context, config map[string]string) (map[string]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, b.project.limit, fmt.Errorf("%w after %s", errTimeout, b.project.limit))
	defer cancel()
	b.phase("DOWNLOAD_SOURCE")
	if err := b.fetch(ctx, config["PrimarySource"]); err != nil {
		return nil, err
	}
	spec, err := b.buildspec()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.home, 0o755); err != nil {
		return nil, err
	}
	if b.project.caches() {
		if err := b.cache(spec.Cache.Paths); err != nil {
			return nil, err
		}
	}
	environment, err := b.environment(spec, config[keyEnvironment])
	if err != nil {
		return nil, err
	}
	b.phase("BUILD")
	exported, err := b.execute(ctx, spec, environment)
	// What a build reports is kept when it fails, too, which is when it is read.
	missing := b.report(spec)
	if err != nil {
		last, readErr := lastLines(b.job.logFile, shown)
		if readErr != nil {
			return nil, errors.Join(err, readErr)
		}
		return nil, fmt.Errorf("%w; its last lines (all in %s):\n%s", err, b.job.logFile, last)
	}
	b.phase("UPLOAD_ARTIFACTS")
	return exported, errors.Join(missing, b.hand(spec))
}

// report keeps the test reports beside the log.
func (b *build) report(spec *buildspec) error {
	var problems []error
	for group, r := range spec.Reports {
		dir := filepath.Join(strings.TrimSuffix(b.job.logFile, ".log")+"-reports", group[strings.LastIndex(group, "/")+1:])
		if err := r.collect(b.source, dir); err != nil {
			problems = append(problems, fmt.Errorf("report group %s: %w", group, err))
		}
	}
	return errors.Join(problems...)
}

// fetch puts the input artifacts where the build expects them.
func (b *build) fetch(ctx context.Context, primary string) error {
	names := b.job.definition.InputArtifacts
	switch {
	case len(names) == 0:
		return errors.New("no input artifacts; a build needs a source")
	case primary == "" && len(names) > 1:
		return fmt.Errorf("configuration PrimarySource is missing; it must name one of the input artifacts %q", names)
	case primary == "":
		primary = names[0]
	case !slices.Contains(names, primary):
		return fmt.Errorf("configuration PrimarySource %q is not one of the input artifacts %q", primary, names)
	}
	for _, name := range names {
		made, err := b.job.execution.results.artifact(name)
		if err != nil {
			return err
		}
		dest := b.source
		if name != primary {
			b.inputs = append(b.inputs, name)
			dest = b.secondary(name)
		}
		if err := made.place(ctx, dest); err != nil {
			return fmt.Errorf("input artifact %q: %w", name, err)
		}
	}
	return nil
}

func (b *build) secondary(name string) string { return filepath.Join(b.work, "src-"+name) }

func (b *build) buildspec() (*buildspec, error) {
	if b.project.inline() {
		return parseBuildspec([]byte(b.project.Source.Buildspec))
	}
	file := b.project.Source.Buildspec
	if file == "" {
		file = "buildspec.yml"
	}
	data, err := os.ReadFile(filepath.Join(b.source, file))
	if err != nil {
		return nil, fmt.Errorf("buildspec %q of the source: %w", file, err)
	}
	return parseBuildspec(data)
}

// cache keeps the paths between the builds of the project: each is a link to a folder that stays. A path is a folder or
// all that is below one ("/root/.cache/x/**/*"), under /root, which stands for HOME, or relative to the source.
func (b *build) cache(paths []string) error {
	for _, path := range paths {
		folder := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(path, "/*"), "/**"), "/")
		here := filepath.Join(b.source, folder)
		if below, ok := strings.CutPrefix(folder, "/root/"); ok {
			here = filepath.Join(b.home, below)
		} else if filepath.IsAbs(folder) {
			return fmt.Errorf("cache path %q is not simulated; it must lie under /root or be relative to the source", path)
		}
		if strings.ContainsAny(folder, "*?[{") {
			return fmt.Errorf("cache path %q is not simulated; it must be a folder or folder/**/*", path)
		}
		kept, err := b.job.runner.dir("cache", b.name, strings.ReplaceAll(strings.Trim(folder, "/"), "/", "_"))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(here), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(kept, here); err != nil {
			return fmt.Errorf("cache path %q: %w", path, err)
		}
	}
	return nil
}

// execute runs the buildspec's commands in one shell and reads what they exported.
func (b *build) execute(ctx context.Context, spec *buildspec, environment map[string]string) (map[string]string, error) {
	s := script{dir: filepath.Join(b.work, "script")}
	if err := s.write(spec); err != nil {
		return nil, err
	}
	log, err := os.Create(b.job.logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	env := make([]string, 0, len(environment))
	for _, key := range slices.Sorted(maps.Keys(environment)) {
		env = append(env, key+"="+environment[key])
	}
	if err := run(ctx, b.source, env, log, b.started, "bash", s.main()); err != nil {
		return nil, err
	}
	return s.exported()
}

// hand stores the output artifacts.
func (b *build) hand(spec *buildspec) error {
	names := b.job.definition.OutputArtifacts
	for _, name := range names {
		if spec.Artifacts == nil {
			return fmt.Errorf("output artifact %q: the buildspec has no artifacts", name)
		}
		chosen := spec.Artifacts.artifacts
		if len(names) > 1 {
			var ok bool
			if chosen, ok = spec.Artifacts.Secondary[name]; !ok {
				return fmt.Errorf("output artifact %q: the buildspec's secondary-artifacts do not name it", name)
			}
		}
		dest, err := b.job.dir("out", name)
		if err != nil {
			return err
		}
		if err := chosen.collect(b.source, dest); err != nil {
			return fmt.Errorf("output artifact %q: %w", name, err)
		}
		b.job.execution.results.store(name, directory(dest))
	}
	return nil
}

// own is the environment that CodeBuild itself sets, see
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html.
func (b *build) own(environment map[string]string) map[string]string {
	e := b.job.execution
	own := map[string]string{
		"CI": "true", "HOME": b.home, "CODEBUILD_CI": "true",
		"CODEBUILD_BUILD_ID": b.record.ID, "CODEBUILD_BUILD_NUMBER": fmt.Sprint(b.record.Number),
		"CODEBUILD_BUILD_IMAGE": b.project.Environment.Image, "CODEBUILD_BUILD_SUCCEEDING": "1",
		"CODEBUILD_INITIATOR": "codepipeline/" + e.Pipeline, "CODEBUILD_LOG_PATH": b.job.logFile,
		"CODEBUILD_RESOLVED_SOURCE_VERSION": e.Commit, "CODEBUILD_SOURCE_VERSION": e.Commit,
		"CODEBUILD_SRC_DIR": b.source, "CODEBUILD_START_TIME": fmt.Sprint(b.record.Started.UnixMilli()),
	}
	if region := environment["AWS_REGION"]; region != "" {
		own["AWS_DEFAULT_REGION"] = region
		own["CODEBUILD_BUILD_ARN"] = "arn:aws:codebuild:" + region + ":" + cmp.Or(b.job.runner.opts.Account, "000000000000") +
			":build/" + b.record.ID
	}
	for _, name := range b.inputs {
		own["CODEBUILD_SRC_DIR_"+name] = b.secondary(name)
	}
	return own
}
