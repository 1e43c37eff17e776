package environments_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/pipelines"
)

const ami = "ami-0123456789abcdef0"

func config(environment string) environments.Config {
	c := environments.Config{
		Product: "shop", Account: "111122223333", Region: "eu-west-1", CIDR: "10.10.0.0/16", Backend: "s3://state",
		GitHub: environments.GitHub{Owner: "acme", App: 42, Secret: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"},
		Relay:  pipelines.Tool{URI: "s3://tools/relay", SHA256: strings.Repeat("ab", 32)},
	}
	if environment != "dev" {
		c.Domain = environment + ".example.com"
	}
	if environment == "qa" {
		c.Reach = []string{"203.0.113.0/24"}
	}
	return c
}

func namespaced(c environments.Config) map[string]string {
	values := map[string]string{}
	for key, value := range c.Values() {
		values[environments.Key(key)] = value
	}
	return values
}

// world is a cloud in which the infrastructure repository has the given files and one AMI exists.
func world(files map[string]string) *mocks.Recorder {
	text := resource.NewStringProperty
	return &mocks.Recorder{
		Calls: map[string]func(resource.PropertyMap) resource.PropertyMap{
			"github:index/getRepositoryFile:getRepositoryFile": func(args resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"content": text(files[args["file"].StringValue()])}
			},
			"aws:index/getAvailabilityZones:getAvailabilityZones": func(resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"names": resource.NewArrayProperty([]resource.PropertyValue{
					text("eu-west-1a"), text("eu-west-1b"), text("eu-west-1c"), text("eu-west-1d"),
				})}
			},
			"aws:ec2/getAmi:getAmi": func(resource.PropertyMap) resource.PropertyMap {
				tags := resource.PropertyMap{}
				for key, value := range (release.Release{ArtifactTag: "v1.2.3", SoftwareCommit: "s", ImageCommit: "i", Execution: "e"}).Tags() {
					tags[resource.PropertyKey(key)] = text(value)
				}
				return resource.PropertyMap{"state": text("available"), "rootDeviceName": text("/dev/xvda"), "tags": resource.NewObjectProperty(tags)}
			},
		},
		Stacks: map[string]resource.PropertyMap{},
	}
}

func (w scenario) run(t *testing.T, preview bool) (*mocks.Recorder, error) {
	t.Helper()
	r := world(w.files)
	if w.zones != nil {
		r.Calls["aws:index/getAvailabilityZones:getAvailabilityZones"] = func(resource.PropertyMap) resource.PropertyMap {
			return resource.NewPropertyMapFromMap(map[string]any{"names": w.zones})
		}
	}
	for _, upstream := range []string{"dev", "qa"} {
		r.Stacks["organization/ha-devops/"+upstream] = resource.PropertyMap{
			"amiId": resource.NewStringProperty(w.upstream), "artifactTag": resource.NewStringProperty("v1.2.3"),
		}
	}
	return r, r.Run(w.environment, preview, namespaced(config(w.environment)), environments.Deploy)
}

type scenario struct {
	environment string
	files       map[string]string
	upstream    string
	// zones are those of the region, four where there are none.
	zones []string
}

func TestEveryEnvironment(t *testing.T) {
	for _, profile := range environments.Profiles() {
		for _, preview := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s preview=%t", profile.Environment, preview), func(t *testing.T) {
				s := scenario{environment: profile.Environment, files: map[string]string{"ami-id": ami + "\n", "environment.json": `{"instanceType": "m7g.large"}`}}
				r, err := s.run(t, preview)
				require.NoError(t, err)
				r.CheckTree(t)
				assert.Len(t, r.Of("aws:codepipeline/pipeline:Pipeline"), 3)
				assert.Len(t, r.Of("aws:ec2/natGateway:NatGateway"), map[string]int{"dev": 0, "qa": 2, "main": 3}[profile.Environment])
				template := r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate")
				assert.Equal(t, ami, template.Inputs["imageId"].StringValue())
				assert.Equal(t, "m7g.large", template.Inputs["instanceType"].StringValue())
				repositories := map[string]int{"dev": 4}[profile.Environment]
				assert.Len(t, r.Of("github:index/repository:Repository"), repositories, "the first environment owns the repositories")
				for _, made := range r.Resources() {
					if strings.HasPrefix(made.Type, "aws:") || strings.HasPrefix(made.Type, "github:") {
						assert.NotEmpty(t, made.Provider, "%s %s uses no explicit provider", made.Type, made.Name)
					}
				}
			})
		}
	}
}

// TestPipelinesWaitForNamedResources: what a component has registered by the time that another depends on it differs from run to run,
// and a plan that one run made would not fit the next.
func TestPipelinesWaitForNamedResources(t *testing.T) {
	for _, profile := range environments.Profiles() {
		r, err := scenario{environment: profile.Environment, files: map[string]string{"ami-id": ami}}.run(t, false)
		require.NoError(t, err)
		made := r.Of("ha-devops:index:BranchPipeline")
		require.Len(t, made, 3)
		for _, pipeline := range made {
			var waits []string
			for _, urn := range pipeline.After {
				waits = append(waits, urn[strings.LastIndex(urn, "$")+1:])
			}
			assert.ElementsMatch(t, []string{
				"github:index/repositoryRuleset:RepositoryRuleset::" + pipeline.Name, "aws:imagebuilder/imagePipeline:ImagePipeline::image-factory",
			}, waits, pipeline.Name)
		}
	}
}

func TestTheFirstReleaseComesFromUpstream(t *testing.T) {
	r, err := scenario{environment: "qa", upstream: ami}.run(t, false)
	require.NoError(t, err)
	assert.Equal(t, ami, r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate").Inputs["imageId"].StringValue())
	r, err = scenario{environment: "qa"}.run(t, false)
	require.NoError(t, err)
	assert.Empty(t, r.Of("aws:autoscaling/group:Group"), "no release, no instances")
}

func TestBadInputIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"ami-id":           {map[string]string{"ami-id": "nonsense"}, `repository acme/shop-infrastructure at dev: ami-id: "nonsense"`},
		"environment.json": {map[string]string{"environment.json": `{"port": 1}`}, "repository acme/shop-infrastructure at dev: environment.json: port: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := scenario{environment: "dev", files: c.files}.run(t, false)
			assert.ErrorContains(t, err, c.want)
			for _, made := range r.Resources() {
				assert.True(t, strings.HasPrefix(made.Type, "pulumi:"), "%s was registered", made.Type)
			}
		})
	}
}

func TestConfigSurvivesItsValues(t *testing.T) {
	for _, profile := range environments.Profiles() {
		want := config(profile.Environment)
		values := want.Values()
		get := func(key string) (string, bool) { v, ok := values[key]; return v, ok }
		read, err := environments.ReadConfig(profile, get)
		require.NoError(t, err)
		assert.Equal(t, "shop-software", read.GitHub.Software, "what may be left out is filled in")
		values = read.Values()
		again, err := environments.ReadConfig(profile, get)
		require.NoError(t, err)
		assert.Equal(t, read, again)
	}
}

func TestEveryProblemOfTheConfigurationIsNamedAtOnce(t *testing.T) {
	values := map[string]string{
		"product": "Shop!", "account": "12", "cidr": "8.8.8.0/24", "reach": `["everywhere"]`, "github": `{"owner": "acme", "ap": 1}`,
		"relay": `{"uri": "http://x", "sha256": 5}`,
	}
	profile, err := environments.ProfileOf("qa")
	require.NoError(t, err)
	_, err = environments.ReadConfig(profile, func(key string) (string, bool) { v, ok := values[key]; return v, ok })
	for _, want := range []string{
		`Pulumi.qa.yaml: ha-devops:product: "Shop!"`, `Pulumi.qa.yaml: ha-devops:account: "12"`, `Pulumi.qa.yaml: ha-devops:cidr: "8.8.8.0/24"`,
		`Pulumi.qa.yaml: ha-devops:reach: "everywhere"`, `Pulumi.qa.yaml: ha-devops:github: unknown field "ap"`,
		`Pulumi.qa.yaml: ha-devops:certificate: "" is not allowed`,
		`Pulumi.qa.yaml: ha-devops:relay: sha256: a number is not allowed`, `Pulumi.qa.yaml: ha-devops:region: ""`,
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = environments.ProfileOf("prod")
	assert.ErrorContains(t, err, `stack "prod" is not an environment; expected one of dev, qa, main`)
}

func TestTheConfigurationOfThePipelineIsItsOwnFixedPoint(t *testing.T) {
	s := scenario{environment: "dev"}
	r, err := s.run(t, false)
	require.NoError(t, err)
	parameter := r.Only(t, "aws:ssm/parameter:Parameter").Inputs["insecureValue"].StringValue()
	var read environments.Config
	require.NoError(t, json.Unmarshal([]byte(parameter), &read))
	again := world(nil)
	require.NoError(t, again.Run("dev", false, namespaced(read), environments.Deploy))
	assert.Equal(t, parameter, again.Only(t, "aws:ssm/parameter:Parameter").Inputs["insecureValue"].StringValue())
}

func TestOutsideDevTheLoadBalancerHasACertificate(t *testing.T) {
	const arn = "arn:aws:acm:eu-west-1:111122223333:certificate/x"
	for _, c := range []struct{ environment, domain, certificate, want string }{
		{"dev", "", "", ""},
		{"qa", "qa.example.com", "", ""},
		{"main", "", arn, ""},
		{"main", "", "", `Pulumi.main.yaml: ha-devops:certificate: "" is not allowed; expected the ARN of an ACM certificate in the environment's region, or a domain`},
		{"main", "example.com", arn, `ha-devops:certificate: "` + arn + `" is not allowed; expected nothing`},
		{"qa", "https://example.com", "", `ha-devops:domain: "https://example.com"`},
		{"qa", "", strings.Replace(arn, "eu-west-1", "us-east-1", 1), `ha-devops:certificate: "arn:aws:acm:us-east-1`},
		{"dev", "", "arn:aws:iam::111122223333:server-certificate/x", `Pulumi.dev.yaml: ha-devops:certificate: "arn:aws:iam`},
	} {
		profile, err := environments.ProfileOf(c.environment)
		require.NoError(t, err)
		given := config(c.environment)
		given.Domain, given.Certificate = c.domain, c.certificate
		values := given.Values()
		_, err = environments.ReadConfig(profile, func(key string) (string, bool) { v, ok := values[key]; return v, ok })
		if c.want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, c.want)
		}
	}
}
