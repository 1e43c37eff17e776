package components_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

var facts = pipelines.Facts{
	ReviewHours: 48,
	Product:     "shop", Environment: "dev", Account: "111122223333", Region: "eu-west-1",
	GitHub: vars.GitHub{Owner: "acme", API: "https://api.github.com/", Secret: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"},
	Repositories: map[pipelines.Role]string{
		pipelines.Software: "shop-software", pipelines.Image: "shop-image", pipelines.Infrastructure: "shop-infrastructure",
	},
	Relay:     pipelines.Tool{URI: "s3://tools/relay", SHA256: strings.Repeat("ab", 32)},
	BaseImage: "arn:aws:imagebuilder:eu-west-1:aws:image/amazon-linux-2023-x86/x.x.x",
}

// bothWays runs a test as an update and as a preview, in which what the clouds would answer is unknown.
func bothWays(t *testing.T, program pulumi.RunFunc, check func(t *testing.T, r *mocks.Recorder)) {
	t.Helper()
	for _, preview := range []bool{false, true} {
		t.Run(fmt.Sprintf("preview=%t", preview), func(t *testing.T) {
			recorder := &mocks.Recorder{}
			require.NoError(t, recorder.Run("dev", preview, nil, program))
			recorder.CheckTree(t)
			check(t, recorder)
		})
	}
}

func TestRepoOfTheFirstEnvironmentMakesTheRepository(t *testing.T) {
	bothWays(t, func(ctx *pulumi.Context) error {
		_, err := components.NewRepo(ctx, "image", &components.RepoArgs{
			Role: pipelines.Image, Name: "shop-image", Product: "shop", Create: true, Branch: "dev", Approvals: 1, Writer: 42,
		})
		return err
	}, func(t *testing.T, r *mocks.Recorder) {
		repository := r.Only(t, "github:index/repository:Repository")
		assert.True(t, repository.Protect)
		assert.True(t, repository.Inputs["archiveOnDestroy"].BoolValue())
		ruleset := r.Only(t, "github:index/repositoryRuleset:RepositoryRuleset").Inputs.Mappable()
		rules := ruleset["rules"].(map[string]any)
		assert.Equal(t, true, rules["nonFastForward"])
		assert.Equal(t, true, rules["deletion"])
		assert.EqualValues(t, 1, rules["pullRequest"].(map[string]any)["requiredApprovingReviewCount"])
		actors := ruleset["bypassActors"].([]any)
		require.Len(t, actors, 1)
		assert.EqualValues(t, 42, actors[0].(map[string]any)["actorId"])
	})
}

func TestRepoOfProductionGuardsTheBranchThatIsThereAlready(t *testing.T) {
	bothWays(t, func(ctx *pulumi.Context) error {
		_, err := components.NewRepo(ctx, "software", &components.RepoArgs{Role: pipelines.Software, Name: "shop-software", Product: "shop", Branch: "main", Approvals: 1})
		return err
	}, func(t *testing.T, r *mocks.Recorder) {
		assert.Empty(t, r.Of("github:index/repository:Repository"))
		assert.Empty(t, r.Of("github:index/branch:Branch"))
		ruleset := r.Only(t, "github:index/repositoryRuleset:RepositoryRuleset").Inputs.Mappable()
		assert.Empty(t, ruleset["bypassActors"], "nobody commits to the software repository past a pull request")
	})
}

func TestComponentsRefuseEmptyArguments(t *testing.T) {
	for name, make := range map[string]func(ctx *pulumi.Context) error{
		`Repo "x": Branch, Name, Role must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewRepo(ctx, "x", nil)
			return err
		},
		`Delivery "x": Config, Facts, LogRetentionDays must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewDelivery(ctx, "x", nil)
			return err
		},
		`ImageFactory "x": AlertTopicArn, Bucket, Facts, Facts.BaseImage, KeyArn, LogRetentionDays must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewImageFactory(ctx, "x", nil)
			return err
		},
		`BranchPipeline "x": AlertTopicArn, ApprovalTopicArn, Branch, Bucket, ConnectionArn, Definition, KeyArn, LogRetentionDays, Repository must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewBranchPipeline(ctx, "x", nil)
			return err
		},
		`AppEnvironment "x": CIDR, CertificateArn or Domain, Exposure, Facts, KeyArn, LogRetentionDays, Zones (two or more) must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewAppEnvironment(ctx, "x", nil)
			return err
		},
		`Checks "x": Backend, Facts, Issuer, Repositories must not be empty`: func(ctx *pulumi.Context) error {
			_, err := components.NewChecks(ctx, "x", nil)
			return err
		},
	} {
		recorder := &mocks.Recorder{}
		assert.ErrorContains(t, recorder.Run("dev", false, nil, make), name)
		assert.Empty(t, recorder.Resources(), "nothing is registered before the arguments are checked")
	}
}

func TestBranchPipelineRunsItsDefinition(t *testing.T) {
	for _, definition := range []pipelines.Pipeline{pipelines.SoftwarePipeline(facts), pipelines.ImagePipeline(facts), pipelines.InfrastructurePipeline(facts)} {
		t.Run(string(definition.Role), func(t *testing.T) {
			bothWays(t, func(ctx *pulumi.Context) error {
				_, err := components.NewBranchPipeline(ctx, string(definition.Role), &components.BranchPipelineArgs{
					Facts: facts, Definition: definition, Repository: "acme/shop", Branch: "dev", LogRetentionDays: 30,
					ConnectionArn: pulumi.String("arn:connection"), Bucket: pulumi.String("bucket"), KeyArn: pulumi.String("arn:key"),
					ApprovalTopicArn: pulumi.String("arn:topic"), AlertTopicArn: pulumi.String("arn:alerts"),
				})
				return err
			}, func(t *testing.T, r *mocks.Recorder) { checkPipeline(t, r, definition) })
		})
	}
}

func checkPipeline(t *testing.T, r *mocks.Recorder, definition pipelines.Pipeline) {
	pipeline := r.Only(t, "aws:codepipeline/pipeline:Pipeline").Inputs.Mappable()
	assert.Equal(t, "V2", pipeline["pipelineType"])
	assert.Equal(t, string(definition.Mode), pipeline["executionMode"])
	var names []string
	for _, stage := range pipeline["stages"].([]any) {
		names = append(names, stage.(map[string]any)["name"].(string))
	}
	want := []string{"Source"}
	builds := 0
	for _, stage := range definition.Stages {
		want = append(want, stage.Name)
		if stage.Build != nil {
			builds++
		}
	}
	assert.Equal(t, want, names)
	push := pipeline["triggers"].([]any)[0].(map[string]any)["gitConfiguration"].(map[string]any)["pushes"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{"dev"}, push["branches"].(map[string]any)["includes"])
	assert.Len(t, r.Of("aws:codebuild/project:Project"), builds)
	assert.Len(t, r.Of("aws:cloudwatch/logGroup:LogGroup"), builds)
	for _, project := range r.Of("aws:codebuild/project:Project") {
		var buildspec map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(project.Inputs.Mappable()["source"].(map[string]any)["buildspec"].(string)), &buildspec))
		assert.EqualValues(t, 0.2, buildspec["version"])
	}
	checkPolicies(t, r)
}

// checkPolicies holds every policy against the rule that nothing is allowed to do everything.
func checkPolicies(t *testing.T, r *mocks.Recorder) {
	for _, attached := range r.Of("aws:iam/rolePolicy:RolePolicy") {
		text := attached.Inputs["policy"]
		if !text.IsString() {
			continue // unknown in a preview
		}
		var document struct {
			Statement []struct{ Action, Resource []string }
		}
		require.NoError(t, json.Unmarshal([]byte(text.StringValue()), &document))
		require.NotEmpty(t, document.Statement)
		for _, s := range document.Statement {
			require.NotEmpty(t, s.Resource, attached.Name)
			for _, action := range s.Action {
				assert.NotContains(t, action, "*", attached.Name)
				if s.Resource[0] == "*" {
					assert.Contains(t, action, ":Describe", "%s: only describing actions know no resource", attached.Name)
				}
			}
		}
	}
}

func TestImageFactoryVersionsFollowTheContent(t *testing.T) {
	other := facts
	other.Relay.SHA256 = strings.Repeat("cd", 32)
	assert.Equal(t, facts.BakeVersion(), facts.BakeVersion())
	assert.NotEqual(t, facts.BakeVersion(), other.BakeVersion())
	assert.Regexp(t, `^1\.[0-9]+\.[0-9]+$`, facts.BakeVersion())
	bothWays(t, func(ctx *pulumi.Context) error {
		_, err := components.NewImageFactory(ctx, "image", &components.ImageFactoryArgs{
			Facts: facts, Bucket: pulumi.String("bucket"), KeyArn: pulumi.String("arn:key"), AlertTopicArn: pulumi.String("arn:alerts"), LogRetentionDays: 30,
		})
		return err
	}, func(t *testing.T, r *mocks.Recorder) {
		assert.Equal(t, facts.BakeVersion(), r.Only(t, "aws:imagebuilder/imageRecipe:ImageRecipe").Inputs["version"].StringValue())
		checkPolicies(t, r)
	})
}
