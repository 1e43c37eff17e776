package environments_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

// limits are the longest names of what has short ones (each service's API reference); every other name may have 128 characters.
var limits = map[string]int{
	"aws:autoscaling/group:Group":                   255,
	"aws:cloudwatch/logGroup:LogGroup":              512,
	"aws:codepipeline/pipeline:Pipeline":            100,
	"aws:codestarconnections/connection:Connection": 32,
	"aws:iam/role:Role":                             64,
	"aws:lb/loadBalancer:LoadBalancer":              32,
	"aws:lb/targetGroup:TargetGroup":                32,
	"aws:s3/bucketV2:BucketV2":                      63,
	"github:index/repository:Repository":            100,
}

// scoped are the types whose names need only differ within something else, which has a name of its own.
var scoped = []string{
	"aws:iam/rolePolicy:RolePolicy", "aws:autoscaling/policy:Policy", "github:index/repositoryRuleset:RepositoryRuleset", "github:index/issueLabel:IssueLabel",
}

// physical returns the name under which a resource exists in the account or at GitHub; empty for what has none or whose name AWS
// or Pulumi makes up.
func physical(made mocks.Resource) string {
	for _, token := range scoped {
		if made.Type == token {
			return ""
		}
	}
	if !strings.HasPrefix(made.Type, "aws:") && !strings.HasPrefix(made.Type, "github:") {
		return ""
	}
	key := resource.PropertyKey("name")
	if made.Type == "aws:s3/bucketV2:BucketV2" {
		key = "bucket"
	}
	if name, ok := made.Inputs[key]; ok && name.IsString() {
		return name.StringValue()
	}
	return ""
}

func TestProductsInOneAccountShareNoName(t *testing.T) {
	owners := map[string]string{}
	seen := map[string]bool{}
	for _, product := range []string{"shop", "shop-dev", "shop-qa-app", "abcdefghijklmnopqrst", "abcdefghijklmnopqrsu"} {
		for _, profile := range environments.Profiles() {
			c := config(profile.Environment)
			c.Product = product
			r := world(map[string]string{"ami-id": ami})
			for _, upstream := range []string{"dev", "qa"} {
				r.Stacks["organization/ha-devops/"+upstream] = outputs{}.properties()
			}
			require.NoError(t, r.Run(profile.Environment, false, namespaced(c), environments.Deploy))
			stack := product + " " + profile.Environment
			for _, made := range r.Resources() {
				name := physical(made)
				if name == "" {
					continue
				}
				seen[made.Type] = true
				limit := limits[made.Type]
				if limit == 0 {
					limit = 128
				}
				assert.LessOrEqual(t, len(name), limit, "%s %q", made.Type, name)
				other, taken := owners[made.Type+" "+name]
				assert.False(t, taken, "%s %q of %s is %s's too", made.Type, name, stack, other)
				owners[made.Type+" "+name] = stack
			}
		}
	}
	for token := range limits {
		assert.True(t, seen[token], "%s: nothing of it was looked at", token)
	}
}

func TestEverythingBearsProductAndEnvironment(t *testing.T) {
	for _, profile := range environments.Profiles() {
		for _, preview := range []bool{false, true} {
			r, err := scenario{environment: profile.Environment}.run(t, preview)
			require.NoError(t, err)
			tags := r.Only(t, "pulumi:providers:aws").Inputs["defaultTags"]
			text := tags.String()
			for _, want := range []string{"shop", profile.Environment, "ha-devops"} {
				assert.Contains(t, text, want)
			}
			for _, key := range []string{"product", "environment", "managed-by"} {
				assert.Contains(t, text, key)
			}
		}
	}
}
