package bake_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/bake"
)

// watched remembers the tags with which builds are started.
type watched struct {
	*imagebuilder.Client
	tags []map[string]string
}

func (w *watched) StartImagePipelineExecution(
	ctx context.Context, in *imagebuilder.StartImagePipelineExecutionInput, options ...func(*imagebuilder.Options),
) (*imagebuilder.StartImagePipelineExecutionOutput, error) {
	w.tags = append(w.tags, in.Tags)
	return w.Client.StartImagePipelineExecution(ctx, in, options...)
}

// The lifecycle policy of an environment's images selects them by these tags.
func TestABuildBearsTheTagsOfItsEnvironment(t *testing.T) {
	w := newWorld(t)
	client := &watched{Client: w.clients.ImageBuilder.(*imagebuilder.Client)}
	w.clients.ImageBuilder = client
	w.commit(map[string]string{"config.json": config("v1", "")})
	_, err := bake.Run(t.Context(), w.clients, w.vars, "eu-central-1", w.dir, t.Logf)
	require.NoError(t, err)
	require.Len(t, client.tags, 1)
	assert.Equal(t, "shop", client.tags[0]["product"])
	assert.Equal(t, "dev", client.tags[0]["environment"])
}
