package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/publish"
	"github.com/tekpossible/ha-devops/internal/yamledit"
)

// yaml is the configuration that pins what was published, as it stands below config in Pulumi.<environment>.yaml.
func (p published) yaml() string {
	var out strings.Builder
	tool := func(key string, t publish.Published) {
		fmt.Fprintf(&out, "  %s:\n    uri: %s\n    sha256: %q\n", environments.Key(key), t.URI, t.SHA256)
	}
	tool("relay", p.Relay)
	if p.PulumiCLI != nil {
		tool("pulumiCLI", *p.PulumiCLI)
	}
	if len(p.Plugins) > 0 {
		fmt.Fprintf(&out, "  %s:\n", environments.Key("plugins"))
		for _, plugin := range p.Plugins {
			fmt.Fprintf(&out, "    - %s\n", plugin.line())
		}
	}
	return out.String()
}

func line(t publish.Published) string { return fmt.Sprintf("{uri: %s, sha256: %q}", t.URI, t.SHA256) }

func (p publishedPlugin) line() string {
	return fmt.Sprintf("{name: %s, version: %s, uri: %s, sha256: %q}", p.Name, p.Version, p.URI, p.SHA256)
}

// pin sets what was published in an environment's file, in which nothing else changes, and returns the file's name and whether it
// changed.
func (p published) pin(dir, environment string) (file string, changed bool, err error) {
	file = filepath.Join(dir, "Pulumi."+environment+".yaml")
	before, err := os.ReadFile(file)
	if err != nil {
		return file, false, err
	}
	text, err := p.edit(before)
	if err != nil {
		return file, false, fmt.Errorf("%s: %w", file, err)
	}
	if bytes.Equal(before, text) {
		return file, false, nil
	}
	return file, true, replace(file, text)
}

func (p published) edit(text []byte) ([]byte, error) {
	text, err := pinTool(text, "relay", p.Relay)
	if err == nil && p.PulumiCLI != nil {
		text, err = pinTool(text, "pulumiCLI", *p.PulumiCLI)
	}
	if err != nil || len(p.Plugins) == 0 {
		return text, err
	}
	key := environments.Key("plugins")
	list, err := yamledit.Find(text, "config", key)
	if errors.Is(err, yamledit.ErrNotThere) {
		var lines []string
		for _, plugin := range p.Plugins {
			lines = append(lines, plugin.line())
		}
		return yamledit.Add(text, key, "["+strings.Join(lines, ", ")+"]", "config")
	}
	for _, plugin := range p.Plugins {
		if err != nil {
			return nil, err
		}
		i := indexOf(list, plugin.Name)
		if i < 0 {
			return nil, fmt.Errorf("%s: there is none of the name %s; add it: %s", key, plugin.Name, plugin.line())
		}
		text, err = setAll(text, [][2]string{{"version", plugin.Version}, {"uri", plugin.URI}, {"sha256", plugin.SHA256}}, "config", key, i)
	}
	return text, err
}

func pinTool(text []byte, name string, tool publish.Published) ([]byte, error) {
	key := environments.Key(name)
	if _, err := yamledit.Find(text, "config", key); errors.Is(err, yamledit.ErrNotThere) {
		return yamledit.Add(text, key, line(tool), "config")
	}
	return setAll(text, [][2]string{{"uri", tool.URI}, {"sha256", tool.SHA256}}, "config", key)
}

func setAll(text []byte, values [][2]string, path ...any) ([]byte, error) {
	for _, it := range values {
		var err error
		if text, err = yamledit.Set(text, it[1], append(path[:len(path):len(path)], it[0])...); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// indexOf is the place of the plugin of a name in a list, -1 when it is not there.
func indexOf(list *yaml.Node, name string) int {
	var plugins []struct{ Name string }
	if list.Decode(&plugins) != nil {
		return -1
	}
	for i, plugin := range plugins {
		if plugin.Name == name {
			return i
		}
	}
	return -1
}

// replace writes a file so that it is never half there.
func replace(file string, content []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	_, err = fresh.Write(content)
	if err := errors.Join(err, fresh.Chmod(info.Mode().Perm()), fresh.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", fresh.Name(), err)
	}
	return os.Rename(fresh.Name(), file)
}
