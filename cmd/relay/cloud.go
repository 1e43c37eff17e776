package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/buildlog"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/outputs"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/statelock"
	"github.com/tekpossible/ha-devops/pipelines"
)

const cloudHelp = "AWS is asked with your own credentials, as the aws command is, in the account and region of Pulumi.ENV.yaml.\n\n"

// cloud is an environment's account, as the person with their own credentials sees it.
type cloud struct {
	*operator
	cfg aws.Config
	// caller is the ARN of who asks.
	caller string
}

// cloud connects to the environment's account and makes sure that it is that one.
func (o *operator) cloud(ctx context.Context) (*cloud, error) {
	cfg, err := awsconfig.In(ctx, o.config.Region)
	if err != nil {
		return nil, err
	}
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, &credentialsError{fmt.Errorf("asking AWS who you are, for %s: %w", o.profile.Environment, err)}
	}
	if account := aws.ToString(me.Account); account != o.config.Account {
		return nil, &credentialsError{fmt.Errorf("your AWS credentials are for account %s, and %s is in account %s", account, o.profile.Environment, o.config.Account)}
	}
	return &cloud{operator: o, cfg: cfg, caller: aws.ToString(me.Arn)}, nil
}

// credentialsError is an account that cannot be entered.
type credentialsError struct{ error }

func (e *credentialsError) Unwrap() error { return e.error }

// Hint says how to enter it.
func (e *credentialsError) Hint() string {
	return "set AWS_PROFILE to a profile for that account; aws sso login renews credentials that have expired"
}

func (o *operator) facts() pipelines.Facts { return o.config.Facts(o.profile) }

func (c *cloud) s3() *s3.Client { return s3.NewFromConfig(c.cfg) }

func (c *cloud) pipelines() *codepipeline.Client { return codepipeline.NewFromConfig(c.cfg) }

func (c *cloud) approvals() approval.Pipeline {
	return approval.Pipeline{
		API: c.pipelines(), Name: c.facts().Pipeline(pipelines.Infrastructure), Review: pipelines.ReviewAction, Approve: pipelines.ApproveAction,
	}
}

func (c *cloud) records() deployment.Records {
	return deployment.Records{S3: c.s3(), Bucket: c.facts().Bucket(), Environment: c.profile.Environment}
}

func (c *cloud) locks() (statelock.Locks, error) {
	return statelock.Of(c.config.Backend, environments.Project, c.profile.Environment, c.s3())
}

func (c *cloud) owners() owner.Owners { return owner.Owners{Builds: codebuild.NewFromConfig(c.cfg)} }

func (c *cloud) failures() buildlog.Reader {
	return buildlog.Reader{Builds: codebuild.NewFromConfig(c.cfg), Logs: cloudwatchlogs.NewFromConfig(c.cfg)}
}

// outputs are those of the environment's stack; none while there is no stack.
func (c *cloud) outputs(ctx context.Context) (map[string]string, error) {
	found, _, err := outputs.Of(ctx, c.config.Backend, environments.Project, c.profile.Environment, c.s3())
	return found, err
}

// once asks something once, however many want to know.
func once[T any](ctx context.Context, ask func(context.Context) (T, error)) func() (T, error) {
	return sync.OnceValues(func() (T, error) { return ask(ctx) })
}
