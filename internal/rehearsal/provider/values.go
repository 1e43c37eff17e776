package provider

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// plain returns the properties without the wrappers of secrets and outputs.
func plain(m resource.PropertyMap) resource.PropertyMap {
	out := make(resource.PropertyMap, len(m))
	for key, value := range m {
		out[key] = plainValue(value)
	}
	return out
}

func plainValue(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsSecret():
		return plainValue(v.SecretValue().Element)
	case v.IsOutput():
		if o := v.OutputValue(); o.Known {
			return plainValue(o.Element)
		}
		return unknown()
	case v.IsArray():
		out := make([]resource.PropertyValue, len(v.ArrayValue()))
		for i, element := range v.ArrayValue() {
			out[i] = plainValue(element)
		}
		return resource.NewArrayProperty(out)
	case v.IsObject():
		return resource.NewObjectProperty(plain(v.ObjectValue()))
	}
	return v
}

func unknown() resource.PropertyValue { return resource.MakeComputed(resource.NewStringProperty("")) }

func unknowns(keys []resource.PropertyKey) resource.PropertyMap {
	out := resource.PropertyMap{}
	for _, key := range keys {
		out[key] = unknown()
	}
	return out
}

// text returns a property that is a string, and "" for any other.
func text(m resource.PropertyMap, key resource.PropertyKey) string {
	if v, ok := m[key]; ok && v.IsString() {
		return v.StringValue()
	}
	return ""
}

// defaultTags reads defaultTags.tags of the aws provider's configuration, whose nested values the SDK sends as JSON.
func defaultTags(config resource.PropertyMap) resource.PropertyMap {
	v := plainValue(config["defaultTags"])
	if v.IsString() {
		var parsed map[string]any
		if json.Unmarshal([]byte(v.StringValue()), &parsed) == nil {
			v = resource.NewPropertyValue(parsed)
		}
	}
	if v.IsObject() {
		if tags := plainValue(v.ObjectValue()["tags"]); tags.IsObject() {
			return tags.ObjectValue()
		}
	}
	return nil
}

// addTags puts the defaults under the tags that the program gave, as the aws provider does when it checks a resource.
func addTags(inputs, defaults resource.PropertyMap) {
	if len(defaults) == 0 {
		return
	}
	tags := defaults.Copy()
	if own, ok := inputs[keyTags]; ok {
		own = plainValue(own)
		if !own.IsObject() {
			return
		}
		for key, value := range own.ObjectValue() {
			tags[key] = value
		}
	}
	inputs[keyTags] = resource.NewObjectProperty(tags)
}

// apply fills in the name that the program did not give: the one the resource has, or a new one. The seed makes the
// name of a preview the name of the update that follows its plan.
func (n Naming) apply(req plugin.CheckRequest, news resource.PropertyMap) error {
	if news.HasValue(n.Property) || news.HasValue(n.prefixKey()) {
		return nil
	}
	if name, ok := req.Olds[n.Property]; ok && n.automatic(req.Olds) {
		news[n.Property] = name
	} else {
		name, err := resource.NewUniqueName(req.RandomSeed, n.Prefix+req.Name+"-", 7, n.Max, nil)
		if err != nil {
			return fmt.Errorf("naming %s %q: %w", req.Type, req.Name, err)
		}
		news[n.Property] = resource.NewStringProperty(name)
	}
	news[keyDefaults] = resource.NewArrayProperty([]resource.PropertyValue{resource.NewStringProperty(string(n.Property))})
	return nil
}

// fixed says that the program gave the name and keeps it.
func (n Naming) fixed(olds, news resource.PropertyMap) bool {
	name := text(plain(news), n.Property)
	return name != "" && name == text(plain(olds), n.Property) && !n.automatic(news)
}

func (n Naming) automatic(inputs resource.PropertyMap) bool {
	_, ok := inputs[keyDefaults]
	return ok
}

// prefixKey is the input with which a program asks for a name that only begins as it says.
func (n Naming) prefixKey() resource.PropertyKey {
	if n.Property == "bucket" {
		return "bucketPrefix"
	}
	return "namePrefix"
}
