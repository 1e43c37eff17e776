package components_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/mocks"
	"github.com/tekpossible/ha-devops/pipelines"
)

func pipelineOf(definition pipelines.Pipeline) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := components.NewBranchPipeline(ctx, string(definition.Role), &components.BranchPipelineArgs{
			Facts: facts, Definition: definition, Repository: "acme/shop-" + string(definition.Role), Branch: "dev", LogRetentionDays: 30,
			ConnectionArn: pulumi.String("arn:connection"), Bucket: pulumi.String("bucket"), KeyArn: pulumi.String("arn:key"),
			ApprovalTopicArn: pulumi.String("arn:approvals"), AlertTopicArn: pulumi.String("arn:alerts"),
		})
		return err
	}
}

type statement struct {
	Sid, Effect string
	Principal   any
	Action      []string
	Resource    oneOrMore
	Condition   map[string]map[string][]string
}

// oneOrMore is a list that IAM lets be written as its only element.
type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// statements reads a policy; one that is unknown in a preview has none.
func statements(t *testing.T, made mocks.Resource, property string) []statement {
	t.Helper()
	text, ok := made.Inputs.Mappable()[property].(string)
	if !ok {
		return nil
	}
	var document struct{ Statement []statement }
	require.NoError(t, json.Unmarshal([]byte(text), &document), made.Name)
	return document.Statement
}

func named(t *testing.T, r *mocks.Recorder, token, name string) mocks.Resource {
	t.Helper()
	for _, made := range r.Of(token) {
		if made.Name == name {
			return made
		}
	}
	t.Fatalf("no %s %s", token, name)
	return mocks.Resource{}
}

// actionsOf are the actions that a role may take.
func actionsOf(t *testing.T, r *mocks.Recorder, role string) []string {
	t.Helper()
	var actions []string
	for _, s := range statements(t, named(t, r, "aws:iam/rolePolicy:RolePolicy", role), "policy") {
		actions = append(actions, s.Action...)
	}
	return actions
}

const typeStage = "aws:codepipeline/pipeline:Pipeline"

func TestEveryActionHasARoleOfItsOwn(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.InfrastructurePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		// CodePipeline itself, four actions, and two builds.
		assert.Len(t, r.Of("aws:iam/role:Role"), 7)
		roles := map[any]bool{}
		for _, stage := range r.Only(t, typeStage).Inputs["stages"].ArrayValue() {
			role := stage.ObjectValue()["actions"].ArrayValue()[0].ObjectValue()["roleArn"]
			if role.IsString() {
				assert.False(t, roles[role.V], "%v has two actions", role.V)
				roles[role.V] = true
			}
		}
		service := statements(t, named(t, r, "aws:iam/rolePolicy:RolePolicy", "infrastructure"), "policy")
		if service == nil {
			return // unknown in a preview
		}
		assert.Len(t, roles, 4)
		assert.Equal(t, []string{"sts:AssumeRole"}, service[0].Action)
		var physical []string
		for _, name := range []string{"Source", "Review", "Approve", "Deploy"} {
			role := named(t, r, "aws:iam/role:Role", "infrastructure-"+name+"-action")
			physical = append(physical, "arn:aws:iam::111122223333:role/"+role.Inputs["name"].StringValue())
			trusted := statements(t, role, "assumeRolePolicy")
			require.Len(t, trusted, 1)
			assert.Equal(t, map[string]any{"AWS": "arn:aws:mock:::infrastructure"}, trusted[0].Principal, "only this pipeline takes on %s", name)
		}
		assert.EqualValues(t, physical, service[0].Resource, "CodePipeline takes on the roles of its actions and no others")
		assert.Equal(t, []string{"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}, actionsOf(t, r, "infrastructure-Approve-action"))
		assert.NotContains(t, actionsOf(t, r, "infrastructure-Source-action"), "codebuild:StartBuild")
		assert.NotContains(t, actionsOf(t, r, "infrastructure-Deploy-action"), "codestar-connections:UseConnection")
		assert.NotContains(t, actionsOf(t, r, "infrastructure-Review"), "ec2:RunInstances", "a review changes nothing")
	})
}

func TestAConnectionIsUsedForOneRepositoryOnly(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.SoftwarePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		for _, made := range r.Of("aws:iam/rolePolicy:RolePolicy") {
			for _, s := range statements(t, made, "policy") {
				if s.Action[0] == "codestar-connections:UseConnection" {
					assert.Equal(t, []string{"acme/shop-software"}, s.Condition["ForAllValues:StringEquals"]["codestar-connections:FullRepositoryId"], made.Name)
				}
			}
		}
	})
}

func TestTheTriggerListensToItsBranchAndPassesNotesOver(t *testing.T) {
	for _, definition := range []pipelines.Pipeline{pipelines.SoftwarePipeline(facts), pipelines.ImagePipeline(facts), pipelines.InfrastructurePipeline(facts)} {
		bothWays(t, pipelineOf(definition), func(t *testing.T, r *mocks.Recorder) {
			trigger := r.Only(t, typeStage).Inputs.Mappable()["triggers"].([]any)[0].(map[string]any)["gitConfiguration"].(map[string]any)
			pushes := trigger["pushes"].([]any)
			require.Len(t, pushes, 1)
			want := map[string]any{"branches": map[string]any{"includes": []any{"dev"}}}
			if definition.Role != pipelines.Software { // whatever is in the software's tree may be packed
				var ignored []any
				for _, pattern := range definition.Ignore {
					ignored = append(ignored, pattern)
				}
				require.NotEmpty(t, ignored)
				want["filePaths"] = map[string]any{"excludes": ignored}
			}
			assert.Equal(t, want, pushes[0])
		})
	}
}

func TestAReviewWithoutChangesAsksNobody(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.InfrastructurePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		conditions := map[string]any{}
		for _, stage := range r.Only(t, typeStage).Inputs.Mappable()["stages"].([]any) {
			if condition, ok := stage.(map[string]any)["beforeEntry"]; ok {
				conditions[stage.(map[string]any)["name"].(string)] = condition
			}
		}
		assert.Equal(t, map[string]any{"Approve": map[string]any{"condition": map[string]any{
			"result": "SKIP", "rules": []any{map[string]any{
				"name":          "Needed",
				"ruleTypeId":    map[string]any{"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
				"configuration": map[string]any{"Variable": "#{Review.REVIEW_CHANGES}", "Operator": "NE", "Value": "0"},
			}},
		}}}, conditions, "only the approval is ever skipped, and only when there is nothing to approve")
	})
}

func TestAnApprovalExpires(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.InfrastructurePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		for _, stage := range r.Only(t, typeStage).Inputs["stages"].ArrayValue() {
			action := stage.ObjectValue()["actions"].ArrayValue()[0].ObjectValue()
			if action["category"].StringValue() == "Approval" {
				assert.InDelta(t, 48*60, action["timeoutInMinutes"].NumberValue(), 0)
			}
		}
	})
}

func TestBuildsAreBoundedAndLogged(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.SoftwarePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		project := r.Only(t, "aws:codebuild/project:Project").Inputs
		assert.Positive(t, project["buildTimeout"].NumberValue())
		assert.Positive(t, project["queuedTimeout"].NumberValue())
		environment := project["environment"].ObjectValue()
		assert.False(t, environment["privilegedMode"].BoolValue())
		assert.False(t, strings.HasSuffix(environment["image"].StringValue(), ":latest"))
		log := r.Only(t, "aws:cloudwatch/logGroup:LogGroup").Inputs
		assert.InDelta(t, 30, log["retentionInDays"].NumberValue(), 0)
		assert.Equal(t, "arn:key", log["kmsKeyId"].StringValue())
		assert.Equal(t, "/aws/codebuild/"+project["name"].StringValue(), log["name"].StringValue())
	})
}

func TestWhatAReviewFindsIsATestReport(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.InfrastructurePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		group := r.Only(t, "aws:codebuild/reportGroup:ReportGroup").Inputs
		arn := facts.ARN("codebuild", "report-group/"+group["name"].StringValue())
		assert.Equal(t, "TEST", group["type"].StringValue())
		var reporting int
		for _, project := range r.Of("aws:codebuild/project:Project") {
			var spec struct {
				Reports map[string]struct {
					Files  []string
					Format string `yaml:"file-format"`
				}
				Phases struct{ Build struct{ Commands []string } }
			}
			require.NoError(t, yaml.Unmarshal([]byte(project.Inputs["source"].ObjectValue()["buildspec"].StringValue()), &spec))
			if len(spec.Reports) == 0 {
				continue
			}
			reporting++
			require.Contains(t, spec.Reports, arn)
			assert.Equal(t, "JUNITXML", spec.Reports[arn].Format)
			assert.Contains(t, spec.Phases.Build.Commands[0], "--report junit > "+spec.Reports[arn].Files[0])
		}
		assert.Equal(t, 1, reporting)
		var allowed int
		for _, policy := range r.Of("aws:iam/rolePolicy:RolePolicy") {
			if strings.Contains(policy.Inputs["policy"].StringValue(), `"codebuild:BatchPutTestCases"],"Resource":["`+arn+`"]`) {
				allowed++
			}
		}
		assert.Equal(t, 1, allowed, "one role may write it")
	})
}

func TestFailuresAreTold(t *testing.T) {
	bothWays(t, pipelineOf(pipelines.ImagePipeline(facts)), func(t *testing.T, r *mocks.Recorder) {
		alarm := r.Only(t, "aws:cloudwatch/metricAlarm:MetricAlarm").Inputs.Mappable()
		assert.Equal(t, "FailedPipelineExecutions", alarm["metricName"])
		assert.Equal(t, []any{"arn:alerts"}, alarm["alarmActions"])
		assert.Equal(t, map[string]any{"PipelineName": r.Only(t, typeStage).Inputs["name"].StringValue()}, alarm["dimensions"])
		rule := r.Only(t, "aws:codestarnotifications/notificationRule:NotificationRule").Inputs.Mappable()
		assert.Contains(t, rule["eventTypeIds"], "codepipeline-pipeline-pipeline-execution-failed")
		assert.Equal(t, "arn:alerts", rule["targets"].([]any)[0].(map[string]any)["address"])
	})
}
