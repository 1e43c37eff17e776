package imageconfig_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/imageconfig"
)

var software = imageconfig.Software{
	Tag: "v1.4.0-3-g1a2b3c4d5e6f", Artifact: "s3://shop-dev/software/v1/shop-v1.tar.gz",
	SHA256: strings.Repeat("ab", 32), Commit: strings.Repeat("c0ffee00", 5),
}

func TestSetSoftwareFollowsTheFilesLayout(t *testing.T) {
	lines := func(indent, end string) string {
		value := `"software": {` + end + indent + indent + `"tag": "` + software.Tag + `",` + end +
			indent + indent + `"artifact": "` + software.Artifact + `",` + end +
			indent + indent + `"sha256": "` + software.SHA256 + `",` + end +
			indent + indent + `"commit": "` + software.Commit + `"` + end + indent + `}`
		return value
	}
	compact, _ := json.Marshal(software)
	for name, c := range map[string]struct{ before, after string }{
		"missing":      {"", "{\n  " + lines("  ", "\n") + "\n}\n"},
		"blank":        {" \n", "{\n  " + lines("  ", "\n") + "\n}\n"},
		"empty object": {"{}\n", "{\n  " + lines("  ", "\n") + "\n}\n"},
		"open object":  {"{\n}", "{\n  " + lines("  ", "\n") + "\n}"},
		"tabs":         {"{\n\t\"a\": 1\n}\n", "{\n\t\"a\": 1,\n\t" + lines("\t", "\n") + "\n}\n"},
		"windows":      {"{\r\n  \"a\": 1\r\n}", "{\r\n  \"a\": 1,\r\n  " + lines("  ", "\r\n") + "\r\n}"},
		"one line":     {`{"a":1}`, `{"a":1, "software": ` + string(compact) + `}`},
		"replaced":     {`{ "software" :null , "a":[1, 2] }`, `{ "software" :` + string(compact) + ` , "a":[1, 2] }`},
		"escaped key":  {`{"s\u006fftware":{}}`, `{"s\u006fftware":` + string(compact) + `}`},
		"nested key":   {`{"a":{"software":1}}`, `{"a":{"software":1}, "software": ` + string(compact) + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			after, err := imageconfig.SetSoftware([]byte(c.before), software)
			require.NoError(t, err)
			assert.Equal(t, c.after, string(after))
			config, err := imageconfig.Parse(after)
			require.NoError(t, err)
			assert.Equal(t, &software, config.Software)
		})
	}
}

func TestSameSoftwareChangesNoByte(t *testing.T) {
	other := fmt.Sprintf(`{"software":  {"commit":%q, "tag":%q,  "sha256":%q,"artifact":%q} }`,
		software.Commit, software.Tag, software.SHA256, software.Artifact)
	after, err := imageconfig.SetSoftware([]byte(other), software)
	require.NoError(t, err)
	assert.Equal(t, other, string(after))
}

func TestParse(t *testing.T) {
	config, err := imageconfig.Parse([]byte(`{"software": {}, "image": {"base": "ami-1", "setup": "bin/setup", "test": "t"}, "x": 1}`))
	require.NoError(t, err)
	assert.Equal(t, imageconfig.Config{Image: imageconfig.Image{Base: "ami-1", Setup: "bin/setup", Test: "t"}}, config)
	for _, empty := range []string{"", "{}", `{"software":null,"image":null}`} {
		config, err = imageconfig.Parse([]byte(empty))
		require.NoError(t, err, empty)
		assert.Zero(t, config, empty)
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"\xef\xbb\xbf{}":                         "config.json: line 1: begins with a byte order mark",
		`[]`:                                     "config.json: line 1: []: must be an object",
		`"x"`:                                    "must be an object",
		"{\n\"a\": 1,\n}":                        "config.json: line 3: is not JSON",
		`{} {}`:                                  "config.json: line 1: is not JSON",
		`{"software":{},"s\u006fftware":{}}`:     "config.json: software: the key is there twice",
		`{"image":{},"image":{}}`:                "config.json: image: the key is there twice",
		`{"software":"v1"}`:                      `config.json: software: "v1": must be an object`,
		`{"software":[1]}`:                       "config.json: software: [1]: must be an object",
		`{"software":{"tag":1}}`:                 "config.json: software.tag: 1: must be a text",
		`{"software":{"tag":"a","tag":"b"}}`:     "config.json: software.tag: the key is there twice",
		`{"image":{"setup":"../x"}}`:             "config.json: image.setup: \"../x\": must be a file of the repository",
		`{"image":{"test":"/x"}}`:                "config.json: image.test: \"/x\": must be",
		`{"image":{"setpu":"x"}}`:                "config.json: image.setpu: unknown key",
		`{"image":[]}`:                           "config.json: image: []: must be an object",
		`{"software":{"tag":"a b"},"image":{}}`:  "config.json: software.tag: \"a b\": must be",
		`{"software":{"artifact":"http://a/b"}}`: "config.json: software.artifact: \"http://a/b\" is not the address",
		`{"software":{"sha256":"AB"}}`:           "config.json: software.sha256: \"AB\": must be 64 hex digits",
		`{"software":{"commit":"dev"}}`:          "config.json: software.commit: \"dev\": must be 40 hex digits",
	} {
		_, err := imageconfig.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
		var invalid *imageconfig.InvalidError
		require.ErrorAs(t, fmt.Errorf("wrapped: %w", err), &invalid)
	}
}

func TestOthersIsTheSameHoweverTheFileIsWritten(t *testing.T) {
	a, err := imageconfig.Others([]byte(`{"b": {"y": 1.10, "x": "<&>"}, "software": {"tag": "1"}, "a": 12345678901234567890}`))
	require.NoError(t, err)
	assert.Equal(t, `{"a":12345678901234567890,"b":{"x":"<&>","y":1.10}}`, string(a))
	b, err := imageconfig.Others(nil)
	require.NoError(t, err)
	assert.Equal(t, `{}`, string(b))
}

// space, value and file draw JSON as people may write it.
var space = rapid.StringMatching(`[ \t\n\r]{0,4}`)

func value(t *rapid.T, depth int) string {
	kinds := []string{"null", "true", "-0.5e+3", `"text \" } , \u00e9 é"`, `"software"`, "[]", "{}"}
	if depth < 3 && rapid.Bool().Draw(t, "nested") {
		var parts []string
		object := rapid.Bool().Draw(t, "object")
		for i := range rapid.IntRange(0, 3).Draw(t, "n") {
			part := space.Draw(t, "s") + value(t, depth+1) + space.Draw(t, "s")
			if object {
				part = space.Draw(t, "s") + fmt.Sprintf(`"k%d"`, i) + space.Draw(t, "s") + ":" + part
			}
			parts = append(parts, part)
		}
		if object {
			return "{" + strings.Join(parts, ",") + "}"
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return rapid.SampledFrom(kinds).Draw(t, "kind")
}

func TestEveryOtherByteStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b b", "software", "image ", "é", `\"`, "s"}), 0, 5, rapid.ID).Draw(t, "keys")
		members := make([]string, len(keys))
		for i, key := range keys {
			v := value(t, 0)
			if key == "software" {
				v = rapid.SampledFrom([]string{"{}", "null", `{"tag" : "x"}`, `"broken"`}).Draw(t, "software")
			}
			members[i] = space.Draw(t, "s") + `"` + key + `"` + space.Draw(t, "s") + ":" + space.Draw(t, "s") + v + space.Draw(t, "s")
		}
		inner := strings.Join(members, ",")
		if len(keys) == 0 {
			inner = space.Draw(t, "s")
		}
		before := []byte(space.Draw(t, "s") + "{" + inner + "}" + space.Draw(t, "s"))
		require.True(t, json.Valid(before), "%s", before)

		after, err := imageconfig.SetSoftware(bytes.Clone(before), software)
		require.NoError(t, err)
		config, err := imageconfig.Parse(after)
		require.NoError(t, err, "%s", after)
		require.Equal(t, &software, config.Software)

		// What is not one stretch of new text is the old file: same beginning, same end, nothing lost between them but the
		// old value of the key.
		head, tail := 0, 0
		for head < min(len(before), len(after)) && before[head] == after[head] {
			head++
		}
		for tail < min(len(before), len(after))-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
			tail++
		}
		lost := string(before[head : len(before)-tail])
		if !strings.Contains(inner, `"software"`) {
			require.Empty(t, lost)
		}
		require.LessOrEqual(t, len(lost), len(`{"tag" : "x"}`))

		othersBefore, err := imageconfig.Others(before)
		require.NoError(t, err)
		othersAfter, err := imageconfig.Others(after)
		require.NoError(t, err)
		require.Equal(t, string(othersBefore), string(othersAfter))

		again, err := imageconfig.SetSoftware(after, software)
		require.NoError(t, err)
		require.Equal(t, string(after), string(again))
	})
}

// requireOtherBytesStay holds an edit against the file as encoding/json reads it, which SetSoftware does not use to find its places:
// around the value of the key software, or where the new member was put in, every byte is the one that was there.
func requireOtherBytesStay(t *testing.T, before, after []byte) {
	if len(bytes.TrimSpace(before)) == 0 {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(before))
	_, err := decoder.Token()
	require.NoError(t, err)
	for decoder.More() {
		key, err := decoder.Token()
		require.NoError(t, err)
		var value json.RawMessage
		require.NoError(t, decoder.Decode(&value))
		if key != "software" {
			continue
		}
		end := int(decoder.InputOffset())
		begin := end - len(value)
		require.Equal(t, string(value), string(before[begin:end]))
		require.True(t, bytes.HasPrefix(after, before[:begin]), "%q", after)
		require.True(t, bytes.HasSuffix(after, before[end:]), "%q", after)
		var now imageconfig.Software
		require.NoError(t, json.Unmarshal(after[begin:len(after)-(len(before)-end)], &now))
		require.Equal(t, software, now)
		return
	}
	head := 0
	for head < len(before) && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < len(before) && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	require.GreaterOrEqual(t, head+tail, len(before), "%q became %q", before, after)
}

func FuzzSetSoftware(f *testing.F) {
	f.Add([]byte("{ \"image\" : {\r\n\t\"base\": \"ami-1\" } ,\r\n \"software\" : { \"tag\" : \"v1\" } , \"x\":[ ] }\r\n"))
	f.Add([]byte("{\"\\u0073oftware\":null,\"a\":\"\\ud800\"}"))
	f.Add([]byte("\n{}\n"))
	f.Add([]byte(`{"software":{"tag":"a"},"image":{"setup":"x"}}`))
	f.Add([]byte("{\n  \"a\" : [1,{}]\n}"))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(`{"a":1} x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = imageconfig.Parse(data)
		after, err := imageconfig.SetSoftware(data, software)
		if err != nil {
			return
		}
		require.True(t, json.Valid(after), "%q", after)
		requireOtherBytesStay(t, data, after)
		again, err := imageconfig.SetSoftware(after, software)
		require.NoError(t, err)
		require.Equal(t, after, again)
		before, err := imageconfig.Others(data)
		require.NoError(t, err)
		others, err := imageconfig.Others(after)
		require.NoError(t, err)
		require.Equal(t, string(before), string(others))
	})
}
