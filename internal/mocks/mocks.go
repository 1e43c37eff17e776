// Package mocks runs Pulumi programs in tests with Pulumi's mocks, and records what they register.
package mocks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Recorder is a cloud that accepts everything and remembers it.
type Recorder struct {
	// Calls answers invokes by token; an invoke that has no answer fails the program.
	Calls map[string]func(args resource.PropertyMap) resource.PropertyMap
	// Stacks are the outputs of stacks that the program references, by their full name.
	Stacks map[string]resource.PropertyMap

	mu        sync.Mutex
	stack     string
	resources []Resource
	repeated  []string
	outputs   map[string]string
}

// Resource is what a program registered.
type Resource struct {
	Type, Name string
	Parent     string
	Provider   string
	Protect    bool
	// Retain says that the cloud keeps it when the stack lets go of it, Ignores which inputs are only looked at when it is made.
	Retain  bool
	Ignores []string
	// After are the URNs of what it waits for.
	After  []string
	Inputs resource.PropertyMap
}

// Run runs a program against the recorder, as an update or as a preview in which nothing that a cloud would answer is known. The
// stack is named as the program's environment.
func (r *Recorder) Run(stack string, preview bool, config map[string]string, program pulumi.RunFunc) error {
	r.stack = stack
	collect := func(ctx *pulumi.Context) error {
		if err := program(ctx); err != nil {
			return err
		}
		return r.collect(ctx)
	}
	return pulumi.RunErr(collect, pulumi.WithMocks("ha-devops", stack, r), func(info *pulumi.RunInfo) {
		info.DryRun, info.Config = preview, config
	})
}

// collect waits for the stack's outputs and keeps those that are known.
func (r *Recorder) collect(ctx *pulumi.Context) error {
	found := map[string]string{}
	for key, value := range ctx.GetCurrentExportMap() {
		result, err := internals.UnsafeAwaitOutput(ctx.Context(), pulumi.ToOutput(value))
		if err != nil {
			return fmt.Errorf("output %s: %w", key, err)
		}
		if result.Known {
			found[key] = fmt.Sprint(result.Value)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs = found
	return nil
}

// Outputs are the stack's outputs that are known.
func (r *Recorder) Outputs() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.outputs)
}

// NewResource records a resource and answers with its inputs, an ID and what the clouds add.
func (r *Recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	made := Resource{Type: args.TypeToken, Name: args.Name, Inputs: args.Inputs, Provider: args.Provider}
	if rpc := args.RegisterRPC; rpc != nil {
		made.Parent, made.Protect = rpc.GetParent(), rpc.GetProtect()
		made.Retain, made.Ignores, made.After = rpc.GetRetainOnDelete(), rpc.GetIgnoreChanges(), rpc.GetDependencies()
	}
	for _, other := range r.resources {
		if other.Type == made.Type && other.Name == made.Name {
			r.repeated = append(r.repeated, made.Type+" "+made.Name)
		}
	}
	r.resources = append(r.resources, made)
	if args.TypeToken == "pulumi:pulumi:StackReference" {
		name := args.Inputs["name"].StringValue()
		outputs, ok := r.Stacks[name]
		if !ok && !strings.HasSuffix(name, "/"+r.stack) { // a stack finds itself, without outputs at first
			return "", nil, fmt.Errorf("unknown stack %q", name)
		}
		return name, resource.PropertyMap{"name": args.Inputs["name"], "outputs": resource.NewObjectProperty(outputs)}, nil
	}
	state := maps.Clone(args.Inputs)
	if state == nil {
		state = resource.PropertyMap{}
	}
	state["arn"] = resource.NewStringProperty("arn:aws:mock:::" + args.Name)
	for _, key := range []resource.PropertyKey{"arnSuffix", "dnsName", "keyId", "prefixListId"} {
		state[key] = resource.NewStringProperty(string(key) + "." + args.Name)
	}
	state["latestVersion"] = resource.NewNumberProperty(1)
	return args.Name + "-id", state, nil
}

// Call answers an invoke.
func (r *Recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answer, ok := r.Calls[args.Token]
	if !ok {
		return nil, fmt.Errorf("nobody answers %s", args.Token)
	}
	return answer(args.Args), nil
}

// Resources returns everything that was registered, except the stack, ordered by type and name.
func (r *Recorder) Resources() []Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(r.resources), func(x Resource) bool { return x.Type == "pulumi:pulumi:Stack" })
	slices.SortFunc(all, func(a, b Resource) int { return strings.Compare(a.Type+" "+a.Name, b.Type+" "+b.Name) })
	return all
}

// Of returns the resources of a type.
func (r *Recorder) Of(token string) []Resource {
	return slices.DeleteFunc(r.Resources(), func(x Resource) bool { return x.Type != token })
}

// Only returns the one resource of a type and fails the test when there are none or more.
func (r *Recorder) Only(t *testing.T, token string) Resource {
	t.Helper()
	found := r.Of(token)
	require.Len(t, found, 1, token)
	return found[0]
}

// CheckTree fails the test when two resources share type and name, or when one of a provider has no component as its parent.
func (r *Recorder) CheckTree(t *testing.T) {
	t.Helper()
	assert.Empty(t, r.repeated, "registered twice")
	for _, made := range r.Resources() {
		if strings.HasPrefix(made.Type, "aws:") || strings.HasPrefix(made.Type, "github:") {
			assert.Contains(t, made.Parent, "ha-devops:index:", "%s %s has no component as its parent", made.Type, made.Name)
		}
	}
}
