// Package awsconfig is the one place that loads the AWS SDK's configuration, so that every call has the same region rules,
// retries and timeouts: those of package retry, carried out by the SDK's own retryer, which knows what of AWS may be tried again and
// jitters fully. Credentials, profiles and a private endpoint (AWS_ENDPOINT_URL) are the SDK's own business. The
// services' clients are made where they are used.
package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// loadTimeout is for the files and, on a machine without a region, the instance metadata service.
const loadTimeout = 15 * time.Second

// Load returns the SDK's configuration: the region comes from the environment (AWS_REGION), the shared configuration, or
// the instance metadata service. Without any it is an error.
func Load(ctx context.Context) (aws.Config, error) {
	cfg, err := Find(ctx)
	if err == nil && cfg.Region == "" {
		err = errors.New("loading the AWS configuration: no region; set AWS_REGION")
	}
	return cfg, err
}

// In is Load for a region that is known, whatever the environment says.
func In(ctx context.Context, region string) (aws.Config, error) {
	return load(ctx, config.WithRegion(region))
}

// Find is Load for those who can do without a region.
func Find(ctx context.Context) (aws.Config, error) { return load(ctx, config.WithEC2IMDSRegion()) }

func load(ctx context.Context, region config.LoadOptionsFunc) (aws.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = retry.DialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = retry.AnswerTimeout })
	cfg, err := config.LoadDefaultConfig(ctx,
		region,
		config.WithHTTPClient(client),
		// It would write to standard error what is no business of those who read it: that a connection cannot be used again.
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer {
			policy := retry.Call()
			return awsretry.NewStandard(func(o *awsretry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = policy.Tries, policy.Most
			})
		}),
	)
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w; set AWS_REGION, or AWS_PROFILE to a profile that exists", err)
	}
	return cfg, nil
}
