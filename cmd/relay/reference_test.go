package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const referenceFile = "../../docs/relay.md"

func newRoot(t *testing.T) *cobra.Command {
	t.Helper()
	return newRootCommand(&deps{ui: &ui{stdout: io.Discard, stderr: io.Discard}, getenv: func(string) string { return "" }})
}

// TestReference holds docs/relay.md against the commands; with UPDATE_REFERENCE=1 it writes it.
func TestReference(t *testing.T) {
	generated := reference(t, newRoot(t))
	if os.Getenv("UPDATE_REFERENCE") != "" {
		require.NoError(t, os.WriteFile(referenceFile, []byte(generated), 0o644))
	}
	committed, err := os.ReadFile(referenceFile)
	require.NoError(t, err)
	require.Equal(t, generated, string(committed), "run UPDATE_REFERENCE=1 go test ./cmd/relay -run TestReference")
}

func TestEveryCommandIsDocumented(t *testing.T) {
	for _, cmd := range newRoot(t).Commands() {
		assert.NotEmpty(t, cmd.Short, cmd.Name())
		assert.Regexp(t, `(?m)^  .*relay `+cmd.Name(), cmd.Example, cmd.Name())
		_, promise := promised(cmd)
		assert.Regexp(t, `^0 .+\b1 .+\b2 bad usage`, promise, cmd.Name())
	}
}

// promised takes the exit status out of a command's long help.
func promised(cmd *cobra.Command) (text, exits string) {
	text, exits, _ = strings.Cut(cmd.Long, "Exit status: ")
	return strings.TrimSpace(text), strings.TrimSpace(exits)
}

// reference is docs/relay.md.
func reference(t *testing.T, root *cobra.Command) string {
	t.Helper()
	var out strings.Builder
	text, exits := promised(root)
	fmt.Fprintf(&out, "# relay\n\n<!-- Generated from the commands: UPDATE_REFERENCE=1 go test ./cmd/relay -run TestReference -->\n\n%s\n\n", text)
	for _, cmd := range root.Commands() {
		fmt.Fprintf(&out, "- [`relay %s`](#relay-%s): %s\n", cmd.Name(), cmd.Name(), strings.ToLower(cmd.Short[:1])+cmd.Short[1:])
	}
	fmt.Fprintf(&out, "\n**Exit status.** %s Each command below says what its 0 promises.\n\n## Options of every command\n\n%s", exits, options(root.PersistentFlags()))
	for _, cmd := range root.Commands() {
		text, exits := promised(cmd)
		fmt.Fprintf(&out, "\n## relay %s\n\n%s.\n\n```\n%s\n```\n\n%s\n", cmd.Name(), cmd.Short, cmd.UseLine(), text)
		fmt.Fprintf(&out, "\n**Exit status.** %s\n", exits)
		if flags := options(cmd.NonInheritedFlags()); flags != "" {
			fmt.Fprintf(&out, "\n**Options.**\n\n%s", flags)
		}
		fmt.Fprintf(&out, "\n**Examples.**\n\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
		if shown := jsonOf(t, cmd.Name()); shown != "" {
			fmt.Fprintf(&out, "\n**JSON.** With `--output json`, as its test has it, with what differs from run to run in capitals:\n\n```json\n%s```\n", shown)
		}
	}
	return out.String()
}

func options(flags *pflag.FlagSet) string {
	var out strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if value != "" {
			name += " " + value
		}
		initial := ""
		if f.DefValue != "" && f.DefValue != "false" {
			initial = " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(&out, "- `%s`: %s%s\n", name, usage, initial)
	})
	return out.String()
}

// jsonOf is what a command's script expects of its JSON.
func jsonOf(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "script", name+".txtar"))
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(t, err)
	for _, f := range archive.Files {
		if f.Name == "json.txt" {
			return string(f.Data)
		}
	}
	return ""
}

// TestLinesOfHelpFitATerminal keeps --help readable.
func TestLinesOfHelpFitATerminal(t *testing.T) {
	for _, cmd := range newRoot(t).Commands() {
		text, _ := promised(cmd)
		for _, line := range regexp.MustCompile(`\n`).Split(text, -1) {
			assert.LessOrEqual(t, len(line), 140, "%s: %s", cmd.Name(), line)
		}
	}
}
