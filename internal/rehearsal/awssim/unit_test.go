package awssim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestParseUnit(t *testing.T) {
	u, err := parseUnit(`# made by relay
[Unit]
Description=50%% of it
ExecStart=/not/this/section
[Service]
WorkingDirectory=/opt/shop/software
EnvironmentFile=-/etc/shop/environment
Environment=PORT=8080 "GREETING=hello world"
Environment='QUOTE=it\'s 5%%'
; a comment
ExecStart=/bin/sh -c 'echo "it\'s" 100%% $$HOME ${PORT} \\n\x41\101' \
# a comment within
  $WORDS
Restart=always
[Install]
WantedBy=multi-user.target`)
	require.NoError(t, err)
	assert.Equal(t, "/opt/shop/software", u.workingDirectory)
	assert.Equal(t, []string{"-/etc/shop/environment"}, u.environmentFiles)
	assert.Equal(t, []string{"PORT=8080", "GREETING=hello world", "QUOTE=it's 5%"}, u.environment)
	values := map[string]string{"PORT": "9", "WORDS": "a  b"}
	assert.Equal(t, []string{"/bin/sh", "-c", `echo "it's" 100% $HOME 9 \nAA`, "a", "b"}, u.argv(func(name string) string { return values[name] }))
}

func TestBadUnits(t *testing.T) {
	for text, says := range map[string]string{
		"[Service]\n":                          "ExecStart: not set",
		"[Service]\nExecStart=":                "ExecStart: not set",
		"[Service]\nnonsense\n":                "expected key=value",
		"[Service]\nExecStart=/bin/sh -c 'x\n": "quote is not closed",
		"[Service]\nExecStart=/bin/echo %H\n":  `specifier "%H"`,
	} {
		_, err := parseUnit(text)
		assert.ErrorContains(t, err, says, text)
	}
}

// A start command that is written as systemd wants it arrives as the person wrote it.
func TestStartCommandSurvivesTheUnit(t *testing.T) {
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `%`, `%%`, `$`, `$$`, "\n", `\n`)
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.StringMatching(`[ -~\n]{1,60}`).Draw(t, "start")
		u, err := parseUnit("[Service]\nExecStart=/bin/sh -c '" + escape.Replace(start) + "'\n")
		require.NoError(t, err)
		assert.Equal(t, []string{"/bin/sh", "-c", start}, u.argv(func(string) string { return "wrong" }))
	})
}

func TestLoadUnitChoosesTheService(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "etc/systemd/system")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	_, err := loadUnit(root)
	require.ErrorIs(t, err, errNoUnit)
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	write("agent.service", "[Service]\nExecStart=/agent\n")
	u, err := loadUnit(root)
	require.NoError(t, err)
	assert.Equal(t, []string{"/agent"}, u.execStart)
	write("shop.service", "[Service]\nEnvironment=PORT=80\nExecStart=/shop\n")
	u, err = loadUnit(root)
	require.NoError(t, err)
	assert.Equal(t, []string{"/shop"}, u.execStart)
	write("other.service", "[Service]\nEnvironment=PORT=81\nExecStart=/other\n")
	_, err = loadUnit(root)
	require.ErrorContains(t, err, "of 3 units 2 set PORT")
}

func TestCommandIsFoundBelowTheRoot(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/shop"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/shop/environment"), []byte("# c\nPORT=1\nA=\"b c\"\nnonsense\n"), 0o644))
	u := unit{execStart: []string{"/bin/sh", "${A}"}, environmentFiles: []string{"/etc/shop/environment", "-/none"}}
	cmd, err := command(root, u, 4711, "/usr/bin", "/home")
	require.NoError(t, err)
	assert.Equal(t, []string{"/bin/sh", "b c"}, cmd.Args, "the shell is this machine's")
	assert.Equal(t, []string{"PATH=/usr/bin", "HOME=/home", "PORT=1", "A=b c", "PORT=4711", "HOST=127.0.0.1", "DESTDIR=" + root}, cmd.Env)
	assert.Equal(t, root, cmd.Dir)

	_, err = command(root, unit{execStart: []string{"/opt/none"}}, 1, "", "")
	require.ErrorContains(t, err, "ExecStart")
	_, err = command(root, unit{execStart: []string{"/bin/sh"}, workingDirectory: "/none"}, 1, "", "")
	require.ErrorContains(t, err, "WorkingDirectory")
	_, err = command(root, unit{execStart: []string{"/bin/sh"}, environmentFiles: []string{"/none"}}, 1, "", "")
	require.ErrorContains(t, err, "EnvironmentFile")
}

func TestMatchStatus(t *testing.T) {
	for matcher, statuses := range map[string]map[int]bool{
		"200": {200: true, 201: false}, "200,302": {302: true, 301: false}, "200-299,404": {250: true, 404: true, 300: false},
	} {
		for status, want := range statuses {
			got, err := matchStatus(matcher, status)
			require.NoError(t, err)
			assert.Equal(t, want, got, "%s %d", matcher, status)
		}
	}
}

func TestTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	assert.Empty(t, tail(path))
	require.NoError(t, os.WriteFile(path, []byte("\n"), 0o600))
	assert.Empty(t, tail(path))
	require.NoError(t, os.WriteFile(path, []byte("one\ntwo\n"), 0o600))
	assert.Equal(t, "\none\ntwo", tail(path))
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("0123456789\n", 100_000)), 0o600))
	assert.Equal(t, strings.Repeat("\n0123456789", 20), tail(path))
}

func FuzzParseUnit(f *testing.F) {
	f.Add("[Service]\nExecStart=/bin/sh -c 'a ${B} $C $$ \\x41' $D\nEnvironment=A=b \"C=d e\"\n")
	f.Add("[Service]\nExecStart=/a \\\n b\\")
	f.Fuzz(func(_ *testing.T, text string) {
		if u, err := parseUnit(text); err == nil {
			u.argv(func(string) string { return "$ ${x}" })
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	f.Add("name: d\nschemaVersion: 1.0\nconstants: [{A: {type: string, value: b}}]\nphases: [{name: build, steps: [{name: s, action: ExecuteBash, inputs: {commands: ['{{ A }}']}}]}]\n")
	f.Add("name: d\nschemaVersion: 1.0\nphases:\n  - name: build\n    steps:\n      - name: D\n        action: S3Download\n        inputs: [{source: s3://b/k, destination: /opt/}]\n")
	f.Add("name: d\nschemaVersion: 1.0\nparameters: [{P: {default: x}}]\nphases: &p [{name: test, steps: [{name: s, action: S3Download, timeoutSeconds: -1, inputs: [*p, {{{ P }}: {{P}}}]}]}]\n")
	f.Fuzz(func(_ *testing.T, text string) {
		doc, err := parseDocument(text)
		if err != nil {
			return
		}
		values, err := doc.values(nil)
		if err != nil {
			return
		}
		for _, phase := range doc.Phases {
			for _, step := range phase.Steps {
				if inputs, err := interpolate(&step.Inputs, values); err == nil {
					var out yaml.Node
					_ = inputs.Decode(&out)
				}
			}
		}
	})
}
