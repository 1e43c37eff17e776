package pipelines

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Buildspec is what CodeBuild runs (AWS CodeBuild User Guide, "Build specification reference", version 0.2).
type Buildspec struct {
	// Install fetches the tools, Build does the work.
	Install []string
	Build   []string
	// Exports are the variables that later actions may refer to.
	Exports []string
	// Cache are the paths that are kept from one build to the next.
	Cache []string
	// Report is a file in JUnit's form that CodeBuild shows as a test report, nil for none.
	Report *Report
}

// Report is a file that a build leaves, and the ARN of the report group that it goes to.
type Report struct {
	File, Group string
}

// Render returns the buildspec as CodeBuild reads it.
func (b Buildspec) Render() string {
	type commands struct {
		Commands []string `yaml:"commands"`
	}
	type report struct {
		Files  []string `yaml:"files"`
		Format string   `yaml:"file-format"`
	}
	var doc struct {
		Version float64 `yaml:"version"`
		Env     struct {
			Shell   string   `yaml:"shell"`
			Exports []string `yaml:"exported-variables,omitempty"`
		} `yaml:"env"`
		Phases struct {
			Install commands `yaml:"install"`
			Build   commands `yaml:"build"`
		} `yaml:"phases"`
		Reports map[string]report `yaml:"reports,omitempty"`
		Cache   struct {
			Paths []string `yaml:"paths,omitempty"`
		} `yaml:"cache,omitempty"`
	}
	doc.Version = 0.2
	doc.Env.Shell = "bash"
	doc.Env.Exports = b.Exports
	doc.Phases.Install.Commands = b.Install
	doc.Phases.Build.Commands = b.Build
	doc.Cache.Paths = b.Cache
	if b.Report != nil {
		doc.Reports = map[string]report{b.Report.Group: {Files: []string{b.Report.File}, Format: "JUNITXML"}}
	}
	return render(doc)
}

// render marshals values that are made of strings, lists and structs, which cannot fail.
func render(doc any) string {
	text, err := yaml.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// toolCache is where builds keep the tools; CodeBuild's builds run as root.
const toolCache = "/root/.cache/ha-devops"

// install returns the commands that put a tool on PATH: fetched once, its digest checked at every build, so that neither a
// changed object nor a damaged cache ever runs.
func install(name string, tool Tool) []string {
	file := fmt.Sprintf("$HOME/.cache/ha-devops/%s-%s", name, tool.SHA256)
	return slices.Concat(
		[]string{`mkdir -p "$HOME/.cache/ha-devops" "$HOME/bin"`},
		download(file, tool),
		[]string{
			fmt.Sprintf(`chmod 755 "%s" && ln -sf "%s" "$HOME/bin/%s"`, file, file, name),
			`export PATH="$HOME/bin:$PATH"`,
		},
	)
}

// installPlugin returns the commands that put a Pulumi provider plugin where the engine looks for it, from a file whose digest is
// checked at every build. The unpacked plugin is not cached: nobody would check it.
func installPlugin(p Plugin) []string {
	file := fmt.Sprintf("$HOME/.cache/ha-devops/plugin-%s-%s", p.Name, p.SHA256)
	return append(download(file, p.Tool),
		fmt.Sprintf(`pulumi plugin install resource %s %s --reinstall --file "%s"`, p.Name, p.Version, file))
}

// pulumiTools returns the commands that install all that review and deploy run, and the permissions to fetch it.
func pulumiTools(f Facts) ([]string, []Grant) {
	commands, fetches := install("relay", f.Relay), []Grant{fetch(f.Relay)}
	if f.Pulumi.URI != "" {
		commands, fetches = append(commands, install("pulumi", f.Pulumi)...), append(fetches, fetch(f.Pulumi))
	}
	for _, p := range f.Plugins {
		commands, fetches = append(commands, installPlugin(p)...), append(fetches, fetch(p.Tool))
	}
	if len(f.Plugins) > 0 {
		// What is not pinned here is not fetched from anywhere else.
		commands = append(commands, "export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
	}
	return commands, fetches
}

// download returns the commands that fetch a file unless it is cached, and check its digest.
func download(file string, tool Tool) []string {
	return []string{
		fmt.Sprintf(`test -f "%s" || aws s3 cp --only-show-errors "%s" "%s"`, file, tool.URI, file),
		fmt.Sprintf(`echo "%s  %s" | sha256sum --check --quiet`, tool.SHA256, file),
	}
}

// fetch returns the permission to download a tool.
func fetch(tool Tool) Grant {
	return Grant{Actions: []string{"s3:GetObject"}, Resources: []string{tool.arn()}}
}
