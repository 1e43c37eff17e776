package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/opthistory"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// State is what is known of a stack's state.
type State struct {
	// Digest is the SHA-256 of the resources in it, in hex. It changes when any resource does, and stays when a run changed nothing but
	// the time of the last run.
	Digest string
	// Outputs are the stack's outputs that are strings.
	Outputs map[string]string
	// Update is when the last finished update began, empty when there was none. An update that was killed leaves no trace here.
	Update string
	// Message is what that update was given as its message.
	Message string
	// Resources are those in it. Pending are those whose creation began and was cut short: nobody knows whether they were made.
	Resources, Pending []Resource
}

// Resource is a resource as the state knows it. ID is empty for components and for what is pending.
type Resource struct{ URN, Type, ID string }

// Settle looks at the stack's state before a run with a plan. The runs that follow encrypt with the key of the state: a new workspace
// would otherwise make a key of its own, with which no other could read the secrets in its plan.
func (s *Stack) Settle(ctx context.Context) (State, error) {
	var found State
	exported, err := s.auto.Export(ctx)
	if err != nil {
		return found, fmt.Errorf("export of stack %s: %w", s.auto.Name(), cause(err, nil))
	}
	var state struct {
		Resources []map[string]any `json:"resources"`
		Pending   []map[string]any `json:"pending_operations"`
	}
	var secrets struct {
		Provider *apitype.SecretsProvidersV1 `json:"secrets_providers"`
	}
	for _, into := range []any{&state, &secrets} {
		if err := json.Unmarshal(exported.Deployment, into); err != nil {
			return found, fmt.Errorf("state of stack %s: %w", s.auto.Name(), err)
		}
	}
	if secrets.Provider != nil {
		if err := s.adopt(ctx, *secrets.Provider); err != nil {
			return found, fmt.Errorf("state of stack %s: %w", s.auto.Name(), err)
		}
	}
	for _, resource := range state.Resources {
		delete(resource, "created")
		delete(resource, "modified")
		if resource["type"] == rootType {
			outputs, _ := resource["outputs"].(map[string]any)
			found.Outputs = texts(outputs)
		}
		found.Resources = append(found.Resources, resourceOf(resource))
	}
	for _, operation := range state.Pending {
		if resource, _ := operation["resource"].(map[string]any); operation["type"] == string(apitype.OperationTypeCreating) {
			found.Pending = append(found.Pending, resourceOf(resource))
		}
	}
	canonical, err := json.Marshal(state)
	if err != nil {
		return found, err
	}
	sum := sha256.Sum256(canonical)
	found.Digest = hex.EncodeToString(sum[:])
	// Nothing secret is looked for; to show what is, Pulumi would derive the passphrase's key, which takes it longer than all the rest.
	last, err := s.auto.History(ctx, 1, 1, opthistory.ShowSecrets(false))
	if err != nil {
		return found, fmt.Errorf("history of stack %s: %w", s.auto.Name(), cause(err, nil))
	}
	if len(last) > 0 {
		found.Update, found.Message = last[0].StartTime, last[0].Message
		// The Automation API quotes it on its way to the CLI.
		if plain, err := strconv.Unquote(found.Message); err == nil {
			found.Message = plain
		}
	}
	return found, nil
}

func resourceOf(entry map[string]any) Resource {
	return Resource{URN: text(entry["urn"]), Type: text(entry["type"]), ID: text(entry["id"])}
}

// Forget takes what is pending out of the state, all of it, as Pulumi does when a state is imported. Secrets stay encrypted on the way.
// Nobody else must be updating the stack: Pulumi locks it for the import alone.
func (s *Stack) Forget(ctx context.Context) error {
	state, err := s.command(ctx, nil, "stack", "export")
	if err == nil {
		_, err = s.command(ctx, strings.NewReader(state), "stack", "import")
	}
	if err != nil {
		return fmt.Errorf("taking pending operations out of the state of stack %s: %w", s.auto.Name(), err)
	}
	return nil
}

// command runs the CLI on the stack and returns what it writes to its standard output.
func (s *Stack) command(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	w := s.auto.Workspace()
	var env []string
	for key, value := range w.GetEnvVars() {
		env = append(env, key+"="+value)
	}
	stdout, stderr, _, err := w.PulumiCommand().Run(ctx, w.WorkDir(), stdin, nil, nil, env, append(args, "--stack", s.auto.Name())...)
	switch {
	case err == nil:
		return stdout, nil
	case strings.Contains(stderr, "the stack is currently locked by"):
		return "", ErrLocked
	}
	return "", cause(err, []string{stderr})
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

// OutputsOf are the outputs, as far as they are strings, of another stack of the same project and backend. A stack that does not exist
// has none.
func (s *Stack) OutputsOf(ctx context.Context, name string) (map[string]string, error) {
	stacks, err := s.auto.Workspace().ListStacks(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the stacks beside %s: %w", s.auto.Name(), cause(err, nil))
	}
	for _, summary := range stacks {
		if summary.Name != name {
			continue
		}
		outputs, err := s.auto.Workspace().StackOutputs(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("outputs of stack %s: %w", name, cause(err, nil))
		}
		return plainOutputs(outputs), nil
	}
	return nil, nil
}

func plainOutputs(outputs auto.OutputMap) map[string]string {
	out := map[string]string{}
	for key, output := range outputs {
		if s, ok := output.Value.(string); ok && !output.Secret {
			out[key] = s
		}
	}
	return out
}
