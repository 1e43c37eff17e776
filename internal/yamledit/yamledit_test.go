package yamledit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/yamledit"
)

const document = `# Héllo: who "edits" this?
config:   # the configuration
  a: plain value # not 'this'
  b:   "double \" # quoted"   # but this
  'c d': {uri: s3://x/y, sha256: '0''1', "version": 6.83.2}
  list:
    - {name: aws, uri: old}   # first
    -   name: github
        uri: old  # second

  é: über # umlauts
next: 1
`

func TestSet(t *testing.T) {
	for _, test := range []struct {
		path     []any
		old, new string // in the text
	}{
		{[]any{"config", "a"}, "plain value", "s3://b/k"},
		{[]any{"config", "b"}, `"double \" # quoted"`, `"s3://b/k"`},
		{[]any{"config", "c d", "uri"}, "s3://x/y", "s3://b/k"},
		{[]any{"config", "c d", "sha256"}, "'0''1'", "'s3://b/k'"},
		{[]any{"config", "c d", "version"}, "6.83.2", "s3://b/k"},
		{[]any{"config", "list", 0, "uri"}, "old}   # first", "s3://b/k}   # first"},
		{[]any{"config", "list", 1, "uri"}, "old  # second", "s3://b/k  # second"},
		{[]any{"config", "é"}, "über", "s3://b/k"},
		{[]any{"next"}, "next: 1", "next: s3://b/k"},
	} {
		got, err := yamledit.Set([]byte(document), "s3://b/k", test.path...)
		require.NoError(t, err, test.path)
		assert.Equal(t, strings.Replace(document, test.old, test.new, 1), string(got))
		again, err := yamledit.Set(got, "s3://b/k", test.path...)
		require.NoError(t, err)
		assert.Equal(t, string(got), string(again))
	}
}

func TestWhatIsNoStringIsQuoted(t *testing.T) {
	for _, value := range []string{"", "0123", "1e5", "true", "null", "a: b", "a #b", "- a", "[", "  a ", "a\nb", "\u2028"} {
		got, err := yamledit.Set([]byte("a: x # why\nb: {c: 1}\n"), value, "a")
		require.NoError(t, err, value)
		assert.Contains(t, string(got), " # why\nb: {c: 1}\n")
		var read struct{ A string }
		require.NoError(t, yaml.Unmarshal(got, &read))
		assert.Equal(t, value, read.A)
	}
}

func TestAdd(t *testing.T) {
	got, err := yamledit.Add([]byte(document), "new:key", `{uri: s3://x, sha256: "0"}`, "config")
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(document, "umlauts\n", "umlauts\n  new:key: {uri: s3://x, sha256: \"0\"}\n", 1), string(got))
	got, err = yamledit.Add([]byte("config:\r\n    a: 1"), "b", "2", "config")
	require.NoError(t, err)
	assert.Equal(t, "config:\r\n    a: 1\r\n    b: 2\r\n", string(got))
}

func TestWhatIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no key": "b: 1", "no YAML": "a: [", "nothing": "", "a list": "a: [1]", "a block": "a: |\n  x\nb: 1\n", "many lines": "a: x\n  y\n",
		"an anchor": "a: &x y\nb: *x\n", "a tag": "a: !!str 1\n", "quotes over lines": "a: \"x\n  y\"\n",
	} {
		_, err := yamledit.Set([]byte(text), "v", "a")
		assert.Error(t, err, name)
	}
	for name, text := range map[string]string{"a flow mapping": "a: {b: 1}", "no mapping": "a: 1", "a block at the end": "a:\n  b: |\n    x\n    y\n"} {
		_, err := yamledit.Add([]byte(text), "c", "1", "a")
		assert.Error(t, err, name)
	}
	_, err := yamledit.Find([]byte("a: {b: [1]}"), "a", "b", 1)
	require.ErrorIs(t, err, yamledit.ErrNotThere)
	assert.ErrorContains(t, err, "a.b[1]")
}

// TestNothingElseChanges writes documents around a value, and wants everything around it as it was.
func TestNothingElseChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zé]([a-zé0-9./:_-]{0,12}[a-z])?`)
		space := rapid.StringMatching(` {1,4}`)
		comment := rapid.OneOf(rapid.Just(""), rapid.Map(rapid.StringMatching(`[ -~é"'{}\[\]#:,]{0,20}`), func(s string) string { return " #" + s }))
		style := rapid.SampledFrom([]string{"%s", "'%s'", "%q"})
		old := fmt.Sprintf(style.Draw(t, "style"), word.Draw(t, "old"))
		newline := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "newline")
		before := "# top" + comment.Draw(t, "comment") + newline + "config:" + comment.Draw(t, "comment") + newline + "  x: 1" + comment.Draw(t, "comment") + newline
		after := comment.Draw(t, "comment") + newline + "  z: [1, {a: b}]" + comment.Draw(t, "comment") + newline
		if rapid.Bool().Draw(t, "flow") {
			before += "  y: {b: 'q, }'," + space.Draw(t, "space") + "key:" + space.Draw(t, "space")
			after = rapid.SampledFrom([]string{"", " "}).Draw(t, "gap") + ", c: d}" + after
		} else {
			before += "  y:" + newline + "    key:" + space.Draw(t, "space")
		}
		text := before + old + after
		value := rapid.OneOf(word, rapid.String()).Draw(t, "value")
		got, err := yamledit.Set([]byte(text), value, "config", "y", "key")
		if err != nil {
			t.Fatalf("%s\n%s", err, text)
		}
		node, err := yamledit.Find(got, "config", "y", "key")
		if err != nil || node.Value != value || node.Tag != "!!str" {
			t.Fatalf("%v %q\n%s", err, node.Value, got)
		}
		if !strings.HasPrefix(string(got), before) || !strings.HasSuffix(string(got), after) {
			t.Fatalf("from\n%s\nto\n%s", text, got)
		}
	})
}

func FuzzSet(f *testing.F) {
	f.Add(document, "value", "config", "a")
	for _, environment := range []string{"dev", "qa", "main"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "Pulumi."+environment+".yaml"))
		require.NoError(f, err)
		f.Add(string(text), strings.Repeat("a", 64), "config", "ha-devops:product")
	}
	f.Fuzz(func(t *testing.T, text, value, first, second string) {
		got, err := yamledit.Set([]byte(text), value, first, second)
		if err != nil {
			return
		}
		node, err := yamledit.Find(got, first, second)
		require.NoError(t, err)
		assert.Equal(t, value, node.Value)
	})
}
