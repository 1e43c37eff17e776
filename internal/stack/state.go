package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// Settle looks at the stack's state before a run with a plan. It returns the SHA-256 of the resources in it, in hex, which changes when
// any resource does, and stays when a run changed nothing but the time of the last run. The runs that follow encrypt with the key of
// the state: a new workspace would otherwise make a key of its own, with which no other could read the secrets in its plan.
func (s *Stack) Settle(ctx context.Context) (digest string, err error) {
	exported, err := s.auto.Export(ctx)
	if err != nil {
		return "", fmt.Errorf("export of stack %s: %w", s.auto.Name(), cause(err, nil))
	}
	var state struct {
		Resources []map[string]any `json:"resources"`
		Pending   []any            `json:"pending_operations"`
	}
	var secrets struct {
		Provider *apitype.SecretsProvidersV1 `json:"secrets_providers"`
	}
	for _, into := range []any{&state, &secrets} {
		if err := json.Unmarshal(exported.Deployment, into); err != nil {
			return "", fmt.Errorf("state of stack %s: %w", s.auto.Name(), err)
		}
	}
	if secrets.Provider != nil {
		if err := s.adopt(ctx, *secrets.Provider); err != nil {
			return "", fmt.Errorf("state of stack %s: %w", s.auto.Name(), err)
		}
	}
	for _, resource := range state.Resources {
		delete(resource, "created")
		delete(resource, "modified")
	}
	canonical, err := json.Marshal(state)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// adopt writes how the state's secrets are encrypted into the workspace's settings, as they stand in Pulumi.<stack>.yaml.
func (s *Stack) adopt(ctx context.Context, provider apitype.SecretsProvidersV1) error {
	settings, err := s.auto.Workspace().StackSettings(ctx, s.auto.Name())
	if err != nil {
		return err
	}
	var key struct {
		Salt         string `json:"salt"`
		URL          string `json:"url"`
		EncryptedKey string `json:"encryptedkey"`
	}
	if err := json.Unmarshal(provider.State, &key); err != nil {
		return fmt.Errorf("secrets provider %s: %w", provider.Type, err)
	}
	settings.EncryptionSalt, settings.SecretsProvider, settings.EncryptedKey = key.Salt, key.URL, key.EncryptedKey
	return s.auto.Workspace().SaveStackSettings(ctx, s.auto.Name(), settings)
}
