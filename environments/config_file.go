package environments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// ReadFile reads and validates a stack's configuration from Pulumi.<stack>.yaml in a folder, without Pulumi's engine: for commands
// that need to know what an environment is called. Its errors are those of ReadConfig; one wraps fs.ErrNotExist when there is no file.
func ReadFile(dir string, profile Profile) (Config, error) {
	path := filepath.Join(dir, file(profile))
	// Pulumi's loader takes a file that is not there for an empty one.
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("%w; run in a checkout of the devops repository, or name it with --config", err)
	}
	stack, err := workspace.LoadProjectStack(nil, &workspace.Project{Name: tokens.PackageName(Project)}, path)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return ReadConfig(profile, func(key string) (string, bool) {
		value, ok := stack.Config[config.MustMakeKey(Project, key)]
		if !ok {
			return "", false
		}
		// Nothing that is asked for is a secret: what is encrypted is refused like any other wrong value.
		text, err := value.Value(config.NopDecrypter)
		return text, err == nil
	})
}
