package awssim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unit is what the simulation takes from the [Service] section of a systemd unit. Other settings are about a whole machine
// (users, restarts, ordering) and have no meaning here.
// https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
type unit struct {
	workingDirectory string
	environment      []string // NAME=value
	environmentFiles []string // with the leading "-" of one that may be missing
	execStart        []string // words, with $ and ${ not yet replaced
}

// errNoUnit is a launch from an image in which nothing is installed.
var errNoUnit = errors.New("etc/systemd/system has no .service unit; was the image baked?")

// loadUnit returns the unit of the service that the instances of an image run. Of several it is the one that sets PORT.
func loadUnit(root string) (unit, error) {
	paths, err := filepath.Glob(filepath.Join(root, "etc/systemd/system/*.service"))
	if err != nil {
		return unit{}, err
	}
	if len(paths) == 0 {
		return unit{}, errNoUnit
	}
	var found []unit
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return unit{}, err
		}
		u, err := parseUnit(string(text))
		if err != nil {
			return unit{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		port := slices.ContainsFunc(u.environment, func(v string) bool { return strings.HasPrefix(v, "PORT=") })
		if port || len(paths) == 1 {
			found = append(found, u)
		}
	}
	if len(found) != 1 {
		return unit{}, fmt.Errorf("etc/systemd/system: of %d units %d set PORT; expected one, the service to start", len(paths), len(found))
	}
	return found[0], nil
}

// parseUnit reads a unit file.
// https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html
func parseUnit(text string) (unit, error) {
	var u unit
	section, pending := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" && pending == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if before, ok := strings.CutSuffix(line, `\`); ok {
			pending += before + " "
			continue
		}
		line, pending = pending+line, ""
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		if section != "[Service]" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return unit{}, fmt.Errorf("line %q: expected key=value", line)
		}
		if err := u.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return unit{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(u.execStart) == 0 {
		return unit{}, errors.New("ExecStart: not set")
	}
	return u, nil
}

func (u *unit) set(key, value string) error {
	var err error
	switch key {
	case "WorkingDirectory":
		u.workingDirectory, err = expandSpecifiers(value)
	case "EnvironmentFile":
		u.environmentFiles = append(u.environmentFiles, value)
	case "Environment":
		var words []string
		words, err = unitWords(value)
		u.environment = append(u.environment, words...)
	case "ExecStart":
		u.execStart, err = unitWords(value)
	}
	return err
}

func unitWords(value string) ([]string, error) {
	words, err := splitWords(value)
	if err != nil {
		return nil, err
	}
	for i, word := range words {
		if words[i], err = expandSpecifiers(word); err != nil {
			return nil, err
		}
	}
	return words, nil
}

// expandSpecifiers replaces %%, the only specifier that means the same on every machine.
func expandSpecifiers(word string) (string, error) {
	rest := strings.ReplaceAll(word, "%%", "")
	if i := strings.IndexByte(rest, '%'); i >= 0 {
		return "", fmt.Errorf("the rehearsal was not taught the specifier %.2q; a percent sign itself is written %%%%", rest[i:])
	}
	return strings.ReplaceAll(word, "%%", "%"), nil
}

// argv returns the words of ExecStart with the variables replaced as systemd does: ${NAME} anywhere, $NAME where it is a word
// of its own, which may become several or none, and $$ for a dollar sign. The command itself is taken as it is.
func (u unit) argv(lookup func(string) string) []string {
	out := []string{u.execStart[0]}
	for _, word := range u.execStart[1:] {
		if name, ok := strings.CutPrefix(word, "$"); ok && name != "" && name[0] != '{' && name[0] != '$' {
			out = append(out, strings.Fields(lookup(name))...)
			continue
		}
		var b strings.Builder
		for {
			before, after, ok := strings.Cut(word, "$")
			b.WriteString(before)
			if !ok {
				break
			}
			name, rest, closed := strings.Cut(after, "}")
			switch {
			case strings.HasPrefix(after, "$"):
				b.WriteByte('$')
				word = after[1:]
			case strings.HasPrefix(after, "{") && closed:
				b.WriteString(lookup(name[1:]))
				word = rest
			default:
				b.WriteByte('$')
				word = after
			}
		}
		out = append(out, b.String())
	}
	return out
}

// readEnvironmentFile reads the lines NAME=value of a file; quotes around a value are taken off.
func readEnvironmentFile(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && value[0] == value[n-1] && (value[0] == '"' || value[0] == '\'') {
			value = value[1 : n-1]
		}
		out = append(out, strings.TrimSpace(name)+"="+value)
	}
	return out, nil
}
