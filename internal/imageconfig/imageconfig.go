// Package imageconfig reads and edits config.json, the file of the image repository that people and relay share: relay owns
// the key software, people own everything else. An edit leaves every byte of theirs as it is, so a hand-off's commit shows
// just what it changed. The scripts that the file names are not looked for here.
package imageconfig

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

// Name is the file's name, at the root of the image repository.
const Name = "config.json"

// Software is what relay writes under the key software: the artifact that goes into the image.
type Software struct {
	// Tag is the artifact's tag.
	Tag string `json:"tag"`
	// Artifact is the s3:// address of the artifact.
	Artifact string `json:"artifact"`
	// SHA256 is the artifact's digest in lower case hex.
	SHA256 string `json:"sha256"`
	// Commit is the full SHA-1 of the software repository's commit.
	Commit string `json:"commit"`
}

// Image is the optional key image, written by people.
type Image struct {
	// Base is the parent image that the repository expects; empty: any.
	Base string
	// Setup is the script that prepares the image, relative to the repository's root; empty: none.
	Setup string
	// Test is the script that checks the image, relative to the repository's root; empty: none.
	Test string
}

// Config is what config.json says.
type Config struct {
	// Software is nil before the first hand-off: no key, or null or {} as its value.
	Software *Software
	// Image is zero when the file says nothing.
	Image Image
}

// InvalidError lists everything that is wrong with the file.
type InvalidError struct {
	// Problems are lines such as `config.json: software.sha256: "x": must be …`.
	Problems []string
}

// Error returns the problems, one on a line.
func (e *InvalidError) Error() string { return strings.Join(e.Problems, "\n") }

// Parse reads the file's content; an empty or missing (nil) file is the zero Config. Keys that it does not know at the root
// and under software are left alone. The error is an *InvalidError with every problem at once.
func Parse(data []byte) (Config, error) {
	doc, err := scan(data)
	if err != nil {
		return Config{}, err
	}
	var config Config
	var problems problems
	if software := doc.software; software != nil && !blank(software.value) {
		config.Software = &Software{}
		values := problems.texts("software", software.value, map[string]*string{
			"tag": &config.Software.Tag, "artifact": &config.Software.Artifact,
			"sha256": &config.Software.SHA256, "commit": &config.Software.Commit,
		})
		if values {
			problems = append(problems, config.Software.problems()...)
		}
	}
	if image := doc.member("image"); image != nil && image.value.Type != gjson.Null {
		values := map[string]*string{"base": &config.Image.Base, "setup": &config.Image.Setup, "test": &config.Image.Test}
		problems.texts("image", image.value, values)
		image.value.ForEach(func(key, _ gjson.Result) bool {
			if _, known := values[key.String()]; !known && image.value.IsObject() {
				problems.add("image."+key.String(), "unknown key; allowed are base, setup, test")
			}
			return true
		})
		problems.script("image.setup", config.Image.Setup)
		problems.script("image.test", config.Image.Test)
	}
	if problems != nil {
		return Config{}, &InvalidError{Problems: problems}
	}
	return config, nil
}

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (s Software) problems() problems {
	var p problems
	if !artifact.IsTag(s.Tag) {
		p.add("software.tag", "%.80q: must be an artifact tag: letters, digits, dots, hyphens, underscores", s.Tag)
	}
	if _, _, err := artifact.ParseURI(s.Artifact); err != nil {
		p.add("software.artifact", "%v", err)
	}
	if !artifact.IsSHA256(s.SHA256) {
		p.add("software.sha256", "%.80q: must be 64 hex digits in lower case", s.SHA256)
	}
	if !commit.MatchString(s.Commit) {
		p.add("software.commit", "%.80q: must be 40 hex digits in lower case", s.Commit)
	}
	return p
}

type problems []string

func (p *problems) add(key, format string, args ...any) {
	*p = append(*p, fmt.Sprintf("%s: %s: %s", Name, key, fmt.Sprintf(format, args...)))
}

// texts reads the string members of an object; a member that is not there leaves its target empty.
func (p *problems) texts(key string, object gjson.Result, targets map[string]*string) bool {
	before := len(*p)
	if !object.IsObject() {
		p.add(key, "%.40s: must be an object", object.Raw)
		return false
	}
	seen := map[string]bool{}
	object.ForEach(func(name, value gjson.Result) bool {
		target, known := targets[name.String()]
		full := key + "." + name.String()
		switch {
		case !known:
		case seen[name.String()]:
			p.add(full, "the key is there twice; keep one")
		case value.Type != gjson.String:
			p.add(full, "%.40s: must be a text in quotes", value.Raw)
		default:
			*target = value.String()
		}
		seen[name.String()] = true
		return true
	})
	return len(*p) == before
}

func (p *problems) script(key, file string) {
	if file == "" {
		return
	}
	if path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") || strings.ContainsAny(file, "\x00\n\\") {
		p.add(key, "%.80q: must be a file of the repository: a relative path without ..", file)
	}
}

// blank says that people made room for the key and nothing was handed off yet.
func blank(value gjson.Result) bool {
	return value.Type == gjson.Null || value.IsObject() && len(value.Map()) == 0
}
