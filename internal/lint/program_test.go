package lint_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// program is a review's preview and plan. Those in testdata are of the rehearsal's first release, without some of the pipelines.
type program struct {
	environment string
	preview     preview.Preview
	plan        map[string]any
}

func load(t testing.TB, environment string) *program {
	t.Helper()
	p := &program{environment: environment}
	content, err := os.ReadFile(filepath.Join("testdata", environment, "preview.json"))
	require.NoError(t, err)
	p.preview, err = preview.Parse(content)
	require.NoError(t, err)
	content, err = os.ReadFile(filepath.Join("testdata", environment, "plan.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &p.plan))
	return p
}

// input is a pipeline's run.
func (p *program) input(t testing.TB) lint.Input {
	t.Helper()
	plan, err := json.Marshal(p.plan)
	require.NoError(t, err)
	return lint.Input{Environment: p.environment, Pipeline: true, Preview: p.preview, Plan: plan, Now: today}
}

// of is the resource of a type and name.
func (p *program) of(t testing.TB, resource string) *preview.Resource {
	t.Helper()
	i := slices.IndexFunc(p.preview.Resources, func(r preview.Resource) bool { return r.Type+"::"+r.Name() == resource })
	require.GreaterOrEqual(t, i, 0, resource)
	return &p.preview.Resources[i]
}

func (p *program) planned(urn string) map[string]any {
	return p.plan["resourcePlans"].(map[string]any)[urn].(map[string]any)
}

// set gives a property another value; the path has dots, and indexes of lists as numbers. A nil value takes it away.
func set(t testing.TB, r *preview.Resource, path string, value any) {
	t.Helper()
	var at any = r.After
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		switch v := at.(type) {
		case map[string]any:
			at = v[key]
		case []any:
			at = v[key[0]-'0']
		}
	}
	last := keys[len(keys)-1]
	into, ok := at.(map[string]any)
	require.True(t, ok, path)
	if value == nil {
		require.Contains(t, into, last, path)
		delete(into, last)
		return
	}
	into[last] = value
}

// op makes another operation of a resource, in preview and plan.
func (p *program) op(t testing.TB, resource, op string) {
	t.Helper()
	r := p.of(t, resource)
	steps := map[string][]any{
		preview.Create: {"create"}, preview.Update: {"update"}, preview.Delete: {"delete"},
		preview.Replace: {"create-replacement", "replace", "delete-replaced"},
	}
	r.Op, r.Before = op, r.After
	if op == preview.Delete {
		r.After = nil
	}
	p.planned(r.URN)["steps"] = steps[op]
}

// add adds a resource of the application's environment.
func (p *program) add(kind, name string, after map[string]any) {
	urn := "urn:pulumi:" + p.environment + "::ha-devops::ha-devops:index:AppEnvironment$" + kind + "::" + name
	parent := "urn:pulumi:" + p.environment + "::ha-devops::ha-devops:index:AppEnvironment::app"
	p.preview.Resources = append(p.preview.Resources, preview.Resource{URN: urn, Type: kind, Parent: parent, Op: preview.Create, After: after})
	p.plan["resourcePlans"].(map[string]any)[urn] = map[string]any{"goal": map[string]any{}, "steps": []any{"create"}}
}

func TestTheProgramPasses(t *testing.T) {
	for _, environment := range []string{"dev", "main"} {
		result, err := lint.Lint(t.Context(), load(t, environment).input(t))
		require.NoError(t, err)
		assert.Empty(t, result.Findings, environment)
		rules, err := lint.Rules()
		require.NoError(t, err)
		assert.Equal(t, rules, result.Rules)
		assert.True(t, slices.IsSortedFunc(rules, func(a, b lint.Rule) int { return strings.Compare(a.ID, b.ID) }))
	}
}

const (
	allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:*"],"Resource":["*"]}]}`
	anyone   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject"],"Resource":["*"]}]}`
)

// property is a mutation of one property.
func property(resource, path string, value any) func(*testing.T, *program) {
	return func(t *testing.T, p *program) { set(t, p.of(t, resource), path, value) }
}

func operation(resource, op string) func(*testing.T, *program) {
	return func(t *testing.T, p *program) { p.op(t, resource, op) }
}

// mutations are what somebody might do to the program, and the rule that has to say so.
var mutations = []struct {
	name, environment, rule string
	mutate                  func(*testing.T, *program)
	message                 string
}{
	{
		"a pipeline changes its role", "main", "only-app-changes", operation("aws:iam/rolePolicy:RolePolicy::infrastructure", preview.Update),
		"update outside of the component app",
	},
	{
		"another provider", "main", "only-app-changes", func(t *testing.T, p *program) {
			p.op(t, "pulumi:providers:aws::aws", preview.Update)
			p.of(t, "pulumi:providers:aws::aws").Changes = []preview.Property{{Path: "version", Op: preview.Update, Before: "6.83.1", After: "6.83.2"}}
		},
		"version (now 6.83.2)",
	},
	{
		"the instances' port is open", "main", "open-ingress",
		property("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::app-app", "cidrIpv4", "0.0.0.0/0"),
		"cidrIpv4 0.0.0.0/0 may come in on ports 8080 to 8080 (tcp)",
	},
	{
		"production's listeners and SSH", "main", "open-ingress",
		property("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule::app-from-0.0.0.0/0-80", "fromPort", 22.0),
		"ports 22 to 80",
	},
	{
		"endpoints are open", "dev", "open-ingress",
		property("aws:ec2/securityGroup:SecurityGroup::app-endpoints", "ingress.0.cidrBlocks", []any{"0.0.0.0/0"}),
		"ingress[0].cidrBlocks 0.0.0.0/0",
	},
	{
		"version 1 of the metadata service", "main", "imdsv2",
		property("aws:ec2/launchTemplate:LaunchTemplate::app", "metadataOptions.httpTokens", "optional"),
		"metadataOptions.httpTokens is optional",
	},
	{
		"plain volumes", "main", "encryption",
		property("aws:ec2/launchTemplate:LaunchTemplate::app", "blockDeviceMappings.0.ebs.encrypted", "false"), "blockDeviceMappings[0] is not encrypted",
	},
	{"a plain log", "dev", "encryption", property("aws:cloudwatch/logGroup:LogGroup::app", "kmsKeyId", nil), "kmsKeyId is not set"},
	{"a plain topic", "main", "encryption", property("aws:sns/topic:Topic::app-alarms", "kmsMasterKeyId", nil), "kmsMasterKeyId is not set"},
	{
		"artifacts without the key", "main", "encryption",
		property(
			"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2::delivery",
			"rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256",
		),
		"sseAlgorithm of the bucket is AES256",
	},
	{
		"a role that may do everything with keys", "main", "wildcard-action", property("aws:iam/rolePolicy:RolePolicy::app", "policy", allowAll),
		"policy allows Action kms:* on Resource *",
	},
	{
		"an administrator", "main", "wildcard-action",
		property("aws:iam/rolePolicyAttachment:RolePolicyAttachment::image-factory", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess"),
		"policyArn is arn:aws:iam::aws:policy/AdministratorAccess",
	},
	{
		"one zone", "main", "production-zones", func(t *testing.T, p *program) {
			for _, name := range []string{"app-private-2", "app-private-3"} {
				set(t, p.of(t, "aws:ec2/subnet:Subnet::"+name), "availabilityZone", "eu-west-1a")
			}
		},
		"vpcZoneIdentifiers are in 1 availability zones (eu-west-1a)",
	},
	{
		"a way out of dev", "dev", "dev-isolated", func(_ *testing.T, p *program) {
			p.add("aws:ec2/internetGateway:InternetGateway", "app", map[string]any{"vpcId": preview.Unknown})
		},
		"aws:ec2/internetGateway:InternetGateway is a way out",
	},
	{
		"public addresses in dev", "dev", "dev-isolated", property("aws:ec2/subnet:Subnet::app-isolated-1", "mapPublicIpOnLaunch", true),
		"mapPublicIpOnLaunch is true",
	},
	{
		"dev's load balancer faces the internet", "dev", "dev-isolated", property("aws:lb/loadBalancer:LoadBalancer::app", "internal", false),
		"internal is false",
	},
	{
		"the log of who came in is replaced", "main", "data-loss", operation("aws:s3/bucketV2:BucketV2::app-access-log", preview.Replace),
		"replace of a resource that keeps data",
	},
	{"the network goes", "dev", "data-loss", operation("aws:ec2/vpc:Vpc::app", preview.Delete), "delete of a resource that keeps data"},
	{"another target group", "main", "data-loss", operation("aws:lb/targetGroup:TargetGroup::app", preview.Replace), "that serves requests"},
	{
		"the latest template", "main", "pinned-template", property("aws:autoscaling/group:Group::app", "launchTemplate.version", "$Latest"),
		"launchTemplate.version is $Latest",
	},
	{
		"an untried release", "main", "never-upstream", func(_ *testing.T, p *program) { p.preview.Promotion = "never-upstream" },
		"the environment that main is promoted from never ran this release",
	},
	{
		"a bucket for everybody", "main", "public-access", property("aws:s3/bucketPolicy:BucketPolicy::app-access-log", "policy", anyone),
		"policy allows [\"s3:GetObject\"] to Principal *",
	},
	{
		"a bucket that may be opened", "dev", "public-access",
		property("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock::delivery", "blockPublicPolicy", false), "blockPublicPolicy is false",
	},
	{
		"plain HTTP in production", "main", "plain-http",
		property("aws:lb/listener:Listener::app-redirect", "defaultActions", []any{map[string]any{"type": "forward"}}),
		"protocol is HTTP and defaultActions[0] is no redirect",
	},
	{
		"an old TLS", "main", "plain-http", property("aws:lb/listener:Listener::app", "sslPolicy", "ELBSecurityPolicy-2016-08"),
		"sslPolicy is ELBSecurityPolicy-2016-08",
	},
	{
		"no web firewall", "main", "guard-removed", operation("aws:wafv2/webAclAssociation:WebAclAssociation::app", preview.Delete),
		"delete of aws:wafv2/webAclAssociation:WebAclAssociation",
	},
	{
		"a silent alarm", "main", "guard-removed", property("aws:cloudwatch/metricAlarm:MetricAlarm::app-errors", "alarmActions", []any{}),
		"alarmActions is empty",
	},
}

func TestEachMutationOfTheProgramTripsItsRuleAndNoOther(t *testing.T) {
	tripped := map[string]bool{"exceptions": true} // which no program trips
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			p := load(t, m.environment)
			m.mutate(t, p)
			result, err := lint.Lint(t.Context(), p.input(t))
			require.NoError(t, err)
			require.NotEmpty(t, result.Findings)
			for _, f := range result.Findings {
				assert.Equal(t, m.rule, f.Rule.ID, f.Message)
				assert.Contains(t, f.Message, m.message)
			}
		})
		tripped[m.rule] = true
	}
	rules, err := lint.Rules()
	require.NoError(t, err)
	for _, rule := range rules {
		assert.True(t, tripped[rule.ID], "no mutation trips %s", rule.ID)
	}
}

func TestWarningsDoNotBlock(t *testing.T) {
	p := load(t, "main")
	p.preview.Promotion = "never-upstream"
	p.op(t, "aws:lb/targetGroup:TargetGroup::app", preview.Replace)
	p.op(t, "aws:kms/key:Key::delivery", preview.Delete)
	result, err := lint.Lint(t.Context(), p.input(t))
	require.NoError(t, err)
	var ids []string
	for _, f := range result.Findings {
		ids = append(ids, string(f.Rule.Severity)+" "+f.Rule.ID)
		assert.Equal(t, f.Rule.Severity == lint.Error, f.Blocks())
	}
	// Those that block come first.
	assert.Equal(t, []string{"error data-loss", "error only-app-changes", "warning data-loss", "warning never-upstream"}, ids)
}

func TestThePlatformTeamMayChangeEverything(t *testing.T) {
	p := load(t, "main")
	p.op(t, "aws:iam/rolePolicy:RolePolicy::infrastructure", preview.Update)
	in := p.input(t)
	in.Pipeline = false
	result, err := lint.Lint(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, result.Findings)
}
