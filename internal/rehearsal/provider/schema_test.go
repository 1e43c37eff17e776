package provider

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func schemas() map[string]Schema {
	return map[string]Schema{
		"github.com/pulumi/pulumi-aws/sdk/v6":    AWS{Account: "123456789012", Region: "eu-central-1"}.Schema(),
		"github.com/pulumi/pulumi-github/sdk/v6": GitHub{Owner: "acme", URL: "https://github.com"}.Schema(),
	}
}

// The tables are held against the source of the SDKs, which costs nothing, rather than against the compiled packages,
// which would cost minutes.
func TestTablesMatchTheSDKs(t *testing.T) {
	for module, schema := range schemas() {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}} {{.Version}}", module).CombinedOutput()
		require.NoError(t, err, "%s", out)
		root, version, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		require.Equal(t, "v"+schema.Version, version)
		for typ, taught := range schema.Types {
			file := filepath.Join(root, "go", schema.Package, strings.TrimPrefix(string(typ.Module().Name()), "index/")+".go")
			name := string(typ.Name())
			outputs, inputs := properties(t, file, name), properties(t, file, strings.ToLower(name[:1])+name[1:]+"Args")
			computed := map[resource.PropertyKey]bool{"tagsAll": taught.Tagged}
			for _, key := range taught.Computed {
				computed[key] = true
				assert.Contains(t, outputs, string(key), "%s: computed", typ)
			}
			for output := range outputs {
				assert.True(t, inputs[output] || computed[resource.PropertyKey(output)], "%s: output %s is not taught", typ, output)
			}
			for _, key := range append(taught.Required, taught.Replace...) {
				prefix := taught.Naming != nil && key == taught.Naming.prefixKey()
				assert.True(t, inputs[string(key)] || prefix, "%s: %s is not an input", typ, key)
			}
			assert.Equal(t, outputs["tagsAll"], taught.Tagged, "%s: tags", typ)
			assert.Subset(t, taught.Computed, taught.ComputedOnUpdate, "%s", typ)
		}
	}
}

// properties are the Pulumi names of a struct's fields in a Go file.
func properties(t *testing.T, file, name string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	found := map[string]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Tag != nil {
				found[reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("pulumi")] = true
			}
		}
		return false
	})
	require.NotEmpty(t, found, "%s in %s", name, file)
	return found
}

func TestEveryTypeKeepsItsIdentityOverAnUpdate(t *testing.T) {
	for _, schema := range schemas() {
		for typ, taught := range schema.Types {
			in := Inputs{Type: typ, Name: "x", Properties: resource.PropertyMap{}}
			for _, key := range taught.Required {
				in.Properties[key] = resource.NewStringProperty("given")
			}
			if taught.Naming != nil {
				in.Properties[taught.Naming.Property] = resource.NewStringProperty("named")
			}
			id, out, err := taught.Create(t.Context(), in)
			require.NoError(t, err, typ)
			assert.NotEmpty(t, id, typ)
			assert.NotContains(t, id, "{", typ)
			state := taught.state(in.Properties, out)
			for _, key := range taught.Computed {
				assert.Contains(t, state, key, "%s", typ)
			}
			again, err := taught.Update(t.Context(), id, state, in)
			require.NoError(t, err, typ)
			updated := taught.state(in.Properties, again)
			for key, value := range state {
				if !slices.Contains(taught.ComputedOnUpdate, key) {
					assert.Equal(t, value, updated[key], "%s %s", typ, key)
				}
			}
			require.NoError(t, taught.Delete(t.Context(), id, Inputs{Type: typ, Name: "x", Properties: updated}))
		}
	}
}

func TestOutputsArePlausible(t *testing.T) {
	schema := AWS{Account: "123456789012", Region: "eu-central-1"}.Schema()
	created := func(typ string, in map[string]any) (string, map[string]any) {
		id, out, err := schema.Types[typeToken(typ)].Create(t.Context(), Inputs{Properties: resource.NewPropertyMapFromMap(in)})
		require.NoError(t, err)
		return id, out.Mappable()
	}
	id, out := created("aws:ec2/vpc:Vpc", nil)
	assert.Regexp(t, `^vpc-[0-9a-f]{17}$`, id)
	assert.Equal(t, "arn:aws:ec2:eu-central-1:123456789012:vpc/"+id, out["arn"])
	assert.Equal(t, out["mainRouteTableId"], out["defaultRouteTableId"])

	id, out = created("aws:imagebuilder/component:Component", map[string]any{"name": "shop", "version": "1.2.3", "platform": "Linux"})
	assert.Equal(t, "arn:aws:imagebuilder:eu-central-1:123456789012:component/shop/1.2.3/1", id)
	assert.Equal(t, id, out["arn"])

	id, _ = created("aws:s3/bucketV2:BucketV2", map[string]any{"bucketPrefix": "shop-"})
	assert.Regexp(t, `^shop-[0-9a-f]{17}$`, id)
}

func TestGetAMI(t *testing.T) {
	cloud := AWS{Account: "123456789012", Region: "eu-central-1"}
	args := resource.NewPropertyMapFromMap(map[string]any{
		"owners": []any{"self"}, "tags": map[string]any{"Image-Key": "k"},
		"filters": []any{map[string]any{"name": "state", "values": []any{"available"}}},
	})
	ask := func() (map[string]any, error) {
		out, _, err := cloud.Schema().Functions["aws:ec2/getAmi:getAmi"](t.Context(), args)
		return out.Mappable(), err
	}
	_, err := ask()
	require.ErrorContains(t, err, "Your query returned no results")

	images := []Image{{ID: "ami-1", Created: "2026-01-01T00:00:00Z"}, {ID: "ami-2", Created: "2026-01-02T00:00:00Z"}}
	cloud.Images = func(_ context.Context, q ImageQuery) ([]Image, error) {
		assert.Equal(t, []Filter{{"state", []string{"available"}}, {"tag:Image-Key", []string{"k"}}}, q.Filters)
		return images, nil
	}
	_, err = ask()
	require.ErrorContains(t, err, "more than one result")

	args["mostRecent"] = resource.NewBoolProperty(true)
	out, err := ask()
	require.NoError(t, err)
	assert.Equal(t, "ami-2", out["id"])
}

func TestAFileThatDoesNotExistIsEmpty(t *testing.T) {
	hub := GitHub{Owner: "acme", LookupFile: func(_ context.Context, _, ref, file string) (*File, error) {
		if ref == "dev" && file == "ami-id" {
			return &File{Content: "ami-1\n", Commit: "c0ffee"}, nil
		}
		return nil, nil
	}}
	for ref, want := range map[string]string{"dev": "ami-1\n", "qa": ""} {
		args := resource.NewPropertyMapFromMap(map[string]any{"repository": "infra", "branch": ref, "file": "ami-id"})
		out, _, err := hub.Schema().Functions["github:index/getRepositoryFile:getRepositoryFile"](t.Context(), args)
		require.NoError(t, err)
		assert.Equal(t, want, out.Mappable()["content"])
	}
}
