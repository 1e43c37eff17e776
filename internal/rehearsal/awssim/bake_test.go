package awssim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

// factory makes an image pipeline of one component and returns its ARN.
func factory(t *testing.T, w *world, document string, recipe awssim.Recipe) string {
	t.Helper()
	require.NoError(t, w.PutComponent("arn:component", "shop-install", "1.0.0", document))
	recipe.Name, recipe.Version = "Shop-dev", "1.0.0"
	if recipe.Components == nil {
		recipe.Components = []awssim.ComponentRef{{ARN: "arn:component"}}
	}
	require.NoError(t, w.PutRecipe("arn:recipe", recipe))
	w.PutInfrastructure("arn:infrastructure", awssim.Infrastructure{Name: "shop-dev"})
	w.PutDistribution("arn:distribution", awssim.Distribution{
		AMIName: "shop-dev-{{ imagebuilder:buildDate }}", AMITags: map[string]string{"product": "shop"}, LaunchPermission: []string{"210987654321"},
	})
	require.NoError(t, w.PutImagePipeline("arn:pipeline", awssim.ImagePipeline{
		Name: "shop-dev", RecipeARN: "arn:recipe", InfrastructureARN: "arn:infrastructure", DistributionARN: "arn:distribution",
	}))
	return "arn:pipeline"
}

func start(t *testing.T, w *world, token string) string {
	t.Helper()
	out, err := imagebuilder.NewFromConfig(w.config).StartImagePipelineExecution(t.Context(),
		&imagebuilder.StartImagePipelineExecutionInput{ImagePipelineArn: aws.String("arn:pipeline"), ClientToken: &token})
	require.NoError(t, err)
	return *out.ImageBuildVersionArn
}

// baked waits for a build and returns how it ended.
func baked(t *testing.T, w *world, arn string) *types.Image {
	t.Helper()
	client := imagebuilder.NewFromConfig(w.config)
	var image *types.Image
	require.Eventually(t, func() bool {
		out, err := client.GetImage(t.Context(), &imagebuilder.GetImageInput{ImageBuildVersionArn: &arn})
		require.NoError(t, err)
		image = out.Image
		return image.State.Status == types.ImageStatusAvailable || image.State.Status == types.ImageStatusFailed
	}, patience, tick)
	return image
}

const installDocument = `
name: shop-install
description: installs the software
schemaVersion: 1.0
constants:
  - Bucket: {type: string, value: artifacts}
parameters:
  - Greeting: {type: string, default: unset, description: what to say}
phases:
  - name: test
    steps:
      - name: Look
        action: ExecuteBash
        inputs: {commands: ['test "$(cat "$DESTDIR/opt/shop/greeting")" = "hello world"', 'echo tested']}
  - name: build
    steps:
      - name: Download
        action: S3Download
        inputs:
          - source: s3://{{ Bucket }}/setup.sh
            destination: /opt/shop/bin/
          - source: s3://{{ Bucket }}/setup.sh
            destination: /opt/shop/bin/other name
      - name: Run
        action: ExecuteBash
        timeoutSeconds: 60
        inputs:
          commands:
            - chmod +x opt/shop/bin/setup.sh
            - opt/shop/bin/setup.sh '{{ Greeting }}'
            - |
              systemctl enable shop \n
              sudo useradd -r shop
              sudo -u shop id
            - echo '{{.Names}}' > other
      - name: Hope
        action: ExecuteBash
        onFailure: Ignore
        inputs: {commands: ['false', 'touch never']}
  - name: validate
    steps:
      - {name: Check, action: ExecuteBash, inputs: {commands: ['echo validated']}}
`

func TestBakeCarriesOutTheDocument(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("artifacts"))
	require.NoError(t, w.PutObject("artifacts", "setup.sh", []byte("#!/bin/sh\nprintf '%s' \"$1\" > \"$DESTDIR/opt/shop/greeting\"\n")))
	base := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(base, "os-release"), []byte("base"), 0o644))
	parent := w.RegisterImage(awssim.Image{Name: "base", Root: base})
	factory(t, w, installDocument, awssim.Recipe{
		ParentImage: parent, BlockDevices: []awssim.BlockDevice{{Device: "/dev/xvda", SizeGiB: 8}},
		Components: []awssim.ComponentRef{{ARN: "arn:component", Parameters: map[string]string{"Greeting": "hello world"}}},
	})
	arn := start(t, w, "token-1")
	assert.Equal(t, "arn:aws:imagebuilder:eu-central-1:123456789012:image/shop-dev/1.0.0/1", arn)
	assert.Equal(t, arn, start(t, w, "token-1"), "the same token is the same build")

	built := baked(t, w, arn)
	require.Equal(t, types.ImageStatusAvailable, built.State.Status, aws.ToString(built.State.Reason))
	require.Len(t, built.OutputResources.Amis, 1)
	ami := built.OutputResources.Amis[0]
	assert.Equal(t, "eu-central-1", *ami.Region)
	assert.Regexp(t, `^shop-dev-\d{4}-\d\d-\d\dT`, *ami.Name)
	assert.Equal(t, "arn:pipeline", *built.SourcePipelineArn)

	image, ok := w.Image(*ami.Image)
	require.True(t, ok)
	assert.Equal(t, "available", image.State)
	assert.Equal(t, map[string]string{"product": "shop"}, image.Tags)
	assert.Equal(t, []string{"210987654321"}, image.LaunchPermission)
	assert.Equal(t, filepath.Join(w.dir, "images", image.ID, "root"), image.Root)
	for name, want := range map[string]string{"os-release": "base", "opt/shop/greeting": "hello world", "other": "{{.Names}}\n"} {
		content, err := os.ReadFile(filepath.Join(image.Root, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(content))
	}
	assert.FileExists(t, filepath.Join(image.Root, "opt/shop/bin/other name"))
	assert.NoFileExists(t, filepath.Join(image.Root, "never"))
	text, err := os.ReadFile(filepath.Join(w.dir, "images", image.ID, "bake.log"))
	require.NoError(t, err)
	log := string(text)
	assert.Contains(t, log, "rehearsal: not run: systemctl enable shop n\n")
	assert.Contains(t, log, "rehearsal: not run: useradd -r shop\n")
	assert.Contains(t, log, "rehearsal: not run: sudo -u shop id\n")
	assert.Less(t, strings.Index(log, "validated"), strings.Index(log, "tested"), "phases are in Image Builder's order")

	again := start(t, w, "token-2")
	assert.True(t, strings.HasSuffix(again, "/2"), again)
	baked(t, w, again)
	list, err := imagebuilder.NewFromConfig(w.config).ListImagePipelineImages(t.Context(),
		&imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: aws.String("arn:pipeline")})
	require.NoError(t, err)
	require.Len(t, list.ImageSummaryList, 2)
	assert.Equal(t, []string{again, arn}, []string{*list.ImageSummaryList[0].Arn, *list.ImageSummaryList[1].Arn})
}

// bakeLog returns the last lines of a bake's log, as CloudWatch Logs has them; none if it has not begun one.
func bakeLog(t *testing.T, w *world, image *types.Image, lines int32) []string {
	t.Helper()
	_, name, _ := strings.Cut(*image.Arn, ":image/")
	name, stream, _ := strings.Cut(name, "/")
	out, err := cloudwatchlogs.NewFromConfig(w.config).GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String("/aws/imagebuilder/" + name), LogStreamName: &stream, Limit: &lines,
	})
	require.NoError(t, err)
	var log []string
	for _, event := range out.Events {
		log = append(log, *event.Message)
	}
	return log
}

func TestAFailedBakeNamesItsStep(t *testing.T) {
	for phase, want := range map[string]struct {
		workflows []types.WorkflowType
		step      string
	}{
		"build":    {[]types.WorkflowType{types.WorkflowTypeBuild}, "ApplyBuildComponents"},
		"validate": {[]types.WorkflowType{types.WorkflowTypeBuild}, "ApplyBuildComponents"},
		"test":     {[]types.WorkflowType{types.WorkflowTypeBuild, types.WorkflowTypeTest}, "ApplyTestComponents"},
	} {
		t.Run(phase, func(t *testing.T) {
			w := newWorld(t)
			factory(t, w, strings.ReplaceAll(steps(`      - {name: Look, action: ExecuteBash, inputs: {commands: ['exit 7']}}`), "build", phase), awssim.Recipe{})
			client := imagebuilder.NewFromConfig(w.config)
			image := baked(t, w, start(t, w, "t"))
			require.Equal(t, types.ImageStatusFailed, image.State.Status)
			workflows, err := client.ListWorkflowExecutions(t.Context(), &imagebuilder.ListWorkflowExecutionsInput{ImageBuildVersionArn: image.Arn})
			require.NoError(t, err)
			require.Len(t, workflows.WorkflowExecutions, len(want.workflows))
			for i, workflow := range workflows.WorkflowExecutions {
				assert.Equal(t, want.workflows[i], workflow.Type)
				failed := i == len(want.workflows)-1
				assert.Equal(t, failed, workflow.Status == types.WorkflowExecutionStatusFailed)
				list, err := client.ListWorkflowStepExecutions(t.Context(), &imagebuilder.ListWorkflowStepExecutionsInput{WorkflowExecutionId: workflow.WorkflowExecutionId})
				require.NoError(t, err)
				assert.Len(t, list.Steps, int(workflow.TotalStepCount))
				for _, step := range list.Steps {
					if step.Status == types.WorkflowStepExecutionStatusFailed {
						assert.Equal(t, want.step, *step.Name)
						assert.Equal(t, "Document arn:component failed!", *step.Message)
					}
				}
				assert.Equal(t, failed, strings.Contains(*image.State.Reason, *workflow.WorkflowExecutionId))
			}
			assert.Equal(t, []string{
				"== " + phase + "/Look (ExecuteBash)", "== " + phase + "/Look: exit status 7", "  Document: d", "  ComponentArn: arn:component", "  Phase: " + phase, "  Step: Look",
				"  Action: ExecuteBash", "  ErrorMessage: exit status 7",
			}, bakeLog(t, w, image, 100))
		})
	}
}

func TestTheSameTokenWithOtherTagsIsRefused(t *testing.T) {
	w := newWorld(t)
	factory(t, w, steps(`      - {name: A, action: ExecuteBash, inputs: {commands: [ls]}}`), awssim.Recipe{})
	client := imagebuilder.NewFromConfig(w.config)
	in := &imagebuilder.StartImagePipelineExecutionInput{
		ImagePipelineArn: aws.String("arn:pipeline"), ClientToken: aws.String("t"), Tags: map[string]string{"Image-Key": "k"},
	}
	one, err := client.StartImagePipelineExecution(t.Context(), in)
	require.NoError(t, err)
	two, err := client.StartImagePipelineExecution(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, *one.ImageBuildVersionArn, *two.ImageBuildVersionArn)
	in.Tags = nil
	_, err = client.StartImagePipelineExecution(t.Context(), in)
	assert.Equal(t, "IdempotentParameterMismatchException", code(t, err))
	assert.Equal(t, map[string]string{"Image-Key": "k"}, baked(t, w, *one.ImageBuildVersionArn).Tags)
}

// steps is a document with the given steps in its build phase.
func steps(text string) string {
	return "name: d\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n" + text
}

func TestBakeFailures(t *testing.T) {
	for name, test := range map[string]struct {
		document string
		says     []string
	}{
		"exit code and the end of the log": {
			steps(`      - {name: Install, action: ExecuteBash, inputs: {commands: ['for i in $(seq 50); do echo line $i; done', 'exit 7', 'echo not reached']}}`),
			[]string{"Phase: build", "Step: Install", "exit status 7", "line 50"},
		},
		"unknown action": {steps(`      - {name: Boot, action: Reboot, inputs: {}}`), []string{"Step: Boot", `"Reboot"`}},
		"unknown reference": {
			steps(`      - {name: Say, action: ExecuteBash, inputs: {commands: ['echo {{ build.Other.outputs.stdout }}']}}`),
			[]string{"Step: Say", "{{ build.Other.outputs.stdout }}"},
		},
		"no object": {
			steps(`      - {name: Get, action: S3Download, inputs: [{source: 's3://none/key', destination: /x}]}`), []string{"Step: Get", "s3://none/key"},
		},
		"relative destination": {
			steps(`      - {name: Get, action: S3Download, inputs: [{source: 's3://b/k', destination: x}]}`), []string{"absolute path"},
		},
		"no s3 source": {
			steps(`      - {name: Get, action: S3Download, inputs: [{source: 'http://b/k', destination: /x}]}`), []string{"s3://<bucket>/<key>"},
		},
		"timeout": {
			steps(`      - {name: Wait, action: ExecuteBash, timeoutSeconds: 1, inputs: {commands: ['sleep 60']}}`), []string{"Step: Wait", "timeoutSeconds"},
		},
		"continue fails in the end": {
			steps("      - {name: A, action: ExecuteBash, onFailure: Continue, inputs: {commands: ['exit 4']}}\n" +
				"      - {name: B, action: ExecuteBash, inputs: {commands: ['echo B ran']}}"), []string{"Step: A", "exit status 4"},
		},
		"wrong inputs": {steps(`      - {name: A, action: ExecuteBash, inputs: {commands: {a: b}}}`), []string{"Step: A", "inputs"}},
		"parameter without a value": {
			"parameters: [{Needed: {type: string}}]\n" + steps(`      - {name: A, action: ExecuteBash, inputs: {commands: [ls]}}`), []string{`"Needed"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			factory(t, w, test.document, awssim.Recipe{ParentImage: "ami-0123456789abcdef0"})
			image := baked(t, w, start(t, w, "t"))
			require.Equal(t, types.ImageStatusFailed, image.State.Status)
			said := *image.State.Reason + "\n" + strings.Join(bakeLog(t, w, image, 9), "\n")
			for _, word := range test.says {
				assert.Contains(t, said, word)
			}
			assert.NotContains(t, said, "line 25", "no more than was asked for")
			assert.Empty(t, image.OutputResources.Amis)
			found, err := w.FindImages(awssim.ImageQuery{})
			require.NoError(t, err)
			assert.Empty(t, found)
		})
	}
}

func TestDownloadStaysBelowTheRoot(t *testing.T) {
	w := newWorld(t)
	outside := t.TempDir()
	require.NoError(t, w.CreateBucket("b"))
	require.NoError(t, w.PutObject("b", "k", []byte("x")))
	factory(t, w, steps(fmt.Sprintf(`      - {name: Link, action: ExecuteBash, inputs: {commands: ['ln -s %s way']}}
      - {name: Get, action: S3Download, inputs: [{source: 's3://b/k', destination: /way/../../up}, {source: 's3://b/k', destination: /way/out}]}`, outside)), awssim.Recipe{})
	image := baked(t, w, start(t, w, "t"))
	assert.Equal(t, types.ImageStatusFailed, image.State.Status)
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestImageBuilderRefusals(t *testing.T) {
	w := newWorld(t)
	document := steps(`      - {name: A, action: ExecuteBash, inputs: {commands: [ls]}}`)
	require.ErrorContains(t, w.PutComponent("c", "c", "1.0.0", "name: x\nschemaVersion: 2.0\n"), "schemaVersion")
	require.ErrorContains(t, w.PutRecipe("r", awssim.Recipe{Components: []awssim.ComponentRef{{ARN: "arn:none"}}}), "arn:none")
	require.ErrorContains(t, w.PutImagePipeline("p", awssim.ImagePipeline{RecipeARN: "arn:none"}), "arn:none")
	factory(t, w, document, awssim.Recipe{})

	require.NoError(t, w.PutComponent("arn:component", "shop-install", "1.0.0", document), "the same again changes nothing")
	require.ErrorContains(t, w.PutComponent("arn:component", "shop-install", "1.0.0", document+"\n"), "other content")
	require.ErrorContains(t, w.PutRecipe("arn:recipe", awssim.Recipe{Name: "other"}), "other content")
	require.ErrorContains(t, w.PutImagePipeline("p", awssim.ImagePipeline{RecipeARN: "arn:recipe", InfrastructureARN: "arn:none"}), "arn:none")
	require.ErrorContains(t, w.DeleteComponent("arn:component"), "arn:recipe uses it")
	for _, remove := range []func(string) error{w.DeleteRecipe, w.DeleteInfrastructure, w.DeleteDistribution} {
		require.Error(t, remove("arn:none"))
	}
	require.ErrorContains(t, w.DeleteRecipe("arn:recipe"), "arn:pipeline uses it")
	require.ErrorContains(t, w.DeleteInfrastructure("arn:infrastructure"), "arn:pipeline uses it")
	require.ErrorContains(t, w.DeleteDistribution("arn:distribution"), "arn:pipeline uses it")
	require.NoError(t, w.DeleteImagePipeline("arn:pipeline"))
	require.NoError(t, w.DeleteRecipe("arn:recipe"))
	require.NoError(t, w.DeleteInfrastructure("arn:infrastructure"))
	require.NoError(t, w.DeleteDistribution("arn:distribution"))
	require.NoError(t, w.DeleteComponent("arn:component"))

	client := imagebuilder.NewFromConfig(w.config)
	_, err := client.StartImagePipelineExecution(t.Context(), &imagebuilder.StartImagePipelineExecutionInput{ImagePipelineArn: aws.String("arn:pipeline"), ClientToken: aws.String("t")})
	assert.Equal(t, "ResourceNotFoundException", code(t, err))
	_, err = client.GetImage(t.Context(), &imagebuilder.GetImageInput{ImageBuildVersionArn: aws.String("arn:none")})
	assert.Equal(t, "ResourceNotFoundException", code(t, err))
}

func TestBakeUsesTheCommandLineOfAWS(t *testing.T) {
	needsAWS(t)
	w := newWorld(t)
	require.NoError(t, w.CreateBucket("b"))
	require.NoError(t, w.PutObject("b", "k", []byte("content")))
	factory(t, w, steps(`      - {name: Get, action: ExecuteBash, inputs: {commands: ['aws s3 cp s3://b/k "$DESTDIR/got"', 'grep content got']}}`), awssim.Recipe{})
	image := baked(t, w, start(t, w, "t"))
	assert.Equal(t, types.ImageStatusAvailable, image.State.Status, aws.ToString(image.State.Reason))
}

func TestCloseEndsABake(t *testing.T) {
	w := newWorld(t)
	factory(t, w, steps(`      - {name: Wait, action: ExecuteBash, inputs: {commands: ['trap "" TERM; sleep 300 & echo $$ $! > pids.tmp; mv pids.tmp pids; wait; sleep 300']}}`), awssim.Recipe{})
	start(t, w, "t")
	var roots []string
	require.Eventually(t, func() bool {
		roots, _ = filepath.Glob(filepath.Join(w.dir, "images/*/root/pids"))
		return len(roots) == 1
	}, patience, tick)
	running := pids(t, filepath.Dir(roots[0]))
	require.Len(t, running, 2)
	began := time.Now()
	w.Close()
	assert.Less(t, time.Since(began), 10*time.Second)
	for _, pid := range running {
		assert.Eventually(t, func() bool { return !alive(pid) }, patience, tick, strconv.Itoa(pid))
	}
	assert.Contains(t, strings.Join(w.events, "\n"), "cancelled")
}
