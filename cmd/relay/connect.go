package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// connectGitHub returns a client with the credentials from Secrets Manager.
func connectGitHub(ctx context.Context, cfg aws.Config, v vars.GitHub) (*github.Client, error) {
	credentials, err := github.Fetch(ctx, secretsmanager.NewFromConfig(cfg), v.Secret)
	if err != nil {
		return nil, err
	}
	return credentials.Client(v.API, v.Owner)
}
