package awssim_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

func TestParameters(t *testing.T) {
	w := newWorld(t)
	ctx, client := t.Context(), ssm.NewFromConfig(w.config)
	_, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/shop/dev/manifest")})
	var none *types.ParameterNotFound
	require.ErrorAs(t, err, &none)

	require.NoError(t, w.SetParameter(awssim.Parameter{Name: "/shop/dev/manifest", Value: "{}"}))
	input := &ssm.PutParameterInput{Name: aws.String("/shop/dev/manifest"), Value: aws.String(`{"a":1}`)}
	_, err = client.PutParameter(ctx, input)
	var exists *types.ParameterAlreadyExists
	require.ErrorAs(t, err, &exists)
	input.Overwrite = aws.Bool(true)
	written, err := client.PutParameter(ctx, input)
	require.NoError(t, err)
	assert.EqualValues(t, 2, written.Version)

	p, ok := w.Parameter("/shop/dev/manifest")
	require.True(t, ok)
	assert.Equal(t, awssim.Parameter{Name: "/shop/dev/manifest", Type: "String", Value: `{"a":1}`, Tier: "Standard"}, p)
	got, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/shop/dev/manifest")})
	require.NoError(t, err)
	assert.Equal(t, `{"a":1}`, *got.Parameter.Value)
	assert.Equal(t, "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/dev/manifest", *got.Parameter.ARN)
	assert.NotZero(t, got.Parameter.LastModifiedDate)

	both, err := client.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"/shop/dev/manifest", "/none"}})
	require.NoError(t, err)
	require.Len(t, both.Parameters, 1)
	assert.Equal(t, []string{"/none"}, both.InvalidParameters)

	require.NoError(t, w.DeleteParameter("/shop/dev/manifest"))
	require.Error(t, w.DeleteParameter("/shop/dev/manifest"))
}

func TestParameterLimits(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 4097)
	require.ErrorContains(t, w.SetParameter(awssim.Parameter{Name: "p", Value: long}), "4096")
	require.NoError(t, w.SetParameter(awssim.Parameter{Name: "p", Value: long, Tier: "Advanced"}))
	require.Error(t, w.SetParameter(awssim.Parameter{Name: "p", Value: ""}))
}

func TestSecureParameterNeedsDecryption(t *testing.T) {
	w := newWorld(t)
	client := ssm.NewFromConfig(w.config)
	require.NoError(t, w.SetParameter(awssim.Parameter{Name: "p", Type: "SecureString", Value: "open sesame"}))
	for decrypt, want := range map[bool]bool{true: true, false: false} {
		got, err := client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("p"), WithDecryption: &decrypt})
		require.NoError(t, err)
		assert.Equal(t, want, *got.Parameter.Value == "open sesame")
	}
}

func TestSecrets(t *testing.T) {
	w := newWorld(t)
	client := secretsmanager.NewFromConfig(w.config)
	value := func(id string) (string, error) {
		got, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", err
		}
		return *got.SecretString, nil
	}
	arn := w.SetSecret("github-token", "")
	_, err := value(arn)
	assert.Equal(t, "ResourceNotFoundException", code(t, err))

	assert.Equal(t, arn, w.SetSecret("github-token", "s3cret"), "the ARN stays")
	for _, id := range []string{arn, "github-token"} {
		got, err := value(id)
		require.NoError(t, err)
		assert.Equal(t, "s3cret", got)
	}
	w.DeleteSecret("github-token")
	_, err = value(arn)
	assert.Equal(t, "ResourceNotFoundException", code(t, err))
	assert.NotContains(t, err.Error(), "s3cret")
}
