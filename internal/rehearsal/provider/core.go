package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// core is what all resource types have in common: checking, naming, comparing, previewing.
type core struct {
	plugin.UnimplementedProvider
	schema   Schema
	version  semver.Version
	defaults sync.Map // connection to resource.PropertyMap: the default tags
}

const (
	keyTags    resource.PropertyKey = "tags"
	keyTagsAll resource.PropertyKey = "tagsAll"
	// keyDefaults lists the inputs that the provider filled in, as the bridged providers record it.
	keyDefaults resource.PropertyKey = "__defaults"
)

func (c *core) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &c.version}, nil
}

func (c *core) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	schema, err := json.Marshal(map[string]string{"name": c.schema.Package, "version": c.schema.Version})
	return plugin.GetSchemaResponse{Schema: schema}, err
}

func (c *core) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (c *core) DiffConfig(_ context.Context, req plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	if plain(req.OldInputs).DeepEquals(plain(req.NewInputs)) {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	return plugin.DiffResult{Changes: plugin.DiffSome}, nil
}

func (c *core) typ(token tokens.Type, name string) (Type, error) {
	if t, ok := c.schema.Types[token]; ok {
		return t, nil
	}
	return Type{}, fmt.Errorf("the simulated %s provider does not know %s (resource %q); teach it in "+
		"internal/rehearsal/provider or use a type that it knows", c.schema.Package, token, name)
}

func (c *core) Check(ctx context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	t, err := c.typ(req.Type, req.Name)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	news := req.News.Copy()
	if t.Tagged {
		if tags, ok := c.defaults.Load(connection(ctx)); ok {
			addTags(news, tags.(resource.PropertyMap))
		}
	}
	var failures []plugin.CheckFailure
	for _, key := range t.Required {
		if !news.HasValue(key) {
			failures = append(failures, plugin.CheckFailure{
				Property: key, Reason: fmt.Sprintf("%s %q: required property %q is missing", req.Type, req.Name, key),
			})
		}
	}
	if t.Naming != nil {
		if err := t.Naming.apply(req, news); err != nil {
			return plugin.CheckResponse{}, err
		}
	}
	if c.schema.Rewrite != nil {
		news = c.schema.Rewrite(string(req.Type), req.Name, news)
	}
	return plugin.CheckResponse{Properties: news, Failures: failures}, nil
}

func (c *core) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	t, err := c.typ(req.Type, req.Name)
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	diff := plain(req.OldInputs).Diff(plain(req.NewInputs))
	if diff == nil {
		return plugin.DiffResponse{Changes: plugin.DiffNone}, nil
	}
	out := plugin.DiffResponse{
		Changes: plugin.DiffSome, ChangedKeys: diff.ChangedKeys(),
		DetailedDiff: plugin.NewDetailedDiffFromObjectDiff(diff, true),
	}
	for path, change := range out.DetailedDiff {
		if slices.Contains(t.Replace, topKey(path)) {
			out.DetailedDiff[path] = change.ToReplace()
			out.ReplaceKeys = append(out.ReplaceKeys, resource.PropertyKey(path))
		}
	}
	// Two resources of one fixed name cannot exist side by side, so the bridged providers delete the old one first.
	out.DeleteBeforeReplace = len(out.ReplaceKeys) > 0 && t.Naming != nil && t.Naming.fixed(req.OldInputs, req.NewInputs)
	return out, nil
}

func (c *core) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	t, err := c.typ(req.Type, req.Name)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	if req.Preview {
		return plugin.CreateResponse{Properties: t.state(req.Properties, unknowns(t.Computed))}, nil
	}
	var id string
	var out resource.PropertyMap
	if err := c.around(req.URN, "create", func() (err error) {
		id, out, err = t.Create(ctx, c.inputs(req.Type, req.Name, req.Properties))
		return err
	}); err != nil {
		return plugin.CreateResponse{}, c.failed("create", req.Type, req.Name, err)
	}
	return plugin.CreateResponse{ID: resource.ID(id), Properties: t.state(req.Properties, out)}, nil
}

func (c *core) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	t, err := c.typ(req.Type, req.Name)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	if req.Preview {
		out := resource.PropertyMap{}
		for _, key := range t.Computed {
			if v, ok := req.OldOutputs[key]; ok {
				out[key] = v
			}
		}
		for key, v := range unknowns(t.ComputedOnUpdate) {
			out[key] = v
		}
		return plugin.UpdateResponse{Properties: t.state(req.NewInputs, out)}, nil
	}
	var out resource.PropertyMap
	if err := c.around(req.URN, "update", func() (err error) {
		out, err = t.Update(ctx, string(req.ID), plain(req.OldOutputs), c.inputs(req.Type, req.Name, req.NewInputs))
		return err
	}); err != nil {
		return plugin.UpdateResponse{}, c.failed("update", req.Type, req.Name, err)
	}
	return plugin.UpdateResponse{Properties: t.state(req.NewInputs, out)}, nil
}

func (c *core) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	t, err := c.typ(req.Type, req.Name)
	if err != nil {
		return plugin.DeleteResponse{}, err
	}
	in := Inputs{Type: req.Type, Name: req.Name, Properties: plain(req.Outputs)}
	if err := c.around(req.URN, "delete", func() error { return t.Delete(ctx, string(req.ID), in) }); err != nil {
		return plugin.DeleteResponse{}, c.failed("delete", req.Type, req.Name, err)
	}
	return plugin.DeleteResponse{}, nil
}

// Read says that the resource is as it was left: nothing but the engine changes the simulated cloud's resources.
func (c *core) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	if _, err := c.typ(req.Type, req.Name); err != nil {
		return plugin.ReadResponse{}, err
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State}}, nil
}

func (c *core) Invoke(ctx context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	f, ok := c.schema.Functions[req.Tok]
	if !ok {
		return plugin.InvokeResponse{}, fmt.Errorf("the simulated %s provider does not know the function %s; teach it in "+
			"internal/rehearsal/provider or use a function that it knows", c.schema.Package, req.Tok)
	}
	out, failures, err := f(ctx, plain(req.Args))
	if err != nil {
		return plugin.InvokeResponse{}, fmt.Errorf("simulated %s: %s: %w", c.schema.Package, req.Tok, err)
	}
	return plugin.InvokeResponse{Properties: out, Failures: failures}, nil
}

func (c *core) Close() error { return nil }

func (c *core) inputs(token tokens.Type, name string, properties resource.PropertyMap) Inputs {
	properties = plain(properties)
	if c.schema.Mutate != nil {
		properties = c.schema.Mutate(string(token), name, properties)
	}
	return Inputs{Type: token, Name: name, Properties: properties}
}

// around carries out what has an effect.
func (c *core) around(urn resource.URN, verb string, do func() error) error {
	if c.schema.Around == nil {
		return do()
	}
	return c.schema.Around(string(urn.Stack()), verb, string(urn.Type()), urn.Name(), do)
}

func (c *core) failed(verb string, token tokens.Type, name string, err error) error {
	return fmt.Errorf("simulated %s: %s %s %q: %w", c.schema.Package, verb, token, name, err)
}

// state is what the engine keeps: the inputs and, where the program said nothing, what the cloud added.
func (t Type) state(inputs, out resource.PropertyMap) resource.PropertyMap {
	state := inputs.Copy()
	delete(state, keyDefaults)
	for key, value := range out {
		if !inputs.HasValue(key) {
			state[key] = value
		}
	}
	if t.Tagged {
		state[keyTagsAll] = resource.NewObjectProperty(resource.PropertyMap{})
		if tags, ok := inputs[keyTags]; ok {
			state[keyTagsAll] = tags
		}
	}
	return state
}

// topKey is the input that a path such as "tags.owner" or "ingress[0].fromPort" lies in.
func topKey(path string) resource.PropertyKey {
	return resource.PropertyKey(path[:strings.IndexAny(path+".", ".[")])
}
