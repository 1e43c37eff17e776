package bake

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image is an image that goes through its states as time passes, on a clock of its own.
type image struct {
	now    time.Time
	begin  time.Time
	states []types.ImageStatus // one each minute
	looks  int
}

func (i *image) GetImage(context.Context, *imagebuilder.GetImageInput, ...func(*imagebuilder.Options)) (*imagebuilder.GetImageOutput, error) {
	i.looks++
	n := min(int(i.now.Sub(i.begin)/time.Minute), len(i.states)-1)
	return &imagebuilder.GetImageOutput{Image: &types.Image{State: &types.ImageState{Status: i.states[n], Reason: aws.String("because")}}}, nil
}

func (i *image) waiter(seen *[]string) Waiter {
	i.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	i.begin = i.now
	return Waiter{
		Client: i, MinDelay: time.Second, MaxDelay: 20 * time.Second, MaxWait: time.Hour,
		Now: func() time.Time { return i.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			i.now = i.now.Add(d)
			return ctx.Err()
		},
		Progress: func(state string, _ time.Duration) {
			if len(*seen) == 0 || (*seen)[len(*seen)-1] != state {
				*seen = append(*seen, state)
			}
		},
	}
}

func TestWaitSeesEveryState(t *testing.T) {
	var seen []string
	i := &image{states: []types.ImageStatus{types.ImageStatusPending, types.ImageStatusBuilding, types.ImageStatusTesting, types.ImageStatusAvailable}}
	got, err := i.waiter(&seen).Wait(t.Context(), "arn")
	require.NoError(t, err)
	assert.Equal(t, types.ImageStatusAvailable, got.State.Status)
	assert.Equal(t, []string{"PENDING", "BUILDING", "TESTING", "AVAILABLE"}, seen)
	assert.Less(t, i.looks, 30, "the pauses grow")
}

func TestWaitEndsWithTheImage(t *testing.T) {
	for _, state := range []types.ImageStatus{
		types.ImageStatusFailed, types.ImageStatusCancelled, types.ImageStatusDeleted, types.ImageStatusDeprecated, types.ImageStatusDisabled,
	} {
		var seen []string
		i := &image{states: []types.ImageStatus{types.ImageStatusBuilding, state}}
		_, err := i.waiter(&seen).Wait(t.Context(), "arn")
		var failed *FailedError
		require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &failed)
		assert.Equal(t, FailedError{ARN: "arn", State: string(state), Reason: "because"}, *failed)
		assert.Contains(t, failed.Hint(), "CloudWatch")
	}
}

func TestWaitGivesUp(t *testing.T) {
	var seen []string
	i := &image{states: []types.ImageStatus{types.ImageStatusTesting}}
	_, err := i.waiter(&seen).Wait(t.Context(), "arn")
	var timeout *TimeoutError
	require.ErrorAs(t, err, &timeout)
	assert.Equal(t, "TESTING", timeout.State)
	assert.LessOrEqual(t, timeout.Waited, time.Hour)
	assert.ErrorContains(t, err, "baking arn: still TESTING after")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = i.waiter(&seen).Wait(ctx, "arn")
	require.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, "which was TESTING")
}

type broken struct{ out *imagebuilder.GetImageOutput }

func (b broken) GetImage(context.Context, *imagebuilder.GetImageInput, ...func(*imagebuilder.Options)) (*imagebuilder.GetImageOutput, error) {
	if b.out == nil {
		return nil, errors.New("AccessDenied")
	}
	return b.out, nil
}

func TestWaitReportsTheAPI(t *testing.T) {
	var seen []string
	w := new(image).waiter(&seen)
	w.Client = broken{}
	_, err := w.Wait(t.Context(), "arn")
	require.ErrorContains(t, err, "looking at arn: AccessDenied")
	w.Client = broken{&imagebuilder.GetImageOutput{}}
	_, err = w.Wait(t.Context(), "arn")
	require.ErrorContains(t, err, "no image state")
}
