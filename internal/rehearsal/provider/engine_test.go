package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func typeToken(s string) tokens.Type { return tokens.Type(s) }

// cloud records what exists in the simulated cloud.
type cloud struct {
	mu     sync.Mutex
	exists map[string]Resource
	fail   error
}

func (c *cloud) effect() Effect {
	return Effect{
		Put: func(_ context.Context, r Resource) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.exists[r.ID] = r
			return c.fail
		},
		Delete: func(_ context.Context, r Resource) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.exists, r.ID)
			return nil
		},
	}
}

func (c *cloud) named(name string) []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Resource
	for _, r := range c.exists {
		if r.LogicalName == name {
			out = append(out, r)
		}
	}
	return out
}

// anyResource reads every output that the tests look at, so that the test need not compile the SDKs.
type anyResource struct {
	pulumi.CustomResourceState
	Arn           pulumi.StringOutput    `pulumi:"arn"`
	Name          pulumi.StringOutput    `pulumi:"name"`
	LatestVersion pulumi.IntOutput       `pulumi:"latestVersion"`
	TagsAll       pulumi.StringMapOutput `pulumi:"tagsAll"`
}

type engine struct {
	stack   auto.Stack
	run     pulumi.RunFunc
	backend string
}

// newEngine prepares a stack of the real engine that is attached to the plugin.
func newEngine(t *testing.T, server *Server) *engine {
	t.Helper()
	found, err := exec.CommandContext(t.Context(), filepath.Join("..", "..", "..", "tools", "pulumi")).Output()
	require.NoError(t, err)
	bin := strings.TrimSpace(string(found))
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "bin"), 0o755))
	require.NoError(t, os.Symlink(bin, filepath.Join(root, "bin", "pulumi")))
	command, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root, SkipVersionCheck: true})
	require.NoError(t, err)
	backend := t.TempDir()
	e := &engine{backend: backend}
	e.stack, err = auto.UpsertStackInlineSource(t.Context(), "dev", "simulated",
		func(ctx *pulumi.Context) error { return e.run(ctx) }, auto.Pulumi(command), auto.WorkDir(t.TempDir()),
		auto.PulumiHome(t.TempDir()),
		auto.Project(workspace.Project{
			Name: "simulated", Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + backend},
		}),
		auto.EnvVars(map[string]string{
			"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_BACKEND_URL": "file://" + backend,
			"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
			"PULUMI_DEBUG_PROVIDERS":                      fmt.Sprintf("aws:%d", server.Port),
		}))
	require.NoError(t, err)
	return e
}

func serve(t *testing.T, c *cloud, mutate func(string, string, resource.PropertyMap) resource.PropertyMap) *Server {
	t.Helper()
	account := AWS{
		Account: "123456789012", Region: "eu-central-1", Bucket: c.effect(), LaunchTemplate: c.effect(), Parameter: c.effect(),
	}
	schema := account.Schema()
	schema.Mutate = mutate
	server, err := Serve(t.Context(), schema)
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// program is a small stack: a bucket, a launch template that mentions it, a secret parameter under an explicit provider.
func program(bucket pulumi.Map, image, secret string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		var b, lt, p anyResource
		if err := ctx.RegisterResource("aws:s3/bucketV2:BucketV2", "store", bucket, &b); err != nil {
			return err
		}
		if err := ctx.RegisterResource("aws:ec2/launchTemplate:LaunchTemplate", "web", pulumi.Map{
			"imageId": pulumi.String(image), "description": b.Arn,
		}, &lt); err != nil {
			return err
		}
		var tagged pulumi.ProviderResourceState
		if err := ctx.RegisterResource("pulumi:providers:aws", "tagged", pulumi.Map{
			"region": pulumi.String("eu-central-1"), "defaultTags": pulumi.ToMap(map[string]any{"tags": map[string]any{"product": "shop"}}),
		}, &tagged); err != nil {
			return err
		}
		if err := ctx.RegisterResource("aws:ssm/parameter:Parameter", "secret", pulumi.Map{
			"name": pulumi.String("/shop/secret"), "type": pulumi.String("SecureString"),
			"value": pulumi.ToSecret(pulumi.String(secret)), "tags": pulumi.ToStringMap(map[string]string{"own": "1"}),
		}, &p, pulumi.Provider(&tagged)); err != nil {
			return err
		}
		ctx.Export("version", lt.LatestVersion)
		ctx.Export("tags", p.TagsAll)
		return nil
	}
}

func TestTheEngineProvisionsUpdatesReplacesAndDeletes(t *testing.T) {
	c := &cloud{exists: map[string]Resource{}}
	e := newEngine(t, serve(t, c, nil))
	ctx := t.Context()

	e.run = program(pulumi.Map{}, "ami-1", "s3cret")
	preview, err := e.stack.Preview(ctx)
	require.NoError(t, err)
	assert.Equal(t, map[apitype.OpType]int{apitype.OpCreate: 5}, preview.ChangeSummary)
	assert.Empty(t, c.exists, "a preview had effects")

	up, err := e.stack.Up(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 1, up.Outputs["version"].Value)
	assert.Equal(t, map[string]any{"product": "shop", "own": "1"}, up.Outputs["tags"].Value)
	require.Len(t, c.named("store"), 1)
	first := c.named("store")[0]
	assert.Regexp(t, `^store-[0-9a-f]{7}$`, first.Name)
	assert.Equal(t, "arn:aws:s3:::"+first.Name, c.named("web")[0].Properties["description"])
	assert.Equal(t, "s3cret", c.named("secret")[0].Properties["value"])
	state, err := os.ReadFile(filepath.Join(e.backend, ".pulumi", "stacks", "simulated", "dev.json"))
	require.NoError(t, err)
	assert.NotContains(t, string(state), "s3cret", "the secret is in the clear in the state")

	preview, err = e.stack.Preview(ctx)
	require.NoError(t, err)
	assert.Equal(t, map[apitype.OpType]int{apitype.OpSame: 5}, preview.ChangeSummary)
	_, err = e.stack.Refresh(ctx)
	require.NoError(t, err)

	e.run = program(pulumi.Map{}, "ami-2", "other")
	up, err = e.stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"same": 3, "update": 2}, *up.Summary.ResourceChanges)
	assert.EqualValues(t, 2, up.Outputs["version"].Value)
	assert.Equal(t, "other", c.named("secret")[0].Properties["value"])

	e.run = program(pulumi.Map{"bucket": pulumi.String("fixed")}, "ami-2", "other")
	up, err = e.stack.Up(ctx)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"same": 3, "update": 1, "replace": 1}, *up.Summary.ResourceChanges)
	require.Len(t, c.named("store"), 1)
	assert.Equal(t, "fixed", c.named("store")[0].Name)
	assert.Equal(t, "arn:aws:s3:::fixed", c.named("web")[0].Properties["description"])

	_, err = e.stack.Destroy(ctx)
	require.NoError(t, err)
	assert.Empty(t, c.exists)
}

func TestTheEngineRefuses(t *testing.T) {
	c := &cloud{exists: map[string]Resource{}}
	e := newEngine(t, serve(t, c, nil))
	for name, test := range map[string]struct {
		run  pulumi.RunFunc
		want []string
	}{
		"an unknown type": {func(ctx *pulumi.Context) error {
			return ctx.RegisterResource("aws:sqs/queue:Queue", "jobs", pulumi.Map{}, &anyResource{})
		}, []string{"simulated aws provider", "aws:sqs/queue:Queue", `"jobs"`, "internal/rehearsal/provider"}},
		"an unknown function": {func(ctx *pulumi.Context) error {
			return ctx.Invoke("aws:sqs/getQueue:getQueue", nil, &struct{}{})
		}, []string{"simulated aws provider", "aws:sqs/getQueue:getQueue"}},
		"a missing property": {func(ctx *pulumi.Context) error {
			return ctx.RegisterResource("aws:kms/alias:Alias", "key", pulumi.Map{}, &anyResource{})
		}, []string{"aws:kms/alias:Alias", `"key"`, `"targetKeyId"`}},
	} {
		t.Run(name, func(t *testing.T) {
			e.run = test.run
			_, err := e.stack.Preview(t.Context())
			require.Error(t, err)
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestAFailedEffectFailsTheResource(t *testing.T) {
	c := &cloud{exists: map[string]Resource{}, fail: errors.New("the bucket is on fire")}
	e := newEngine(t, serve(t, c, nil))
	e.run = program(pulumi.Map{}, "ami-1", "s3cret")
	_, err := e.stack.Up(t.Context(), optup.SuppressProgress())
	assert.ErrorContains(t, err, `create aws:s3/bucketV2:BucketV2 "store": the bucket is on fire`)
}

func TestMutateDamagesTheCloudAndNotTheState(t *testing.T) {
	c := &cloud{exists: map[string]Resource{}}
	e := newEngine(t, serve(t, c, func(typ, _ string, in resource.PropertyMap) resource.PropertyMap {
		if typ == "aws:ec2/launchTemplate:LaunchTemplate" {
			in["imageId"] = resource.NewStringProperty("ami-damaged")
		}
		return in
	}))
	e.run = program(pulumi.Map{}, "ami-1", "s3cret")
	_, err := e.stack.Up(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "ami-damaged", c.named("web")[0].Properties["imageId"])
	preview, err := e.stack.Preview(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[apitype.OpType]int{apitype.OpSame: 5}, preview.ChangeSummary)
}

func TestManyEnginesShareOnePlugin(t *testing.T) {
	server := serve(t, &cloud{exists: map[string]Resource{}}, nil)
	var group sync.WaitGroup
	for i := range 2 {
		e := newEngine(t, server)
		e.run = program(pulumi.Map{}, fmt.Sprint("ami-", i), "s3cret")
		group.Go(func() {
			_, err := e.stack.Up(t.Context())
			assert.NoError(t, err)
		})
	}
	group.Wait()
}
