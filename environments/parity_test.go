package environments_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/pipelines"
)

// allowed are the places at which qa and main may differ, and why. Everything else is the same by construction.
var allowed = []struct{ why, resource, path string }{
	{"zones", `^aws:ec2/(subnet|routeTable|routeTableAssociation|route|eip|natGateway):\w+ app-(public|private)-3$`, `^$`},
	{"zones", `^aws:lb/loadBalancer:LoadBalancer app$`, `^\.subnets\[2\]$`},
	{"zones", `^aws:autoscaling/group:Group app$`, `^\.vpcZoneIdentifiers\[2\]$`},
	{"zones", `^ha-devops:index:AppEnvironment app$`, `^\.zones\[2\]$`},
	{"release", `^aws:ec2/launchTemplate:LaunchTemplate app$`, `^\.imageId$|\.tags\.Artifact-Tag$`},
	{"release", `^ha-devops:index:AppEnvironment app$`, `^\.(amiId|artifactTag)$`},
	{"CIDR", `^aws:ec2/(vpc:Vpc|subnet:Subnet) `, `^\.cidrBlock$`},
	{"who may reach the listener", `^aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule app-from-\S+-(443|80)$`, `^$`},
	{"who may reach the listener", `^ha-devops:index:AppEnvironment app$`, `^\.exposure$`},
	{"the configuration, which says all of these", `^aws:ssm/parameter:Parameter delivery$`, `^\.insecureValue`},
	{"production's branch is the repositories' default one, which is there already", `^github:index/branch:Branch `, `^$`},
}

func unexpected(all []difference) []difference {
	var out []difference
	for _, d := range all {
		ok := false
		for _, a := range allowed {
			ok = ok || regexp.MustCompile(a.resource).MatchString(d.resource) && regexp.MustCompile(a.path).MatchString(d.path)
		}
		if !ok {
			out = append(out, d)
		}
	}
	return out
}

// mirror returns the graph of qa or main, each with its own account, network and release.
func mirror(t *testing.T, environment string, preview bool) graph {
	t.Helper()
	own := map[string]struct{ upstream, account, cidr, ami, tag string }{
		"qa":   {"dev", "222222222222", "10.20.0.0/16", "ami-0000000000000000a", "v2.0.0"},
		"main": {"qa", "333333333333", "10.30.0.0/16", "ami-0000000000000000b", "v1.0.0"},
	}[environment]
	c := config(environment)
	// Everything that the configuration names lies in the environment's own account.
	c.GitHub.Secret = strings.ReplaceAll(c.GitHub.Secret, c.Account, own.account)
	c.Certificate = strings.ReplaceAll(c.Certificate, c.Account, own.account)
	c.Account, c.CIDR = own.account, own.cidr
	// CodePipeline cuts the names of its folders after 20 characters, and this one ends there.
	c.Product = "product-of-long-name"
	r := world(map[string]string{"ami-id": own.ami})
	for _, up := range []string{"dev", "qa"} {
		r.Stacks["organization/ha-devops/"+up] = resource.PropertyMap{
			"amiId": resource.NewStringProperty(own.ami), "artifactTag": resource.NewStringProperty(own.tag),
		}
	}
	require.NoError(t, r.Run(environment, preview, namespaced(c), environments.Deploy))
	return newGraph(r.Resources(), newWords(environment, own.upstream, own.account))
}

func TestQAMirrorsProduction(t *testing.T) {
	for _, preview := range []bool{false, true} {
		t.Run(fmt.Sprintf("preview=%t", preview), func(t *testing.T) {
			all := compare(mirror(t, "qa", preview), mirror(t, "main", preview))
			for _, d := range unexpected(all) {
				t.Errorf("qa and main differ, and nothing in environments.Profile says that they should:\n  %s", d)
			}
			used := map[string]bool{}
			for _, d := range all {
				for _, a := range allowed {
					if regexp.MustCompile(a.resource).MatchString(d.resource) && regexp.MustCompile(a.path).MatchString(d.path) {
						used[a.resource+a.path] = true
					}
				}
			}
			for _, a := range allowed {
				assert.True(t, used[a.resource+a.path], "the exception for %s at %s %s excuses nothing; take it out", a.why, a.resource, a.path)
			}
		})
	}
}

// Every single input of every resource is changed once: a comparison that overlooks one would let the mirror go blind there.
func TestTheMirrorShowsEveryOneOfTheDifferences(t *testing.T) {
	qa := mirror(t, "qa", false)
	excused := map[string]bool{}
	for _, d := range compare(qa, mirror(t, "main", false)) {
		excused[d.resource] = excused[d.resource] || d.path == ""
	}
	changes := 0
	for name, inputs := range qa {
		if excused[name] {
			continue
		}
		for key := range inputs {
			other := maps.Clone(qa)
			other[name] = maps.Clone(inputs)
			other[name][key] = "something else"
			found := compareValues(name, "", qa[name], other[name])
			require.Len(t, found, 1, "%s %s", name, key)
			assert.Contains(t, found[0].String(), "."+key)
			assert.Contains(t, found[0].String(), "something else")
			if len(unexpected(found)) == 0 {
				assert.Regexp(t, `cidrBlock|exposure|insecureValue|amiId|artifactTag|imageId`, key, name)
			}
			changes++
		}
		missing := maps.Clone(qa)
		delete(missing, name)
		assert.NotEmpty(t, unexpected(compare(qa, missing)), "%s is missing", name)
	}
	assert.Greater(t, changes, 400)
}

// deployed are the types of which the infrastructure pipeline's deploy role may change resources: see pipelines.InfrastructurePipeline.
var deployed = []string{
	"ha-devops:index:AppEnvironment",
	"aws:ec2/launchTemplate:LaunchTemplate", "aws:autoscaling/group:Group", "aws:autoscaling/policy:Policy",
	"aws:lb/targetGroup:TargetGroup", "aws:lb/listener:Listener", "aws:cloudwatch/metricAlarm:MetricAlarm",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
}

func TestARelayChangesOnlyWhatItsRoleMayChange(t *testing.T) {
	shape := `{"instanceType": "m7g.large", "capacity": {"min": 4, "max": 9}, "port": 9000,
		"health": {"path": "/up", "graceSeconds": 90, "intervalSeconds": 20, "healthyThreshold": 4, "unhealthyThreshold": 5},
		"scaling": {"cpuPercent": 60, "requestsPerTarget": 500}, "alarms": {"errorPercent": 9, "latencyMilliseconds": 900}}`
	for _, profile := range environments.Profiles() {
		t.Run(profile.Environment, func(t *testing.T) {
			graphOf := func(files map[string]string) graph {
				r, err := scenario{environment: profile.Environment, files: files}.run(t, false)
				require.NoError(t, err)
				return newGraph(r.Resources(), nil)
			}
			before := graphOf(nil)
			for name, files := range map[string]map[string]string{
				"first release": {"ami-id": ami}, "another shape": {"ami-id": ami, "environment.json": shape},
			} {
				seen := map[string]bool{}
				for _, d := range compare(before, graphOf(files)) {
					token, _, _ := strings.Cut(d.resource, " ")
					assert.Contains(t, deployed, token, "%s: %s", name, d)
					seen[token] = true
				}
				if name == "another shape" {
					// The mock gives every version of a resource the same ID, so that a listener seems to stay as it is.
					assert.GreaterOrEqual(t, len(seen), len(deployed)-1)
				}
			}
		})
	}
	var actions []string
	for _, stage := range pipelines.InfrastructurePipeline(pipelines.Facts{Product: "shop", Environment: "qa", Account: "1", Region: "eu-west-1"}).Stages {
		if stage.Name == "Deploy" {
			for _, grant := range stage.Build.Grants {
				actions = append(actions, grant.Actions...)
			}
		}
	}
	assert.Subset(t, actions, []string{
		"ec2:CreateLaunchTemplateVersion", "autoscaling:UpdateAutoScalingGroup", "autoscaling:PutScalingPolicy", "autoscaling:DeletePolicy",
		"elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyListener", "cloudwatch:PutMetricAlarm", "ec2:ModifySecurityGroupRules",
	})
	for _, action := range actions {
		if slices.Contains([]string{"codepipeline:ListActionExecutions", "codebuild:BatchGetBuilds"}, action) {
			continue // to look is not to change
		}
		assert.NotRegexp(t, `^(codepipeline|codebuild|kms|sns):|^iam:(CreateRole|CreatePolicy|Put|Attach|Update|Delete)`, action, "nobody edits their own gate")
	}
}
