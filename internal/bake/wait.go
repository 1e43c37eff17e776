package bake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"

	"github.com/tekpossible/ha-devops/internal/bake/builds"
)

// ImageGetter is what Waiter needs of Image Builder.
type ImageGetter interface {
	GetImage(context.Context, *imagebuilder.GetImageInput, ...func(*imagebuilder.Options)) (*imagebuilder.GetImageOutput, error)
}

// Waiter waits until Image Builder has made an image; the SDK has no waiter for it. Every field must be set.
type Waiter struct {
	Client ImageGetter
	// MinDelay is the first pause between two looks, MaxDelay the longest; they double in between, with jitter.
	MinDelay, MaxDelay time.Duration
	// MaxWait is when to give up, after which a TimeoutError is returned.
	MaxWait time.Duration
	Now     func() time.Time
	// Sleep waits and returns the context's error when that ends first.
	Sleep func(context.Context, time.Duration) error
	// Progress is told the state at every look.
	Progress func(state string, waited time.Duration)
}

// TimeoutError says that the wait took too long; the bake goes on.
type TimeoutError struct {
	ARN, State string
	Waited     time.Duration
}

// Error names the last state.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("baking %s: still %s after %s", e.ARN, e.State, e.Waited.Round(time.Second))
}

// Hint says where the log is, and that waiting again is possible.
func (e *TimeoutError) Hint() string {
	return "the bake goes on; run the pipeline again to wait for it. " + whereToLook(e.ARN)
}

// Wait returns the image when it is available. Its errors are *FailedError, *TimeoutError, the context's and the API's.
func (w Waiter) Wait(ctx context.Context, arn string) (*types.Image, error) {
	begin := w.Now()
	for delay := w.MinDelay; ; delay = min(2*delay, w.MaxDelay) {
		image, err := w.look(ctx, arn)
		waited := w.Now().Sub(begin)
		var state string
		if image != nil {
			state = string(image.State.Status)
			w.Progress(state, waited)
		}
		if err != nil || image.State.Status == types.ImageStatusAvailable {
			return image, err
		}
		// Jitter keeps several bakes of one account from asking in step.
		pause := delay/2 + rand.N(delay/2+1)
		if waited+pause > w.MaxWait {
			return nil, &TimeoutError{ARN: arn, State: state, Waited: waited}
		}
		if err := w.Sleep(ctx, pause); err != nil {
			return nil, fmt.Errorf("waiting for %s, which was %s: %w", arn, state, err)
		}
	}
}

// look returns the image as it is; one that will never be available comes with a *FailedError.
func (w Waiter) look(ctx context.Context, arn string) (*types.Image, error) {
	out, err := w.Client.GetImage(ctx, &imagebuilder.GetImageInput{ImageBuildVersionArn: &arn})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", arn, err)
	}
	if out.Image == nil || out.Image.State == nil {
		return nil, fmt.Errorf("looking at %s: %w", arn, errors.New("the answer has no image state"))
	}
	if builds.Failed(out.Image.State.Status) {
		return out.Image, &FailedError{ARN: arn, State: string(out.Image.State.Status), Reason: aws.ToString(out.Image.State.Reason)}
	}
	return out.Image, nil
}
