package runner

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// buildspec is a buildspec of version 0.2, see https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html.
type buildspec struct {
	Version string `yaml:"version"`
	Env     struct {
		Shell          string            `yaml:"shell"`
		Variables      map[string]string `yaml:"variables"`
		ParameterStore map[string]string `yaml:"parameter-store"`
		SecretsManager map[string]string `yaml:"secrets-manager"`
		Exported       []string          `yaml:"exported-variables"`
	} `yaml:"env"`
	Phases struct {
		Install   *phase `yaml:"install"`
		PreBuild  *phase `yaml:"pre_build"`
		Build     *phase `yaml:"build"`
		PostBuild *phase `yaml:"post_build"`
	} `yaml:"phases"`
	Artifacts *struct {
		artifacts `yaml:",inline"`
		Secondary map[string]artifacts `yaml:"secondary-artifacts"`
	} `yaml:"artifacts"`
	Cache struct {
		Paths []string `yaml:"paths"`
	} `yaml:"cache"`
	// Reports are test reports, by the report group that each goes to.
	Reports map[string]testReport `yaml:"reports"`
}

type testReport struct {
	artifacts `yaml:",inline"`
	Format    string `yaml:"file-format"`
}

type phase struct {
	Commands  []string `yaml:"commands"`
	Finally   []string `yaml:"finally"`
	OnFailure string   `yaml:"on-failure"`
	// Runtimes are those of the machine.
	Runtimes map[string]any `yaml:"runtime-versions"`
}

type artifacts struct {
	Files         []string `yaml:"files"`
	BaseDirectory string   `yaml:"base-directory"`
	ExcludePaths  []string `yaml:"exclude-paths"`
	DiscardPaths  bool     `yaml:"discard-paths"`
	Name          string   `yaml:"name"`
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func parseBuildspec(data []byte) (*buildspec, error) {
	spec := &buildspec{}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(spec); err != nil {
		return nil, fmt.Errorf("buildspec: %w", err)
	}
	if spec.Version != "0.2" {
		return nil, fmt.Errorf("buildspec: version %q is not 0.2", spec.Version)
	}
	if !slices.Contains([]string{"", "bash", "/bin/sh"}, spec.Env.Shell) {
		return nil, fmt.Errorf("buildspec: env.shell %q is not simulated; only bash is", spec.Env.Shell)
	}
	for _, name := range spec.Env.Exported {
		if !identifier.MatchString(name) {
			return nil, fmt.Errorf("buildspec: exported variable %q is not a shell variable's name", name)
		}
	}
	commands := 0
	for _, p := range spec.phases() {
		commands += len(p.Commands)
		if !slices.Contains([]string{"", "ABORT", "CONTINUE"}, p.OnFailure) {
			return nil, fmt.Errorf("buildspec: phase %s: on-failure %q is not ABORT or CONTINUE", p.name, p.OnFailure)
		}
	}
	if commands == 0 {
		return nil, errors.New("buildspec: no phase has commands")
	}
	return spec, nil
}

// namedPhase is a phase with its name.
type namedPhase struct {
	name string
	phase
}

// phases are those that the buildspec has, in the order in which they run.
func (s *buildspec) phases() []namedPhase {
	var out []namedPhase
	for _, p := range []struct {
		name  string
		phase *phase
	}{
		{"install", s.Phases.Install},
		{"pre_build", s.Phases.PreBuild},
		{"build", s.Phases.Build},
		{"post_build", s.Phases.PostBuild},
	} {
		if p.phase != nil {
			out = append(out, namedPhase{p.name, *p.phase})
		}
	}
	return out
}
