package pipelines_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/glob"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

func facts(environment string) pipelines.Facts {
	tool := pipelines.Tool{URI: "s3://tools/relay", SHA256: strings.Repeat("ab", 32)}
	return pipelines.Facts{
		Product: "shop", Environment: environment, Account: "111122223333", Region: "eu-west-1", ReviewHours: 48,
		GitHub: vars.GitHub{Owner: "acme", API: "https://api.github.com/", Secret: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"},
		Repositories: map[pipelines.Role]string{
			pipelines.Software: "shop-software", pipelines.Image: "shop-image", pipelines.Infrastructure: "shop-infrastructure",
		},
		Relay: tool, BaseImage: "ami-0123456789abcdef0",
	}
}

func all(environment string) []pipelines.Pipeline {
	f := facts(environment)
	return []pipelines.Pipeline{pipelines.SoftwarePipeline(f), pipelines.ImagePipeline(f), pipelines.InfrastructurePipeline(f)}
}

// graph is who starts whom: a pipeline that writes a file starts the pipeline of that file's repository and branch. Path filters are
// left out, so that the graph holds more edges than there are.
func graph(environments map[string][]pipelines.Pipeline) map[string][]string {
	edges := map[string][]string{}
	for environment, list := range environments {
		for _, p := range list {
			node := string(p.Role) + "/" + environment
			edges[node] = nil
			for _, file := range p.Writes {
				edges[node] = append(edges[node], string(file.Role)+"/"+environment)
			}
		}
	}
	return edges
}

// cycle returns a cycle of a graph, or nothing.
func cycle(edges map[string][]string) []string {
	done := map[string]bool{}
	var visit func(path []string, node string) []string
	visit = func(path []string, node string) []string {
		if i := slices.Index(path, node); i >= 0 {
			return append(path[i:], node)
		}
		if done[node] {
			return nil
		}
		for _, next := range edges[node] {
			if found := visit(append(slices.Clone(path), node), next); found != nil {
				return found
			}
		}
		done[node] = true
		return nil
	}
	for _, node := range slices.Sorted(maps.Keys(edges)) {
		if found := visit(nil, node); found != nil {
			return found
		}
	}
	return nil
}

func TestNoPipelineStartsItself(t *testing.T) {
	environments := map[string][]pipelines.Pipeline{}
	for _, environment := range []string{"dev", "qa", "main"} {
		environments[environment] = all(environment)
	}
	edges := graph(environments)
	assert.Empty(t, cycle(edges))
	assert.Equal(t, []string{"image/dev"}, edges["software/dev"])
	assert.Equal(t, []string{"infrastructure/dev"}, edges["image/dev"])
	assert.Empty(t, edges["infrastructure/dev"], "what is deployed starts nothing")

	environments["qa"][2].Writes = []pipelines.File{{Role: pipelines.Software, Path: "VERSION"}}
	assert.Len(t, cycle(graph(environments)), 4, "the search finds a cycle where there is one")
}

// A pipeline reaches the repositories that its variables name, so that what it writes must be declared.
func TestPipelinesSayWhatTheyWrite(t *testing.T) {
	roles := map[string]pipelines.Role{}
	for role, name := range facts("dev").Repositories {
		roles[name] = role
	}
	for _, p := range all("dev") {
		declared := []pipelines.Role{p.Role}
		for _, file := range p.Writes {
			declared = append(declared, file.Role)
		}
		for _, stage := range p.Stages {
			if stage.Build == nil {
				continue
			}
			for _, v := range stage.Build.Variables {
				if strings.HasSuffix(v.Name, "_REPOSITORY") {
					assert.Contains(t, declared, roles[v.Value], "%s: %s", p.Role, v.Name)
				}
			}
		}
	}
}

func TestHandOffsStartTheNextPipelineAndNotesDoNot(t *testing.T) {
	ignored := func(p pipelines.Pipeline, path string) bool {
		return slices.ContainsFunc(p.Ignore, func(pattern string) bool { return glob.MustCompile(pattern, '/').Match(path) })
	}
	byRole := map[pipelines.Role]pipelines.Pipeline{}
	for _, p := range all("dev") {
		byRole[p.Role] = p
		assert.LessOrEqual(t, len(p.Ignore), 8, "CodePipeline takes eight patterns")
	}
	for _, p := range byRole {
		for _, file := range p.Writes {
			assert.False(t, ignored(byRole[file.Role], file.Path), "%s writes %s, which starts nothing", p.Role, file.Path)
		}
		// A document may be part of the product.
		assert.Equal(t, p.Role != pipelines.Software, ignored(p, "README.md"), p.Role)
	}
	for _, path := range []string{"environment.json", "ami-id"} {
		assert.False(t, ignored(byRole[pipelines.Infrastructure], path), path)
	}
	for _, path := range []string{"hold", "docs/runbook.md"} {
		assert.True(t, ignored(byRole[pipelines.Infrastructure], path), path)
		assert.True(t, ignored(byRole[pipelines.Image], path), path)
	}
}

var reference = regexp.MustCompile(`#\{Review\.([A-Z_]+)\}`)

func TestWhatLaterStagesReferToIsExported(t *testing.T) {
	p := pipelines.InfrastructurePipeline(facts("dev"))
	exported := vars.Names(vars.Reviewed{})
	assert.Equal(t, exported, p.Stages[0].Build.Buildspec.Exports)
	referred := 0
	check := func(text string) {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			referred++
			assert.Contains(t, exported, match[1])
		}
	}
	approve := p.Stages[1]
	check(approve.Approval.Message + approve.Approval.Link + approve.Skip.Variable)
	for _, v := range p.Stages[2].Build.Variables {
		check(v.Value)
	}
	assert.Equal(t, 6, referred)
	assert.Equal(t, vars.NoChanges, approve.Skip.Value)
	assert.Positive(t, approve.Approval.TimeoutMinutes)
}

func TestEveryToolIsFetchedFromItsPlaceAndChecked(t *testing.T) {
	f := facts("dev")
	tool := func(name, digit string) pipelines.Tool {
		return pipelines.Tool{URI: "s3://tools/" + name, SHA256: strings.Repeat(digit, 64)}
	}
	f.Pulumi = tool("pulumi", "1")
	f.Plugins = []pipelines.Plugin{
		{Name: "aws", Version: "6.83.2", Tool: tool("plugin-aws.tar.gz", "2")}, {Name: "github", Version: "6.7.2", Tool: tool("plugin-github.tar.gz", "3")},
	}
	for _, stage := range pipelines.InfrastructurePipeline(f).Stages {
		if stage.Build == nil {
			continue
		}
		commands := strings.Join(stage.Build.Buildspec.Install, "\n")
		var readable []string
		for _, grant := range stage.Build.Grants {
			readable = append(readable, grant.Resources...)
		}
		for _, tool := range []pipelines.Tool{f.Relay, f.Pulumi, f.Plugins[0].Tool, f.Plugins[1].Tool} {
			fetched, checked := strings.Index(commands, `"`+tool.URI+`"`), strings.Index(commands, `echo "`+tool.SHA256+"  ")
			assert.Positive(t, fetched, tool.URI)
			assert.Greater(t, checked, fetched, tool.URI)
			assert.Contains(t, readable, "arn:aws:s3:::"+strings.TrimPrefix(tool.URI, "s3://"))
		}
		plugin := strings.Index(commands, "pulumi plugin install resource aws 6.83.2 ")
		assert.Greater(t, plugin, strings.Index(commands, `echo "`+f.Plugins[0].SHA256), "a plugin is installed after its digest was checked")
		assert.Contains(t, commands, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true")
	}
	for _, p := range all("dev") {
		for _, stage := range p.Stages {
			if stage.Build == nil {
				continue
			}
			for _, command := range slices.Concat(stage.Build.Buildspec.Install, stage.Build.Buildspec.Build) {
				assert.NotRegexp(t, `\b(yum|dnf|apt|apt-get|npm|pip|curl|wget|go install)\b`, command, "no package manager runs in a pipeline")
			}
		}
	}
}

func TestTheRecipesVersionFollowsItsContentAndNothingElse(t *testing.T) {
	base := facts("dev").BakeVersion()
	assert.Regexp(t, `^1\.[0-9]+\.[0-9]+$`, base)
	assert.Equal(t, base, facts("main").BakeVersion(), "an image is promoted: its recipe is the same everywhere")
	for name, change := range map[string]func(*pipelines.Facts){
		"relay": func(f *pipelines.Facts) { f.Relay.SHA256 = strings.Repeat("cd", 32) },
		"base":  func(f *pipelines.Facts) { f.BaseImage = "ami-0123456789abcdef1" },
		"key":   func(f *pipelines.Facts) { f.Bake.Key = "arn:aws:kms:eu-west-1:111122223333:key/k" },
		"size":  func(f *pipelines.Facts) { f.Bake.VolumeGiB = 32 },
		"root":  func(f *pipelines.Facts) { f.Bake.RootDevice = "/dev/sda1" },
	} {
		changed := facts("dev")
		change(&changed)
		assert.NotEqual(t, base, changed.BakeVersion(), name)
	}
	same := facts("dev")
	same.Bake = pipelines.Bake{InstanceTypes: []string{"m5.large"}, Subnet: "subnet-1", SecurityGroup: "sg-1", Accounts: []string{"1"}, Scan: true}
	assert.Equal(t, base, same.BakeVersion(), "what can be changed in place makes no new recipe")
}

func TestTheComponentDocumentIsTheAgents(t *testing.T) {
	var document struct {
		SchemaVersion string
		Phases        []struct {
			Name  string
			Steps []struct{ Name, Action, OnFailure string }
		}
	}
	text := pipelines.BakeDocument(facts("dev"))
	require.NoError(t, yaml.Unmarshal([]byte(strings.Replace(text, "schemaVersion", "schemaversion", 1)), &document))
	assert.Equal(t, "1.0", document.SchemaVersion)
	var phases []string
	for _, phase := range document.Phases {
		phases = append(phases, phase.Name)
		require.NotEmpty(t, phase.Steps)
		for _, step := range phase.Steps {
			assert.Contains(t, []string{"S3Download", "ExecuteBash"}, step.Action)
		}
	}
	assert.Equal(t, []string{"build", "validate", "test"}, phases)
	assert.Equal(t, 2, strings.Count(text, "--test"), "on the machine that was installed, and on one that was started from the image")
	assert.Less(t, len(text), 16000, "Image Builder's limit for a document")
}
