package components_test

import (
	"encoding/json"
	"path"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/pipelines"
)

const (
	environmentType = "github:index/repositoryEnvironment:RepositoryEnvironment"
	variableType    = "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable"
	issuerType      = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	roleType        = "aws:iam/role:Role"
)

func checks(change func(*components.ChecksArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		args := &components.ChecksArgs{
			Facts: facts, Backend: "s3://state", Issuer: "token.actions.githubusercontent.com", Repositories: map[pipelines.Role]pulumi.StringInput{
				pipelines.Software: pulumi.String("shop-software"), pipelines.Image: pulumi.String("shop-image"),
				pipelines.Infrastructure: pulumi.String("shop-infrastructure"), pipelines.DevOps: pulumi.String("shop-devops"),
			},
		}
		change(args)
		_, err := components.NewChecks(ctx, "checks", args)
		return err
	}
}

// subjects are the patterns of the jobs that may assume a role.
func subjects(t *testing.T, made mocks.Resource) []string {
	t.Helper()
	var policy struct {
		Statement []struct {
			Effect    string
			Principal map[string]string
			Action    []string
			Condition map[string]map[string][]string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(made.Inputs["assumeRolePolicy"].StringValue()), &policy))
	require.Len(t, policy.Statement, 1)
	s := policy.Statement[0]
	assert.Equal(t, []string{"sts:AssumeRoleWithWebIdentity"}, s.Action)
	assert.Equal(t, map[string]string{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, s.Principal)
	assert.Equal(t, []string{"sts.amazonaws.com"}, s.Condition["StringEquals"]["token.actions.githubusercontent.com:aud"])
	return s.Condition["StringLike"]["token.actions.githubusercontent.com:sub"]
}

// trusts matches as IAM's StringLike does, except that its * stops at a slash: no name at GitHub contains one.
func trusts(patterns []string, subject string) bool {
	for _, pattern := range patterns {
		if ok, err := path.Match(pattern, subject); ok && err == nil {
			return true
		}
	}
	return false
}

func TestOnlyJobsOfItsGitHubEnvironmentTakeOnARole(t *testing.T) {
	bothWays(t, checks(func(*components.ChecksArgs) {}), func(t *testing.T, r *mocks.Recorder) {
		assert.Empty(t, r.Of(issuerType), "an account has one, and this stack was not asked to make it")
		roles := r.Of(roleType)
		require.Len(t, roles, 2)
		mine := map[string][2]string{
			"checks-preview": {"shop-infrastructure", "shop-devops"}, "checks-check": {"shop-software", "shop-image"},
		}
		for _, role := range roles {
			patterns := subjects(t, role)
			for _, repository := range mine[role.Name] {
				assert.True(t, trusts(patterns, "repo:acme/"+repository+":environment:checks-dev"))
				assert.True(t, trusts(patterns, "repo:acme@12/"+repository+"@345:environment:checks-dev"), "the subject with IDs")
			}
			for _, other := range []string{
				"repo:acme/shop-infrastructure:pull_request", "repo:acme/shop-infrastructure:ref:refs/heads/dev",
				"repo:acme/shop-infrastructure:environment:checks-qa", "repo:acme@1/shop-infrastructure@2:environment:checks-main",
				"repo:acmes/shop-infrastructure:environment:checks-dev", "repo:acmes@1/shop-infrastructure@2:environment:checks-dev",
				"repo:acme/shop-infrastructure-2:environment:checks-dev", "repo:acme@1/shop-infrastructure-2@3:environment:checks-dev",
				"repo:acme/elsewhere:environment:checks-dev",
			} {
				assert.False(t, trusts(patterns, other), "%s: %s", role.Name, other)
			}
		}
		assert.False(t, trusts(subjects(t, roles[0]), "repo:acme/"+mine[roles[1].Name][0]+":environment:checks-dev"), "what is only checked is not previewed")
	})
}

func TestEveryRepositoryIsToldItsRole(t *testing.T) {
	reviewers := components.Reviewers{Teams: []int{7}}
	for _, reviewed := range []bool{false, true} {
		bothWays(t, checks(func(args *components.ChecksArgs) {
			if reviewed {
				args.Reviewers = reviewers
			}
		}), func(t *testing.T, r *mocks.Recorder) {
			require.Len(t, r.Of(environmentType), 4)
			for _, made := range r.Of(environmentType) {
				in := made.Inputs.Mappable()
				assert.Equal(t, "checks-dev", in["environment"])
				assert.Equal(t, false, in["canAdminsBypass"])
				if !reviewed {
					assert.NotContains(t, in, "reviewers")
					continue
				}
				assert.Equal(t, true, in["preventSelfReview"])
				assert.Equal(t, []any{7.0}, in["reviewers"].([]any)[0].(map[string]any)["teams"])
			}
			require.Len(t, r.Of(variableType), 4)
			for _, made := range r.Of(variableType) {
				assert.Equal(t, pipelines.ChecksVariable, made.Inputs["variableName"].StringValue())
				assert.Equal(t, "checks-dev", made.Inputs["environment"].StringValue())
				if !made.Inputs["value"].IsString() {
					continue // the role's ARN is unknown in a preview
				}
				var told pipelines.Checks
				require.NoError(t, json.Unmarshal([]byte(made.Inputs["value"].StringValue()), &told))
				assert.NotEmpty(t, told.Role)
				told.Role = ""
				assert.Equal(t, pipelines.NewChecks(facts, "", "s3://state"), told)
			}
		})
	}
}

func TestTheAccountsIdentityProviderIsMadeWhereItIsAskedFor(t *testing.T) {
	bothWays(t, checks(func(args *components.ChecksArgs) { args.TrustIssuer = true }), func(t *testing.T, r *mocks.Recorder) {
		made := r.Only(t, issuerType).Inputs.Mappable()
		assert.Equal(t, "https://token.actions.githubusercontent.com", made["url"])
		assert.Equal(t, []any{"sts.amazonaws.com"}, made["clientIdLists"])
	})
}
