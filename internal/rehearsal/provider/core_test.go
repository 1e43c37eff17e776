package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func awsCore() *core { return &core{schema: AWS{Account: "123456789012", Region: "r"}.Schema()} }

func bag(m map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(m) }

func TestDiff(t *testing.T) {
	olds := bag(map[string]any{"name": "n", "version": "1.0.0", "platform": "Linux", "tags": map[string]any{"a": "1"}})
	for name, test := range map[string]struct {
		change  map[string]any
		changes plugin.DiffChanges
		path    string
		kind    plugin.DiffKind
		first   bool // the old one is deleted first
	}{
		"nothing":          {nil, plugin.DiffNone, "", 0, false},
		"a tag":            {map[string]any{"tags": map[string]any{"a": "2"}}, plugin.DiffSome, "tags.a", plugin.DiffUpdate, false},
		"a fixed name's":   {map[string]any{"version": "2.0.0"}, plugin.DiffSome, "version", plugin.DiffUpdateReplace, true},
		"another name":     {map[string]any{"name": "m", "version": "2.0.0"}, plugin.DiffSome, "name", plugin.DiffUpdateReplace, false},
		"an automatic one": {map[string]any{"version": "2.0.0", "__defaults": []any{"name"}}, plugin.DiffSome, "version", plugin.DiffUpdateReplace, false},
		"a new property":   {map[string]any{"data": "x"}, plugin.DiffSome, "data", plugin.DiffAddReplace, true},
	} {
		t.Run(name, func(t *testing.T) {
			news := olds.Copy()
			for key, value := range bag(test.change) {
				news[key] = value
			}
			diff, err := awsCore().Diff(t.Context(), plugin.DiffRequest{
				Type: "aws:imagebuilder/component:Component", Name: "c", OldInputs: olds, NewInputs: news,
			})
			require.NoError(t, err)
			assert.Equal(t, test.changes, diff.Changes)
			if test.path != "" {
				assert.Equal(t, test.kind, diff.DetailedDiff[test.path].Kind)
			}
			assert.Equal(t, test.first, diff.DeleteBeforeReplace)
		})
	}
}

func TestASecretIsComparedByItsValue(t *testing.T) {
	secret := func(s string) resource.PropertyMap {
		return resource.PropertyMap{"value": resource.MakeSecret(resource.NewStringProperty(s))}
	}
	for value, want := range map[string]plugin.DiffChanges{"a": plugin.DiffNone, "b": plugin.DiffSome} {
		diff, err := awsCore().Diff(t.Context(), plugin.DiffRequest{
			Type: "aws:ssm/parameter:Parameter", OldInputs: secret("a"), NewInputs: secret(value),
		})
		require.NoError(t, err)
		assert.Equal(t, want, diff.Changes)
	}
}

func TestAutomaticNames(t *testing.T) {
	check := func(name string, seed byte, olds, news resource.PropertyMap) resource.PropertyMap {
		response, err := awsCore().Check(t.Context(), plugin.CheckRequest{
			Type: "aws:lb/targetGroup:TargetGroup", Name: name, Olds: olds, News: news,
			RandomSeed: []byte(strings.Repeat(string(rune(seed)), 32)),
		})
		require.NoError(t, err)
		require.Empty(t, response.Failures)
		return response.Properties
	}
	first := check("web", 1, nil, resource.PropertyMap{})
	assert.Regexp(t, `^web-[0-9a-f]{7}$`, text(first, "name"))
	assert.Equal(t, first, check("web", 1, nil, resource.PropertyMap{}), "the name of an update is not that of its preview")
	assert.NotEqual(t, first, check("web", 2, nil, resource.PropertyMap{}))
	assert.Equal(t, first, check("web", 2, first, resource.PropertyMap{}), "an update changed the name")
	own := bag(map[string]any{"name": "own"})
	assert.Equal(t, own, check("web", 1, first, own))
	prefixed := bag(map[string]any{"namePrefix": "own-"})
	assert.Equal(t, prefixed, check("web", 1, nil, prefixed))
	assert.LessOrEqual(t, len(text(check(strings.Repeat("long", 6), 1, nil, resource.PropertyMap{}), "name")), 32)
}

func TestDefaultTagsAreReadAsTheSDKSendsThem(t *testing.T) {
	want := bag(map[string]any{"product": "shop"})
	assert.Equal(t, want, defaultTags(bag(map[string]any{"defaultTags": `{"tags":{"product":"shop"}}`})))
	assert.Equal(t, want, defaultTags(bag(map[string]any{"defaultTags": map[string]any{"tags": map[string]any{"product": "shop"}}})))
	assert.Empty(t, defaultTags(bag(map[string]any{"defaultTags": "nonsense"})))
	assert.Empty(t, defaultTags(nil))

	inputs := bag(map[string]any{"tags": map[string]any{"product": "mine"}})
	addTags(inputs, bag(map[string]any{"product": "shop", "team": "t"}))
	assert.Equal(t, bag(map[string]any{"tags": map[string]any{"product": "mine", "team": "t"}}), inputs)
}

func TestPreviewsHaveNoEffects(t *testing.T) {
	response, err := awsCore().Create(t.Context(), plugin.CreateRequest{
		Type: "aws:ec2/launchTemplate:LaunchTemplate", Name: "x", Preview: true,
		Properties: resource.PropertyMap{"imageId": unknown(), "name": resource.NewStringProperty("n")},
	})
	require.NoError(t, err)
	assert.Empty(t, response.ID)
	assert.True(t, response.Properties["arn"].IsComputed())
	assert.True(t, response.Properties["imageId"].IsComputed())
	assert.Equal(t, "n", text(response.Properties, "name"))

	update, err := awsCore().Update(t.Context(), plugin.UpdateRequest{
		Type: "aws:ec2/launchTemplate:LaunchTemplate", Name: "x", Preview: true,
		OldOutputs: bag(map[string]any{"arn": "arn:old", "latestVersion": 1, "userData": "gone"}),
		NewInputs:  bag(map[string]any{"imageId": "ami-2"}),
	})
	require.NoError(t, err)
	assert.Equal(t, "arn:old", text(update.Properties, "arn"))
	assert.True(t, update.Properties["latestVersion"].IsComputed())
	assert.NotContains(t, update.Properties, resource.PropertyKey("userData"))
}

// TestAround carries each operation out twice, as a fault does; the second answer counts.
func TestAround(t *testing.T) {
	core := awsCore()
	var told []string
	core.schema.Around = func(stack, verb, typ, name string, do func() error) error {
		told = append(told, strings.Join([]string{stack, verb, typ, name}, " "))
		return errors.Join(do(), do())
	}
	const typ = "aws:sns/topic:Topic"
	urn := resource.NewURN("dev", "p", "", typ, "alarms")
	in := bag(map[string]any{"name": "alarms"})
	_, err := core.Create(t.Context(), plugin.CreateRequest{URN: urn, Type: typ, Name: "alarms", Properties: in, Preview: true})
	require.NoError(t, err)
	require.Empty(t, told, "a preview has no effect")
	made, err := core.Create(t.Context(), plugin.CreateRequest{URN: urn, Type: typ, Name: "alarms", Properties: in})
	require.NoError(t, err)
	require.NotEmpty(t, made.ID)
	changed, err := core.Update(t.Context(), plugin.UpdateRequest{URN: urn, Type: typ, Name: "alarms", ID: made.ID, OldOutputs: made.Properties, NewInputs: in})
	require.NoError(t, err)
	assert.NotEmpty(t, changed.Properties)
	_, err = core.Delete(t.Context(), plugin.DeleteRequest{URN: urn, Type: typ, Name: "alarms", ID: made.ID, Outputs: made.Properties})
	require.NoError(t, err)
	assert.Equal(t, []string{"dev create " + typ + " alarms", "dev update " + typ + " alarms", "dev delete " + typ + " alarms"}, told)
	core.schema.Around = func(_, _, _, _ string, _ func() error) error { return errors.New("refused") }
	_, err = core.Create(t.Context(), plugin.CreateRequest{URN: urn, Type: typ, Name: "alarms", Properties: in})
	assert.ErrorContains(t, err, `create aws:sns/topic:Topic "alarms": refused`)
}

// TestANameIsTakenOnce where AWS says so: a launch template is refused while there is one of its name, whoever deletes that.
func TestANameIsTakenOnce(t *testing.T) {
	there := map[string]bool{}
	core := &core{schema: AWS{LaunchTemplate: Effect{
		Put:    func(_ context.Context, r Resource) error { there[r.Name] = true; return nil },
		Delete: func(_ context.Context, r Resource) error { delete(there, r.Name); return nil },
		Exists: func(name string) bool { return there[name] },
	}}.Schema()}
	const typ = "aws:ec2/launchTemplate:LaunchTemplate"
	create := func() (plugin.CreateResponse, error) {
		return core.Create(t.Context(), plugin.CreateRequest{
			URN: resource.NewURN("dev", "p", "", typ, "app"), Type: typ, Name: "app", Properties: bag(map[string]any{"name": "demo-app"}),
		})
	}
	first, err := create()
	require.NoError(t, err)
	_, err = create()
	require.ErrorContains(t, err, "AlreadyExists: there is a demo-app already")
	_, err = core.Delete(t.Context(), plugin.DeleteRequest{Type: typ, Name: "app", ID: first.ID, Outputs: first.Properties})
	require.NoError(t, err)
	_, err = create()
	require.NoError(t, err)
	clear(there)
	_, err = create()
	require.NoError(t, err, "it was deleted by hand")
}
