// Package provider serves simulated Pulumi provider plugins from this process: the packages aws and github, which the
// engine attaches to through PULUMI_DEBUG_PROVIDERS=aws:<port>,github:<port>. It checks, diffs and names resources as the
// real providers do, gives them plausible outputs, and tells the simulated cloud about those whose creation has
// consequences (AWS and GitHub, the structs of effects).
//
// What those consequences are is not here: the package knows neither the AWS endpoint nor the GitHub endpoint nor the
// pipeline runner. A resource type or function that it was not taught is an error, at preview already, never an echo.
package provider

import (
	"context"
	"fmt"
	"net"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Inputs is one resource as the program wrote it, after Check.
type Inputs struct {
	// Type is the type token, such as "aws:s3/bucketV2:BucketV2".
	Type tokens.Type
	// Name is the logical name, the last part of the URN.
	Name string
	// Properties are the checked inputs, without the wrappers of secrets.
	Properties resource.PropertyMap
}

// Type teaches one resource type. Its functions may run at the same time for different resources, never in a preview.
type Type struct {
	// Create makes the resource and returns its ID and what the cloud adds to the inputs.
	Create func(ctx context.Context, in Inputs) (id string, out resource.PropertyMap, err error)
	// Update changes the resource and returns what the cloud adds to the inputs; old is the state before.
	Update func(ctx context.Context, id string, old resource.PropertyMap, in Inputs) (resource.PropertyMap, error)
	// Delete removes the resource whose last state is given.
	Delete func(ctx context.Context, id string, in Inputs) error
	// Computed are the outputs that the cloud adds: unknown in the preview of a creation unless the program sets them.
	Computed []resource.PropertyKey
	// ComputedOnUpdate are those of Computed that an update changes: unknown in its preview.
	ComputedOnUpdate []resource.PropertyKey
	// Replace are the inputs whose change replaces the resource.
	Replace []resource.PropertyKey
	// Required are the inputs without which Check refuses the resource.
	Required []resource.PropertyKey
	// Naming says how the resource gets a physical name when the program gives none; nil for types without one.
	Naming *Naming
	// Tagged says that the type has tags, hence default tags and the output tagsAll.
	Tagged bool
}

// Naming is Pulumi's automatic naming of one type: the logical name, a dash and seven random hex digits.
type Naming struct {
	// Property holds the name.
	Property resource.PropertyKey
	// Prefix stands before the name, such as "alias/" of a KMS alias.
	Prefix string
	// Max is the longest name in bytes; 0 for no limit.
	Max int
}

// Function answers one invoke. A failure is what a real provider reports about a single argument.
type Function func(ctx context.Context, args resource.PropertyMap) (resource.PropertyMap, []plugin.CheckFailure, error)

// Schema is everything that one plugin knows.
type Schema struct {
	// Package is "aws" or "github"; Version the plugin's version without a v.
	Package, Version string
	// Types are the resource types by token.
	Types map[tokens.Type]Type
	// Functions are the invokes by token.
	Functions map[tokens.ModuleMember]Function
	// Mutate, for tests only, damages what is provisioned: it gets the inputs of a creation or update and returns those
	// that the simulated cloud gets instead. The engine's state keeps what the program asked for.
	Mutate func(typ, name string, in resource.PropertyMap) resource.PropertyMap
	// Rewrite, for tests only, changes what the program asks for, as if another program had asked: the engine sees it too.
	Rewrite func(typ, name string, in resource.PropertyMap) resource.PropertyMap
	// Around carries out a creation, update or deletion, which verb says, of a resource of a stack; it may do so twice, and what it
	// returns is the answer. Nil: do is called.
	Around func(stack, verb, typ, name string, do func() error) error
}

// Server is one plugin that is served.
type Server struct {
	// Port is its TCP port on 127.0.0.1.
	Port int

	grpc *grpc.Server
	done chan struct{}
}

// Serve serves the schema on a free port of 127.0.0.1 until Close is called or the context ends. Any number of engines
// may be attached at once.
func Serve(ctx context.Context, schema Schema) (*Server, error) {
	version, err := semver.Parse(schema.Version)
	if err != nil {
		return nil, fmt.Errorf("simulated %s provider: version %q: %w", schema.Package, schema.Version, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("simulated %s provider: %w", schema.Package, err)
	}
	// A program's properties (a component document, a buildspec) may be larger than gRPC's default of 4 MiB.
	const largest = 400 << 20
	s := &Server{
		Port: listener.Addr().(*net.TCPAddr).Port,
		grpc: grpc.NewServer(grpc.MaxRecvMsgSize(largest), grpc.MaxSendMsgSize(largest)),
		done: make(chan struct{}),
	}
	core := &core{schema: schema, version: version}
	pulumirpc.RegisterResourceProviderServer(s.grpc, &endpoint{
		ResourceProviderServer: plugin.NewProviderServer(core), core: core,
	})
	stop := context.AfterFunc(ctx, s.grpc.Stop)
	go func() {
		defer close(s.done)
		defer stop()
		// Serve ends with an error only when the listener breaks; the engine then reports the lost connection.
		_ = s.grpc.Serve(listener)
	}()
	return s, nil
}

// Close stops the plugin and waits until it is gone.
func (s *Server) Close() {
	s.grpc.Stop()
	<-s.done
}
