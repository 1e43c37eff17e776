package github

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Secrets is what Token needs of Secrets Manager.
type Secrets interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Token fetches the token, which is the secret's whole text. It appears in no error.
func Token(ctx context.Context, secrets Secrets, arn string) (string, error) {
	out, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", fmt.Errorf("fetching the GitHub token from the secret %s: %w", arn, err)
	}
	token := strings.TrimSpace(aws.ToString(out.SecretString))
	if token == "" || strings.ContainsAny(token, " \t\r\n{") {
		return "", fmt.Errorf("fetching the GitHub token from the secret %s: it does not hold a token; expected the token alone, as plain text", arn)
	}
	return token, nil
}
