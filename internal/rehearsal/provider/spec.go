package provider

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// Resource is one resource of the simulated cloud, for those who act on it.
type Resource struct {
	// Type is the type token; LogicalName the last part of the URN; ID the provider's ID.
	Type, LogicalName, ID string
	// Name is the physical name, "" for types without one; ARN the ARN, "" for types without one.
	Name, ARN string
	// Properties are inputs and outputs under their Pulumi names, as plain values that JSON can carry. Secrets are in
	// the clear.
	Properties map[string]any
}

// Effect is what the simulated cloud does about one kind of resource. A function that is nil does nothing. An error
// fails the resource. Functions may be called at the same time for different resources.
type Effect struct {
	// Put creates the resource or brings it to the given properties.
	Put func(context.Context, Resource) error
	// Delete removes it.
	Delete func(context.Context, Resource) error
	// Exists says that there is one of a name, so that a second one is refused. Nil for those of which a second one is taken for a change
	// of the first.
	Exists func(name string) bool
}

// spec describes one resource type in the table of a package. In its templates {x} is, in this order: the ID or an
// output of the type, an input, a constant of the cloud (account, region, owner, …), or a generated value: hexN (N random
// hex digits), now (the time in RFC 3339). {/x} is x without a slash at its beginning.
type spec struct {
	name   string         // the property that holds the physical name, "" for none
	prefix string         // what an automatic name begins with
	max    int            // longest name, 0 for no limit
	id     string         // template
	arn    string         // template; "" for types without an ARN
	out    map[string]any // further outputs: strings are templates, number is a random integer, others are constants
	fresh  string         // those of out that an update computes anew
	bumps  string         // integer outputs: 1 at first, one more with each update
	tagged bool
	// required and replace list inputs, separated by spaces; a changed name always replaces.
	required, replace string
	effect            Effect
}

// number in spec.out stands for a random integer of ten digits, as new IDs of GitHub's have.
type number struct{}

// constants are the words that templates of one cloud share.
type constants map[string]string

func schemaTypes(table map[string]spec, world constants) map[tokens.Type]Type {
	types := map[tokens.Type]Type{}
	for token, s := range table {
		types[tokens.Type(token)] = s.teach(world)
	}
	return types
}

func (s spec) teach(world constants) Type {
	t := Type{
		Computed: keys(s.bumps), ComputedOnUpdate: keys(s.fresh + " " + s.bumps),
		Required: keys(s.required), Replace: keys(s.replace), Tagged: s.tagged,
	}
	for key := range s.out {
		t.Computed = append(t.Computed, resource.PropertyKey(key))
	}
	if s.arn != "" {
		t.Computed = append(t.Computed, "arn")
	}
	if s.name != "" {
		t.Naming = &Naming{Property: resource.PropertyKey(s.name), Prefix: s.prefix, Max: s.max}
		t.Computed = append(t.Computed, t.Naming.Property)
		t.Replace = append(t.Replace, t.Naming.Property, t.Naming.prefixKey())
	}
	slices.Sort(t.Computed)
	t.Create = func(ctx context.Context, in Inputs) (string, resource.PropertyMap, error) {
		r := record{spec: s, world: world, in: in.Properties, done: resource.PropertyMap{}}
		out := r.outputs()
		id := r.word("id")
		if name := text(in.Properties, resource.PropertyKey(s.name)); s.effect.Exists != nil && s.effect.Exists(name) {
			return "", nil, fmt.Errorf("AlreadyExists: there is a %s already", name)
		}
		return id, out, s.put(ctx, id, in, out)
	}
	t.Update = func(ctx context.Context, id string, old resource.PropertyMap, in Inputs) (resource.PropertyMap, error) {
		r := record{spec: s, world: world, in: in.Properties, done: resource.PropertyMap{"id": resource.NewStringProperty(id)}}
		for _, key := range t.Computed {
			if value, ok := old[key]; ok && !slices.Contains(t.ComputedOnUpdate, key) {
				r.done[key] = value
			}
		}
		out := r.outputs()
		for _, key := range keys(s.bumps) {
			if value, ok := old[key]; ok && value.IsNumber() {
				out[key] = resource.NewNumberProperty(value.NumberValue() + 1)
			}
		}
		return out, s.put(ctx, id, in, out)
	}
	t.Delete = func(ctx context.Context, id string, in Inputs) error {
		if s.effect.Delete == nil {
			return nil
		}
		return s.effect.Delete(ctx, s.resource(id, in, in.Properties))
	}
	return t
}

func (s spec) put(ctx context.Context, id string, in Inputs, out resource.PropertyMap) error {
	if s.effect.Put == nil {
		return nil
	}
	properties := out.Copy()
	for key, value := range in.Properties {
		if in.Properties.HasValue(key) && key != keyDefaults {
			properties[key] = value
		}
	}
	return s.effect.Put(ctx, s.resource(id, in, properties))
}

func (s spec) resource(id string, in Inputs, properties resource.PropertyMap) Resource {
	r := Resource{
		Type: string(in.Type), LogicalName: in.Name, ID: id, ARN: text(properties, "arn"), Properties: properties.Mappable(),
	}
	if s.name != "" {
		r.Name = text(properties, resource.PropertyKey(s.name))
	}
	return r
}

// record computes the outputs of one resource; done holds what is known already.
type record struct {
	spec
	world constants
	in    resource.PropertyMap
	done  resource.PropertyMap
}

func (r record) outputs() resource.PropertyMap {
	out := resource.PropertyMap{}
	for _, key := range keys(r.bumps) {
		out[key] = resource.NewNumberProperty(1)
	}
	for key := range maps.Keys(r.out) {
		out[resource.PropertyKey(key)] = r.value(key)
	}
	if r.arn != "" {
		out["arn"] = r.value("arn")
	}
	if r.name != "" {
		out[resource.PropertyKey(r.name)] = r.value(r.name)
	}
	return out
}

func (r record) value(key string) resource.PropertyValue {
	if value, ok := r.in[resource.PropertyKey(key)]; ok && r.in.HasValue(resource.PropertyKey(key)) {
		return value
	}
	if value, ok := r.done[resource.PropertyKey(key)]; ok {
		return value
	}
	value := r.compute(key)
	r.done[resource.PropertyKey(key)] = value
	return value
}

func (r record) compute(key string) resource.PropertyValue {
	template, ok := r.out[key]
	switch {
	case key == "id":
		template = r.spec.id
	case key == "arn":
		template = r.arn
	case ok:
	case key == r.name: // only when the program gave a prefix for it
		naming := Naming{Property: resource.PropertyKey(key)}
		template = text(r.in, naming.prefixKey()) + "{hex17}"
	default:
		return resource.NewStringProperty(r.generate(key))
	}
	switch template := template.(type) {
	case number:
		const first = 1_000_000_000
		n, _ := rand.Int(rand.Reader, big.NewInt(1<<31-first))
		return resource.NewNumberProperty(float64(first + n.Int64()))
	case string:
		return resource.NewStringProperty(placeholder.ReplaceAllStringFunc(template, func(p string) string {
			word, relative := strings.CutPrefix(p[1:len(p)-1], "/")
			switch {
			case relative:
				return strings.TrimPrefix(r.word(word), "/")
			case word == key:
				return r.generate(key) // a bucket's output region is the cloud's region
			default:
				return r.word(word)
			}
		}))
	default:
		return resource.NewPropertyValue(template)
	}
}

var placeholder = regexp.MustCompile(`\{/?\w+\}`)

// word is the value of a placeholder. Random digits are new each time, all else is one value for a resource.
func (r record) word(key string) string {
	if strings.HasPrefix(key, "hex") {
		return r.generate(key)
	}
	switch value := r.value(key); {
	case value.IsString():
		return value.StringValue()
	case value.IsNumber():
		return strconv.FormatFloat(value.NumberValue(), 'f', -1, 64)
	default:
		return fmt.Sprint(value.Mappable())
	}
}

func (r record) generate(key string) string {
	var digits int
	if n, _ := fmt.Sscanf(key, "hex%d", &digits); n == 1 {
		return randomHex(digits)
	}
	if key == "now" {
		return time.Now().UTC().Format(time.RFC3339)
	}
	return r.world[key]
}

func randomHex(digits int) string {
	bytes := make([]byte, (digits+1)/2)
	_, _ = rand.Read(bytes) // never fails
	return hex.EncodeToString(bytes)[:digits]
}

func keys(list string) []resource.PropertyKey {
	var out []resource.PropertyKey
	for word := range strings.FieldsSeq(list) {
		out = append(out, resource.PropertyKey(word))
	}
	return out
}
