package awssim

import "strings"

// Key is a key of KMS.
type Key struct {
	// State is Enabled, Disabled, PendingDeletion or another of KMS's words.
	State string
}

// PutKey makes or changes a key by its ARN.
func (a *Account) PutKey(arn string, k Key) { set(&a.around, &a.around.keys, arn, k) }

// DeleteKey deletes a key by its ARN.
func (a *Account) DeleteKey(arn string) { drop(&a.around, &a.around.keys, arn) }

// keysActions are those of KMS (API Reference of AWS Key Management Service).
func (a *Account) keysActions() map[string]JSONAction {
	type describeKey struct{ KeyId string }
	return map[string]JSONAction{
		"DescribeKey": Taught(func(caller string, in describeKey) (any, error) {
			if a.isDenied("kms:DescribeKey") {
				return nil, refuse("AccessDeniedException", "User: %s is not authorized to perform: kms:DescribeKey on resource: %s", caller, in.KeyId)
			}
			a.around.mu.Lock()
			defer a.around.mu.Unlock()
			key, ok := a.around.keys[in.KeyId]
			if !ok {
				return nil, refuse("NotFoundException", "Key '%s' does not exist", in.KeyId)
			}
			return map[string]any{"KeyMetadata": map[string]any{
				"Arn": in.KeyId, "AWSAccountId": a.opts.AccountID, "KeyId": in.KeyId[strings.LastIndex(in.KeyId, "/")+1:],
				"Enabled": key.State == "Enabled", "KeyState": key.State,
			}}, nil
		}),
	}
}
