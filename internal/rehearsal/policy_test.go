package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// mutation is one change of the program that a rule must find.
type mutation struct {
	rule, environment string
	// resource is the type and the logical name that are changed; with only the type, all of it are.
	resource string
	change   func(in map[string]any)
	// config changes the stack's configuration instead.
	config func(config map[string]any)
	// commit is the infrastructure commit that is previewed, the branch's newest when empty.
	commit string
}

// mutations have each rule of the policy at least once.
func mutations(unapproved string) []mutation {
	set := func(path string, value any) func(map[string]any) {
		return func(in map[string]any) { put(in, strings.Split(path, "."), value) }
	}
	drop := func(key string) func(map[string]any) { return func(in map[string]any) { delete(in, key) } }
	allow := func(action string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[%q],"Resource":["*"]}]}`, action)
	}
	return []mutation{
		{rule: "only-app-changes", environment: "main", resource: "aws:iam/rolePolicy:RolePolicy infrastructure", change: set("policy", allow("s3:GetObject"))},
		{rule: "open-ingress", environment: "main", resource: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule app-app", change: set("cidrIpv4", "0.0.0.0/0")},
		{rule: "open-ingress", environment: "dev", resource: "aws:ec2/securityGroup:SecurityGroup app-endpoints", change: set("ingress.0.cidrBlocks", []any{"0.0.0.0/0"})},
		{rule: "imdsv2", environment: "dev", resource: "aws:ec2/launchTemplate:LaunchTemplate app", change: set("metadataOptions.httpTokens", "optional")},
		{rule: "encryption", environment: "dev", resource: "aws:ec2/launchTemplate:LaunchTemplate app", change: set("blockDeviceMappings.0.ebs.encrypted", "false")},
		{rule: "encryption", environment: "dev", resource: "aws:cloudwatch/logGroup:LogGroup app", change: drop("kmsKeyId")},
		{rule: "encryption", environment: "dev", resource: "aws:sns/topic:Topic app-alarms", change: drop("kmsMasterKeyId")},
		{rule: "wildcard-action", environment: "dev", resource: "aws:iam/rolePolicy:RolePolicy app", change: set("policy", allow("kms:*"))},
		{rule: "production-zones", environment: "main", resource: "aws:ec2/subnet:Subnet", change: func(in map[string]any) { in["availabilityZone"] = "eu-west-1a" }},
		{rule: "dev-isolated", environment: "dev", resource: "aws:ec2/subnet:Subnet app-isolated-1", change: set("mapPublicIpOnLaunch", true)},
		{rule: "dev-isolated", environment: "dev", resource: "aws:lb/loadBalancer:LoadBalancer app", change: set("internal", false)},
		{rule: "data-loss", environment: "dev", config: func(config map[string]any) { config["cidr"] = "10.77.0.0/16" }},
		{rule: "pinned-template", environment: "dev", resource: "aws:autoscaling/group:Group app", change: set("launchTemplate.version", "$Latest")},
		{rule: "never-upstream", environment: "qa", commit: unapproved},
		{rule: "public-access", environment: "dev", resource: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock delivery", change: set("blockPublicPolicy", false)},
		{rule: "plain-http", environment: "qa", resource: "aws:lb/listener:Listener app", change: set("sslPolicy", "ELBSecurityPolicy-2016-08")},
		{rule: "guard-removed", environment: "main", resource: "aws:cloudwatch/metricAlarm:MetricAlarm app-errors", change: func(in map[string]any) { in["alarmActions"] = []any{} }},
	}
}

func put(value any, path []string, to any) {
	switch v := value.(type) {
	case map[string]any:
		if len(path) == 1 {
			v[path[0]] = to
			return
		}
		put(v[path[0]], path[1:], to)
	case []any:
		put(v[0], path[1:], to) // the only index that is used is the first
	}
}

// TestEveryRuleFindsItsMutation previews the three environments with one thing changed at a time, as a pull request's check does.
func TestEveryRuleFindsItsMutation(t *testing.T) {
	var now atomic.Pointer[mutation]
	var approve atomic.Bool
	approve.Store(true)
	w := world{
		rewrite: func(typ, name string, in resource.PropertyMap) resource.PropertyMap {
			m := now.Load()
			if m == nil || m.change == nil || m.resource != typ && m.resource != typ+" "+name {
				return in
			}
			plain := in.Mappable()
			m.change(plain)
			return resource.NewPropertyMapFromMap(plain)
		},
		approve: func(context.Context, runner.Approval, string) (bool, string, error) { return approve.Load(), "", nil },
	}
	r := w.start(t, "dev")
	require.NoError(t, r.FirstRelease(t.Context()))
	for _, environment := range []string{"qa", "main"} {
		require.NoError(t, r.Provision(t.Context(), environment))
	}
	for _, environment := range []string{"dev", "qa", "main"} {
		findings, err := dryRun(t, r, environment, head(t, r, environment), nil)
		require.NoError(t, err)
		assert.Empty(t, findings, "%s as it is has no findings", environment)
	}
	approve.Store(false)
	require.ErrorContains(t, r.Change(t.Context(), map[string]string{"greeting.go": "package main\n\nconst greeting = \"Never deployed.\"\n"}), "rejected")
	rules := map[string]bool{}
	for _, m := range mutations(head(t, r, "dev")) {
		rules[m.rule] = true
		t.Run(m.rule+" "+m.resource, func(t *testing.T) {
			now.Store(&m)
			defer now.Store(nil)
			commit := m.commit
			if commit == "" {
				commit = head(t, r, m.environment)
			}
			findings, err := dryRun(t, r, m.environment, commit, m.config)
			found := slices.IndexFunc(findings, func(f lint.Finding) bool { return f.Rule.ID == m.rule })
			require.GreaterOrEqual(t, found, 0, "%v", findings)
			if findings[found].Rule.Severity == lint.Error {
				assert.ErrorContains(t, err, "policy "+m.rule, "what blocks fails the command")
			}
		})
	}
	all, err := lint.Rules()
	require.NoError(t, err)
	for _, rule := range all {
		if rule.ID != "exceptions" { // which is about the file and not about the program
			assert.True(t, rules[rule.ID], "no mutation trips %s", rule.ID)
		}
	}
}

func head(t *testing.T, r *rehearsal.Rehearsal, environment string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "ls-remote", r.Remote("infrastructure", rehearsal.DeveloperToken), "refs/heads/"+environment).Output()
	require.NoError(t, err)
	commit, _, _ := strings.Cut(string(out), "\t")
	return commit
}

// dryRun does what a pull request's check does, and returns the findings and the command's error.
func dryRun(t *testing.T, r *rehearsal.Rehearsal, environment, commit string, change func(map[string]any)) ([]lint.Finding, error) {
	t.Helper()
	parameter, err := ssm.NewFromConfig(operator(t, r, rehearsal.Developer)).GetParameter(t.Context(), &ssm.GetParameterInput{
		Name: aws.String("/" + rehearsal.Product + "/" + environment + "/config"),
	})
	require.NoError(t, err)
	config := *parameter.Parameter.Value
	if change != nil {
		values := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(config), &values))
		change(values)
		text, err := json.Marshal(values)
		require.NoError(t, err)
		config = string(text)
	}
	env, err := r.Operator(rehearsal.Developer)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), tools.Relay, "review", "--dry-run", "--report", "json", "--dir", t.TempDir())
	cmd.Env = append(env, "RELAY_ENVIRONMENT="+environment, "RELAY_COMMIT="+commit, "RELAY_CONFIG="+config)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	failed := cmd.Run()
	var report struct{ Findings []lint.Finding }
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), stderr.String())
	if failed != nil {
		failed = fmt.Errorf("%w: %s", failed, stderr.String())
	}
	return report.Findings, failed
}
