package relayfile

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/internal/yamldoc"
)

var keys = map[string]func(f *File, value *yaml.Node) string{
	"build": func(f *File, v *yaml.Node) string {
		f.Build = v.Value
		return command(v)
	},
	"package": func(f *File, v *yaml.Node) string {
		f.Package = path.Clean(v.Value)
		if !isText(v) || !local(v.Value) {
			return "must be a directory inside the repository, relative, without .. and .git"
		}
		return ""
	},
	"start": func(f *File, v *yaml.Node) string {
		f.Start = strings.TrimSpace(v.Value)
		if strings.ContainsFunc(f.Start, unicode.IsControl) {
			// It becomes one line of a systemd unit.
			return "must be one line without control characters; put more into a script and start that"
		}
		return command(v)
	},
	"port": func(f *File, v *yaml.Node) string {
		port, err := strconv.Atoi(v.Value)
		if v.ShortTag() != "!!int" || err != nil || port < 1024 || port > 65535 {
			return "must be a number from 1024 to 65535"
		}
		f.Port = port
		return ""
	},
	"health": func(f *File, v *yaml.Node) string {
		f.Health = v.Value
		if !isText(v) || !strings.HasPrefix(v.Value, "/") || strings.ContainsAny(v.Value, " ?#\\") || !printable(v.Value) {
			return "must be a path of a URL that begins with /, in ASCII, without spaces, ? and #"
		}
		return ""
	},
}

// Parse reads the file's content; empty content is Default. The error is an *InvalidError with every problem at once.
func Parse(data []byte) (File, error) {
	file := Default()
	var problems []string
	report := func(format string, args ...any) {
		problems = append(problems, Name+": "+fmt.Sprintf(format, args...))
	}
	root, err := yamldoc.Root(data)
	switch {
	case err != nil:
		report("%v", err)
	case root == nil:
	case root.Kind != yaml.MappingNode:
		report("line %d: must be keys with values, such as \"build: make\"", root.Line)
	default:
		seen := map[string]bool{}
		for i := 0; i < len(root.Content); i += 2 {
			key, value := root.Content[i].Value, root.Content[i+1]
			set, known := keys[key]
			switch {
			case !known:
				report("%s: line %d: unknown key; allowed are build, package, start, port, health", brief(key), root.Content[i].Line)
			case seen[key]:
				report("%s: line %d: the key is there twice; keep one", key, root.Content[i].Line)
			case value.Kind != yaml.ScalarNode:
				report("%s: line %d: must be one value, not a list, a map or an alias", key, value.Line)
			default:
				if problem := set(&file, value); problem != "" {
					report("%s: %s: %s", key, brief(value.Value), problem)
				}
			}
			seen[key] = true
		}
	}
	if problems != nil {
		return File{}, &InvalidError{Problems: problems}
	}
	return file, nil
}

func command(v *yaml.Node) string {
	if !isText(v) || strings.TrimSpace(v.Value) == "" || strings.ContainsRune(v.Value, 0) {
		return "must be a shell command, in quotes if YAML takes it for something else; without one leave the key out"
	}
	return ""
}

func local(dir string) bool {
	parts := strings.Split(dir, "/")
	return dir != "" && !path.IsAbs(dir) && printableOrUnicode(dir) && !strings.Contains(dir, `\`) &&
		!slices.Contains(parts, "..") && !slices.Contains(parts, ".git")
}

func isText(v *yaml.Node) bool { return v.ShortTag() == "!!str" }

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func printableOrUnicode(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// brief keeps a problem on one line of readable length.
func brief(s string) string {
	const most = 60
	if quoted := strconv.Quote(s); len(quoted) != len(s)+2 {
		s = quoted
	}
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	if s == "" {
		return "(empty)"
	}
	return s
}
