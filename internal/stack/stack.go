// Package stack runs the Pulumi program on a stack through the Automation API: preview with a saved plan, update with that plan,
// and a look at the state. It is the only package that knows how Pulumi is run; what the program does is not its concern.
package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// Options say which stack is run, and how.
type Options struct {
	// Project and Name are the Pulumi project and the stack.
	Project string
	Name    string
	// Backend is the URL of the Pulumi backend.
	Backend string
	// SecretsKey is the ARN of the KMS key for the stack's secrets; without one a passphrase is used, by default an empty one.
	SecretsKey string
	// Config is the stack's configuration by key, without the project's namespace.
	Config map[string]string
	// Env are environment variables for the Pulumi CLI, beside the process's own.
	Env map[string]string
	// Dir is an empty directory to work in.
	Dir string
	// Program is the Pulumi program.
	Program pulumi.RunFunc
	// Progress receives Pulumi's own output.
	Progress io.Writer
}

// Stack is a stack that can be run. A stack that does not exist yet is created when it is opened.
type Stack struct {
	auto     auto.Stack
	progress io.Writer
}

// Open selects the stack, and creates it where there is none.
func Open(ctx context.Context, o Options) (*Stack, error) {
	values := config.Map{}
	for key, value := range o.Config {
		values[config.MustMakeKey(o.Project, key)] = config.NewValue(value)
	}
	env := map[string]string{"PULUMI_BACKEND_URL": o.Backend, "PULUMI_SKIP_UPDATE_CHECK": "true"}
	provider := "passphrase"
	if o.SecretsKey != "" {
		provider = "awskms:///" + o.SecretsKey
	} else if _, set := os.LookupEnv("PULUMI_CONFIG_PASSPHRASE_FILE"); !set {
		env["PULUMI_CONFIG_PASSPHRASE"] = os.Getenv("PULUMI_CONFIG_PASSPHRASE")
	}
	for key, value := range o.Env {
		env[key] = value
	}
	cli, err := command()
	if err != nil {
		return nil, err
	}
	made, err := auto.UpsertStackInlineSource(ctx, o.Name, o.Project, o.Program,
		auto.Pulumi(cli),
		auto.WorkDir(o.Dir),
		auto.EnvVars(env),
		auto.SecretsProvider(provider),
		auto.Project(workspace.Project{
			Name: tokens.PackageName(o.Project), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: o.Backend},
		}),
		auto.Stacks(map[string]workspace.ProjectStack{o.Name: {Config: values}}))
	if err != nil {
		return nil, fmt.Errorf("opening stack %s of %s: %w", o.Name, o.Backend, cause(err, nil))
	}
	return &Stack{auto: made, progress: o.Progress}, nil
}

// command is the Pulumi CLI on PATH. It is asked for its version once.
var command = sync.OnceValues(func() (auto.PulumiCommand, error) {
	cli, err := auto.NewPulumiCommand(nil)
	if err != nil {
		return nil, fmt.Errorf("looking for the Pulumi CLI on PATH: %w", err)
	}
	return cli, nil
})

// Preview computes what an update would do, and saves the plan to a file when its name is not empty.
func (s *Stack) Preview(ctx context.Context, planFile string) (preview.Preview, error) {
	options := []optpreview.Option{optpreview.Color("never"), optpreview.SuppressProgress()}
	if s.progress != nil {
		shown := &discreet{to: s.progress}
		options = append(options, optpreview.ProgressStreams(shown), optpreview.ErrorProgressStreams(shown))
	}
	if planFile != "" {
		options = append(options, optpreview.Plan(planFile))
	}
	seen := watch()
	_, err := s.auto.Preview(ctx, append(options, optpreview.EventStreams(seen.events))...)
	previewed, problems := seen.wait()
	if err != nil {
		return preview.Preview{}, fmt.Errorf("preview of stack %s: %w", s.auto.Name(), cause(err, problems))
	}
	return previewed, nil
}

// Up updates the stack, bound to a saved plan when its file name is not empty, and returns the stack's outputs that are strings. The
// message stands in the stack's history. Its
// error wraps ErrLocked when another update holds the stack's lock, and ErrPlan when the update would leave its plan.
func (s *Stack) Up(ctx context.Context, planFile, message string) (map[string]string, error) {
	options := []optup.Option{optup.Color("never"), optup.SuppressProgress(), optup.ShowSecrets(false)}
	if s.progress != nil {
		shown := &discreet{to: s.progress}
		options = append(options, optup.ProgressStreams(shown), optup.ErrorProgressStreams(shown))
	}
	if planFile != "" {
		options = append(options, optup.Plan(planFile))
	}
	if message != "" {
		options = append(options, optup.Message(message))
	}
	seen := watch()
	result, err := s.auto.Up(ctx, append(options, optup.EventStreams(seen.events))...)
	_, problems := seen.wait()
	if err != nil {
		return nil, fmt.Errorf("update of stack %s: %w", s.auto.Name(), violation(planFile, cause(err, problems)))
	}
	return plainOutputs(result.Outputs), nil
}

// Export returns the stack's state as `pulumi stack export` writes it.
func (s *Stack) Export(ctx context.Context) ([]byte, error) {
	deployment, err := s.auto.Export(ctx)
	if err != nil {
		return nil, fmt.Errorf("export of stack %s: %w", s.auto.Name(), cause(err, nil))
	}
	return json.MarshalIndent(deployment, "", "    ")
}

// Version is the version of the Pulumi CLI that runs, such as "3.255.0".
func Version() (string, error) {
	cli, err := command()
	if err != nil {
		return "", err
	}
	return cli.Version().String(), nil
}
