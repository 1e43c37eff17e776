// Package outputs reads a stack's outputs from the state in a self-managed backend: one file, without the Pulumi CLI, without a lock
// and without the key of the stack's secrets, which no output of ours is.
package outputs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/tekpossible/ha-devops/internal/statefiles"
)

// rootType is the type of the resource whose outputs are the stack's.
const rootType = "pulumi:pulumi:Stack"

// Of returns the outputs of a stack that are strings, and whether the stack exists. It is an error when the backend keeps its state to
// itself, as Pulumi Cloud does. The file is a checkpoint (pulumi/pulumi, sdk/go/common/apitype, VersionedCheckpoint); while an update
// runs it has the outputs of the one before.
func Of(ctx context.Context, backend, project, stack string, objects statefiles.Objects) (map[string]string, bool, error) {
	files, err := statefiles.Open(backend, objects)
	if err != nil {
		return nil, false, err
	}
	if files == nil {
		return nil, false, fmt.Errorf("the state in %s can be read with the Pulumi CLI alone; pulumi stack output --stack %s shows it", backend, stack)
	}
	key := path.Join(".pulumi/stacks", project, stack+".json")
	content, err := files.Read(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the state %s in %s: %w", key, backend, err)
	}
	found, err := parse(content)
	if err != nil {
		return nil, false, fmt.Errorf("state %s in %s: %w", key, backend, err)
	}
	return found, true, nil
}

func parse(content []byte) (map[string]string, error) {
	var state struct {
		Checkpoint struct {
			Latest struct {
				Resources []struct {
					Type    string         `json:"type"`
					Outputs map[string]any `json:"outputs"`
				} `json:"resources"`
			} `json:"latest"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(content, &state); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, resource := range state.Checkpoint.Latest.Resources {
		if resource.Type != rootType {
			continue
		}
		for name, value := range resource.Outputs {
			if text, ok := value.(string); ok {
				found[name] = text
			}
		}
	}
	return found, nil
}
