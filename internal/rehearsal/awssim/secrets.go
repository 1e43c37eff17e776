package awssim

import (
	"crypto/sha256"
	"encoding/hex"
)

// SetSecret creates a secret or replaces its value, and returns its ARN. Without a value there is nothing to get from it,
// as in Secrets Manager between creating a secret and putting its first value.
func (a *Account) SetSecret(name, value string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.secrets[name] = value
	return a.secretARN(name)
}

// DeleteSecret deletes a secret by name, if there is one.
func (a *Account) DeleteSecret(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.secrets, name)
}

// secretARN ends in six characters that Secrets Manager chooses; here they follow from the name, so that it stays the same.
func (a *Account) secretARN(name string) string {
	sum := sha256.Sum256([]byte(name))
	return a.arn("secretsmanager", "secret:"+name+"-"+hex.EncodeToString(sum[:3]))
}

func (a *Account) secretsActions() map[string]JSONAction {
	type getSecretValue struct{ SecretId string }
	return map[string]JSONAction{
		"GetSecretValue": decoding(func(in getSecretValue) (any, error) {
			if a.isDenied("secretsmanager:GetSecretValue") {
				return nil, refuse("AccessDeniedException", "not authorized to perform: secretsmanager:GetSecretValue on %s", in.SecretId)
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			for name, value := range a.secrets {
				if in.SecretId != name && in.SecretId != a.secretARN(name) {
					continue
				}
				if value == "" {
					return nil, refuse("ResourceNotFoundException", "the secret %q has no value yet", name)
				}
				return map[string]any{
					"ARN": a.secretARN(name), "Name": name, "SecretString": value, "VersionStages": []string{"AWSCURRENT"},
				}, nil
			}
			return nil, refuse("ResourceNotFoundException", "there is no secret %q", in.SecretId)
		}),
	}
}
