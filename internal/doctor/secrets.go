package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// secretsKey wants a key that encrypts now, in the environment's account and region (AWS Key Management Service Developer Guide, "Key
// states of AWS KMS keys").
func (s Subject) secretsKey(ctx context.Context) Result {
	file := "Pulumi." + s.Environment + ".yaml"
	if s.SecretsKey == "" {
		result := note("none is configured: a passphrase encrypts the stack's secrets")
		if _, bucket, _ := s.backend(); bucket != "" {
			result.Fix = "make one as step 2 of docs/bootstrap.md says, pulumi stack change-secrets-provider awskms:///<ARN of the key>, and set secretsKey in " + file
		}
		return result
	}
	where, err := arn.Parse(s.SecretsKey)
	switch {
	case err != nil:
		return problem(fmt.Sprintf("%s is no ARN", s.SecretsKey), "mend secretsKey in "+file)
	case where.AccountID != s.Account || where.Region != s.Region:
		return problem(fmt.Sprintf("%s is in account %s and region %s, %s is in %s and %s", s.SecretsKey, where.AccountID, where.Region, s.Environment, s.Account, s.Region),
			"make a key there as step 2 of docs/bootstrap.md says, and mend secretsKey in "+file)
	}
	out, err := kms.NewFromConfig(s.Cloud).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &s.SecretsKey})
	switch {
	case code(err) == "NotFoundException":
		return problem("there is no key "+s.SecretsKey, "make it as step 2 of docs/bootstrap.md says, or mend secretsKey in "+file)
	case err != nil:
		return asked(err)
	}
	// These commands take no alias.
	key := aws.ToString(out.KeyMetadata.Arn)
	enable := "aws kms enable-key --key-id " + key
	found := fmt.Sprintf("key %s is %s: the stack's secrets can be neither read nor written", s.SecretsKey, out.KeyMetadata.KeyState)
	switch out.KeyMetadata.KeyState {
	case types.KeyStateEnabled:
		return ok("%s, enabled", s.SecretsKey)
	case types.KeyStateDisabled:
		return problem(found, enable)
	case types.KeyStatePendingDeletion:
		return problem(found, "aws kms cancel-key-deletion --key-id "+key+", then "+enable)
	}
	return problem(found, fmt.Sprintf("see the key at https://%s.console.aws.amazon.com/kms/home", s.Region))
}
