package bake_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/bake"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/vars"
)

const patience = 20 * time.Second

// in returns the variables of another pipeline execution.
func (w *world) in(execution string) vars.Bake {
	v := w.vars
	v.Execution = execution
	return v
}

func TestAFailedBakeSaysWhyAndTheNextRunBakesAnew(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("fail", true)
	for _, execution := range []string{"e-1", "e-2"} {
		_, err := w.bakeAs(t.Context(), w.in(execution))
		var failed *bake.FailedError
		require.ErrorAs(t, err, &failed)
		assert.Contains(t, failed.Reason, "Document arn:component failed!")
		assert.Equal(t, "ApplyBuildComponents: Document arn:component failed!", failed.Step)
		assert.Contains(t, failed.Log, "no such package")
		assert.Contains(t, failed.Log, "  Step: Fail")
		assert.Contains(t, failed.Log, "  ErrorMessage: exit status 9")
		assert.Empty(t, failed.Unknown)
		assert.Contains(t, err.Error(), "no such package\n")
		assert.Contains(t, failed.Hint(), "group /aws/imagebuilder/r, stream 1.0.0/")
		assert.Contains(t, failed.Hint(), "log-group/$252Faws$252Fimagebuilder$252Fr/log-events/1.0.0$252F")
	}
	id, _ := w.amiID()
	assert.Empty(t, id)
	w.turn("fail", false)
	assert.True(t, w.baked().HandOff.Changed, "in the execution that failed before")
	assert.Len(t, w.builds(), 3)
}

// mute is a log that cannot be read.
type mute struct{}

func (mute) GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.GetLogEventsOutput, error) {
	return nil, errors.New("AccessDenied")
}

func TestAFailureIsNotHiddenByALogThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.clients.Logs = mute{}
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("fail", true)
	_, err := w.bake()
	require.ErrorContains(t, err, "step ApplyBuildComponents: Document arn:component failed!\nthe log could not be read: AccessDenied")
}

func TestTwoRunsOfOneKeyAreOneBake(t *testing.T) {
	w := newWorld(t)
	commit := w.commit(map[string]string{"config.json": config("v1", "")})
	var group sync.WaitGroup
	results, errs := make([]bake.Result, 4), make([]error, 4)
	for i := range results {
		group.Go(func() { results[i], errs[i] = w.bakeAs(t.Context(), w.in("e-"+strconv.Itoa(i))) })
	}
	group.Wait()
	all := w.builds()
	require.Len(t, all, 1, strings.Join(w.lines, "\n"))
	for i, result := range results {
		require.NoError(t, errs[i])
		assert.Equal(t, all[0].AMIs["eu-central-1"], result.AMI)
		assert.Equal(t, all[0].Release, result.Release, "it is the release of the run that started it")
	}
	image, ok := w.aws.Image(results[0].AMI)
	require.True(t, ok)
	assert.Equal(t, all[0].Release, release.FromTags(image.Tags))
	_, message := w.amiID()
	assert.Equal(t, commit, release.FromMessage(message).ImageCommit)
}

func TestABakeOfADeadRunIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("wait", true)
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.bakeAs(ctx, w.in("e-1"))
		done <- err
	}()
	require.Eventually(t, func() bool { return w.said("image is BUILDING") }, patience, 10*time.Millisecond)
	kill()
	require.ErrorIs(t, <-done, context.Canceled)

	go func() {
		_, err := w.bakeAs(t.Context(), w.in("e-2"))
		done <- err
	}()
	require.Eventually(t, func() bool { return w.said("already, waiting for it") }, patience, 10*time.Millisecond)
	w.turn("wait", false)
	require.NoError(t, <-done)
	assert.Len(t, w.builds(), 1)
	_, message := w.amiID()
	assert.Equal(t, "e-1", release.FromMessage(message).Execution)
}

// untagged is EC2 for a run that is killed before it tags.
type untagged struct{ *ec2.Client }

func (untagged) CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error) {
	return nil, errors.New("killed")
}

func TestAnAMIThatWasNotTaggedIsTaggedByTheNextRun(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	real := w.clients.EC2.(*ec2.Client)
	w.clients.EC2 = untagged{real}
	_, err := w.bakeAs(t.Context(), w.in("e-1"))
	require.ErrorContains(t, err, "killed")
	w.clients.EC2 = real
	result, err := w.bakeAs(t.Context(), w.in("e-2"))
	require.NoError(t, err)
	assert.True(t, result.Reused)
	assert.Len(t, w.builds(), 1)
	image, ok := w.aws.Image(result.AMI)
	require.True(t, ok)
	assert.Equal(t, "e-1", image.Tags["Pipeline-Execution"], "the release is the one that the image was baked for")
	assert.Equal(t, result.Key, image.Tags[release.KeyImage])

	// What people have deregistered is baked again.
	require.NoError(t, w.aws.DeregisterImage(result.AMI))
	again := w.baked()
	assert.False(t, again.Reused)
	assert.NotEqual(t, result.AMI, again.AMI)
}

func TestABakeOfOtherContentComesAfterTheOneThatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("wait", true)
	type outcome struct {
		bake.Result
		error
	}
	done := make(chan outcome, 2)
	run := func(v vars.Bake) {
		result, err := w.bakeAs(t.Context(), v)
		done <- outcome{result, err}
	}
	go run(w.in("e-1"))
	require.Eventually(t, func() bool { return w.said("image is BUILDING") }, patience, 10*time.Millisecond)
	other := w.in("e-2")
	other.Recipe = "arn:recipe/2"
	go run(other)
	require.Eventually(t, func() bool { return w.said("a bake of other content") }, patience, 10*time.Millisecond)
	parameter, _ := w.aws.Parameter("/shop/dev/manifest")
	m, err := manifest.Parse(parameter.Value)
	require.NoError(t, err)
	assert.Equal(t, "e-1", m.Release.Execution, "the manifest of the bake that is under way stays")
	require.Len(t, w.builds(), 1)
	w.turn("wait", false)
	keys := map[string]string{}
	for range 2 {
		o := <-done
		require.NoError(t, o.error)
		keys[o.AMI] = o.Key
	}
	assert.Len(t, keys, 2)
	for ami, key := range keys {
		image, ok := w.aws.Image(ami)
		require.True(t, ok)
		assert.Equal(t, key, image.Tags[release.KeyImage])
	}
}

// forgetful is Image Builder whose lists show nothing for a while, as those of eventually consistent services may.
type forgetful struct {
	*imagebuilder.Client
	mu    sync.Mutex
	looks int
}

func (f *forgetful) ListImagePipelineImages(
	ctx context.Context, in *imagebuilder.ListImagePipelineImagesInput, options ...func(*imagebuilder.Options),
) (*imagebuilder.ListImagePipelineImagesOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looks--; f.looks >= 0 {
		return &imagebuilder.ListImagePipelineImagesOutput{}, nil
	}
	return f.Client.ListImagePipelineImages(ctx, in, options...)
}

func TestABakeThatIsNotInTheListsYetIsFoundByItsToken(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("wait", true)
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := w.bakeAs(ctx, w.in("e-1"))
		done <- err
	}()
	require.Eventually(t, func() bool { return w.said("image is BUILDING") }, patience, 10*time.Millisecond)
	kill()
	require.Error(t, <-done)
	w.turn("wait", false)

	w.clients.ImageBuilder = &forgetful{Client: w.clients.ImageBuilder.(*imagebuilder.Client), looks: 1}
	result, err := w.bakeAs(t.Context(), w.in("e-2"))
	require.NoError(t, err)
	assert.True(t, w.said("another run has started a bake"))
	assert.Equal(t, "e-1", result.Release.Execution)
	assert.Len(t, w.builds(), 1)
}

func TestAFailedBakeThatTheTokenStillNamesIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.commit(map[string]string{"config.json": config("v1", "")})
	w.turn("fail", true)
	_, err := w.bake()
	require.Error(t, err)
	w.turn("fail", false)
	time.Sleep(2100 * time.Millisecond) // builds are dated to the second
	w.clients.ImageBuilder = &forgetful{Client: w.clients.ImageBuilder.(*imagebuilder.Client), looks: 1}
	_, err = w.bake()
	require.NoError(t, err)
	assert.True(t, w.said("of an earlier run is FAILED, starting another"))
}

func TestEveryPageOfBuildsIsRead(t *testing.T) {
	w := newWorld(t)
	client := w.clients.ImageBuilder.(*imagebuilder.Client)
	const many = 60
	for i := range many {
		_, err := client.StartImagePipelineExecution(t.Context(), &imagebuilder.StartImagePipelineExecutionInput{
			ImagePipelineArn: &w.vars.ImagePipeline, ClientToken: aws.String(strconv.Itoa(i)),
		})
		require.NoError(t, err)
	}
	all := w.builds()
	assert.Len(t, all, many)
	seen := map[string]bool{}
	for _, b := range all {
		seen[b.ARN] = true
		assert.Empty(t, b.Key)
	}
	assert.Len(t, seen, many)
	require.Eventually(t, func() bool {
		for _, b := range w.builds() {
			if b.Status != types.ImageStatusAvailable {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond)
}
