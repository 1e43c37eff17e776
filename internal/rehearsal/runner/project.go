package runner

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// project is a CodeBuild project.
type project struct {
	Source struct {
		Type      string `json:"type"`
		Buildspec string `json:"buildspec"`

		GitCloneDepth, GitSubmodulesConfig, InsecureSsl, ReportBuildStatus ignored
	} `json:"source"`
	Artifacts struct {
		Type string `json:"type"`

		EncryptionDisabled, Name, Packaging, NamespaceType, OverrideArtifactName ignored
	} `json:"artifacts"`
	Environment struct {
		EnvironmentVariables []variable `json:"environmentVariables"`
		Image                string     `json:"image"`

		ComputeType, Type, ImagePullCredentialsType, PrivilegedMode ignored
	} `json:"environment"`
	Cache struct {
		Type     string   `json:"type"`
		Modes    []string `json:"modes"`
		Location ignored
	} `json:"cache"`
	// BuildTimeout is in minutes, 0 for CodeBuild's default of one hour; limit is the same as a duration.
	BuildTimeout int `json:"buildTimeout"`
	limit        time.Duration

	Name, Description, ServiceRole, EncryptionKey, LogsConfig, VpcConfig, QueuedTimeout, ConcurrentBuildLimit ignored
	Tags, TagsAll, Arn, BadgeEnabled, BadgeUrl, PublicProjectAlias, ProjectVisibility, ResourceAccessRole     ignored
}

// variable is an environment variable of a project or an action.
type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Type  string `json:"type"`
}

// The types of a variable; an empty type is plaintext.
const (
	typePlaintext = "PLAINTEXT"
	typeParameter = "PARAMETER_STORE"
	typeSecret    = "SECRETS_MANAGER"
)

// keyEnvironment is the configuration key of a build action that holds variables in JSON.
const keyEnvironment = "EnvironmentVariables"

func decodeProject(name string, inputs map[string]any) (*project, error) {
	p := &project{}
	if err := decode(inputs, p); err != nil {
		return nil, fmt.Errorf("build project %q: %w", name, err)
	}
	p.limit = time.Duration(p.BuildTimeout) * time.Minute
	if p.limit == 0 {
		p.limit = time.Hour
	}
	if p.Source.Type != "CODEPIPELINE" || p.Artifacts.Type != "CODEPIPELINE" {
		return nil, fmt.Errorf("build project %q: source %q and artifacts %q are not simulated; both must be CODEPIPELINE", name,
			p.Source.Type, p.Artifacts.Type)
	}
	for _, v := range p.Environment.EnvironmentVariables {
		if err := v.check(); err != nil {
			return nil, fmt.Errorf("build project %q: %w", name, err)
		}
	}
	if p.inline() {
		if _, err := parseBuildspec([]byte(p.Source.Buildspec)); err != nil {
			return nil, fmt.Errorf("build project %q: %w", name, err)
		}
	}
	return p, nil
}

func (v variable) check() error {
	if !slices.Contains([]string{"", typePlaintext, typeParameter, typeSecret}, v.Type) {
		return fmt.Errorf("variable %s: type %q is not PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER", v.Name, v.Type)
	}
	return nil
}

// inline says that the buildspec itself is given, not the path of a file.
func (p *project) inline() bool { return strings.Contains(p.Source.Buildspec, "\n") }

// caches says that the buildspec's cache.paths are kept between builds.
func (p *project) caches() bool {
	return p.Cache.Type == "S3" || p.Cache.Type == "LOCAL" && slices.Contains(p.Cache.Modes, "LOCAL_CUSTOM_CACHE")
}

// parseVariables reads the configuration EnvironmentVariables of a build action.
func parseVariables(text string) ([]variable, error) {
	if text == "" {
		return nil, nil
	}
	var out []variable
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("configuration %s is not a JSON list of name, value and type: %w", keyEnvironment, err)
	}
	for _, v := range out {
		if err := v.check(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
