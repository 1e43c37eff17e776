package provider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/emptypb"
)

// endpoint is the gRPC service. The SDK's server keeps what one engine negotiated in fields without a lock, made for a
// process per provider; here many engines share it, so endpoint answers the negotiation itself, always in the same way.
type endpoint struct {
	pulumirpc.ResourceProviderServer
	core *core
}

// Handshake accepts what the SDK's server accepts before anything is negotiated.
func (e *endpoint) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// Configure accepts every configuration and remembers its default tags for the connection: each provider resource of a
// program, explicit or default, has a connection of its own.
func (e *endpoint) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	args, err := plugin.UnmarshalProperties(req.GetArgs(), plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		return nil, err
	}
	e.core.defaults.Store(connection(ctx), defaultTags(args))
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true, SupportsPreview: true,
	}, nil
}

// Attach has nothing to connect back to.
func (e *endpoint) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Cancel is one engine's wish to stop; the requests it made end with their contexts, those of other engines go on.
func (e *endpoint) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// connection identifies the engine's connection that a request came through.
func connection(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}
