package relayfile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/relayfile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, data, err := relayfile.Read(dir)
	require.NoError(t, err)
	assert.Nil(t, data)
	assert.Equal(t, relayfile.Default(), file)

	text := "# how\nbuild: make dist\npackage: dist/\nstart: ./server --port $PORT\nport: 9000\nhealth: /up\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, relayfile.Name), []byte(text), 0o600))
	file, data, err = relayfile.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, text, string(data))
	assert.Equal(t, relayfile.File{
		Build: "make dist", Package: "dist", Start: "./server --port $PORT", Port: 9000, Health: "/up",
	}, file)
}

func TestNothingSaidIsDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# only a comment\n", "---\n", "null\n"} {
		file, err := relayfile.Parse([]byte(text))
		require.NoError(t, err, "%q", text)
		assert.Equal(t, relayfile.Default(), file, "%q", text)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	_, err := relayfile.Parse([]byte("build: [a, b]\npakage: x\nport: 80\nhealth: up\npackage: ../x\nstart: \"a\\nb\"\nport: 9000\n"))
	var invalid *relayfile.InvalidError
	require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &invalid)
	assert.Equal(t, []string{
		".relay.yaml: build: line 1: must be one value, not a list, a map or an alias",
		".relay.yaml: pakage: line 2: unknown key; allowed are build, package, start, port, health",
		".relay.yaml: port: 80: must be a number from 1024 to 65535",
		".relay.yaml: health: up: must be a path of a URL that begins with /, in ASCII, without spaces, ? and #",
		".relay.yaml: package: ../x: must be a directory inside the repository, relative, without .. and .git",
		`.relay.yaml: start: "a\nb": must be one line without control characters; put more into a script and start that`,
		".relay.yaml: port: line 7: the key is there twice; keep one",
	}, invalid.Problems)
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"build: true\n":               "build: true: must be a shell command",
		"build:\n":                    "build: (empty): must be a shell command",
		"start: \"  \"\n":             "must be a shell command",
		"port: \"8080\"\n":            "port: 8080: must be a number",
		"port: 0x1F90\n":              "port: 0x1F90: must be a number",
		"port: 65536\n":               "must be a number",
		"package: /etc\n":             "package: /etc: must be a directory inside",
		"package: a/../../b\n":        "must be a directory inside",
		"package: .git\n":             "must be a directory inside",
		"health: /a b\n":              "health: /a b: must be a path",
		"- build\n":                   "line 1: must be keys with values",
		"build: a\n---\nbuild: b\n":   "more than one document",
		"build: &x a\nstart: *x\n":    "start: line 2: must be one value",
		"build: {\n":                  ".relay.yaml: line",
		"a: b\n" + "build: \"\\0\"\n": "build: \"\\x00\": must be a shell command",
	} {
		_, err := relayfile.Parse([]byte(text))
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("build: make\npackage: dist\nstart: ./x\nport: 8080\nhealth: /healthz\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("\xef\xbb\xbfbuild: x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := relayfile.Parse(data)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				require.True(t, strings.HasPrefix(line, ".relay.yaml: "), "%q", err.Error())
			}
			return
		}
		require.True(t, filepath.IsLocal(file.Package), file.Package)
		require.NotContains(t, file.Start, "\n")
		require.True(t, file.Port >= 1024 && file.Port <= 65535)
		require.True(t, strings.HasPrefix(file.Health, "/"))
	})
}
