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

// FailedError says that Image Builder ended without an image.
type FailedError struct{ ARN, State, Reason string }

// Error names state, reason and image.
func (e *FailedError) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = "no reason given"
	}
	return fmt.Sprintf("baking %s: %s: %s", e.ARN, e.State, reason)
}

// Hint says where the log is.
func (e *FailedError) Hint() string { return whereToLook }

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
	return whereToLook + "; the bake goes on, and running the same pipeline execution's bake again waits for it"
}

// Image Builder's own log group: https://docs.aws.amazon.com/imagebuilder/latest/userguide/monitor-cwlogs.html
const whereToLook = "open the image in the EC2 Image Builder console; its log is in CloudWatch Logs, group /aws/imagebuilder/<recipe name>"

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
	switch out.Image.State.Status {
	case types.ImageStatusFailed, types.ImageStatusCancelled, types.ImageStatusDeprecated, types.ImageStatusDeleted, types.ImageStatusDisabled:
		return out.Image, &FailedError{ARN: arn, State: string(out.Image.State.Status), Reason: aws.ToString(out.Image.State.Reason)}
	}
	return out.Image, nil
}
