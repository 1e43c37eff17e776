package rehearsal_test

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

// TestSecretsAreNeverTold releases with a plain token and with an App's key, with releases that succeed, fail and are rolled back, and
// looks for every secret in all that is left: logs, reports, objects, commits, states, images, errors.
func TestSecretsAreNeverTold(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	app, err := json.Marshal(map[string]any{"appId": rehearsal.AppID, "installationId": 7, "privateKey": string(private)})
	require.NoError(t, err)

	w := quiet(t)
	// An instance that is never healthy is to be noticed soon.
	w.infrastructure = files(t, map[string]string{"environment.json": `{"health": {"graceSeconds": 1}}`})
	o := w.options(t)
	o.Apps = []githubsim.App{{ID: rehearsal.AppID, Installation: 7, Login: "relay[bot]", Key: &key.PublicKey}}
	var shown locked
	timeline := rehearsal.NewTimeline(io.MultiWriter(t.Output(), &shown), false)
	t.Cleanup(timeline.Close)
	o.Timeline = timeline
	r, err := rehearsal.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })

	require.NoError(t, r.Provision(t.Context(), "dev"))
	require.NoError(t, r.FirstRelease(t.Context()), "with the token")
	r.SetGitHubSecret(string(app))
	failed := r.Change(t.Context(), map[string]string{".relay.yaml": "build: 'echo building; exit 7'\n"})
	require.ErrorContains(t, failed, "exit status 7")
	brought := r.Change(t.Context(), map[string]string{".relay.yaml": "start: sleep 600\n"})
	require.ErrorContains(t, brought, "rolled back")
	require.NoError(t, r.Change(t.Context(), map[string]string{".relay.yaml": "{}\n"}), "with the App's key")
	minted := r.Minted()
	require.NotEmpty(t, minted)

	secrets := map[string]string{
		"the GitHub token": rehearsal.AppToken, "the AWS secret key": rehearsal.SecretKey, "Pulumi's passphrase": rehearsal.Passphrase,
		// A line in the middle of the PEM block is enough, whatever its line breaks have become.
		"the App's key": strings.Split(string(private), "\n")[5],
	}
	for i, token := range minted {
		secrets[fmt.Sprintf("the App's token %d", i)] = token
	}
	export, err := r.Export(t.Context(), "dev")
	require.NoError(t, err)
	place := trove{"error": []byte(errors.Join(failed, brought).Error()), "timeline": shown.Bytes(), "stack export": export}
	place.collect(t, r, o)
	require.Greater(t, len(place), 100)
	assert.Empty(t, place.search(secrets))

	// The search finds what it is meant to find, wherever it lies.
	secret := rehearsal.SecretKey
	require.NoError(t, r.PutObject("planted", []byte("x"+base64.StdEncoding.EncodeToString([]byte("xy"+secret+"z")))))
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err = zip.Write([]byte(secret))
	require.NoError(t, errors.Join(err, zip.Close()))
	require.NoError(t, r.PutObject("packed", packed.Bytes()))
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "pipelines", "logs", "planted"), []byte("key="+secret), 0o600))
	output, err := push(t, r.Remote("infrastructure", rehearsal.AppToken), "dev")
	require.NoError(t, err, output)
	place = trove{"error": []byte("with " + secret)}
	place.collect(t, r, o)
	found := strings.Join(place.search(map[string]string{"it": secret, "a file": "pushed past the pull requests"}), "\n")
	for _, name := range []string{
		"demo-tools/planted", "demo-tools/packed", "pipelines/logs/planted", "commits of demo-infrastructure", "error",
	} {
		assert.Contains(t, found, name)
	}
}

// trove is all that could tell a secret, by where it is.
type trove map[string][]byte

// collect adds all objects, files and commits, unpacked. The relay binary is none of them.
func (all trove) collect(t *testing.T, r *rehearsal.Rehearsal, o rehearsal.Options) {
	t.Helper()
	binary, err := os.ReadFile(o.Relay)
	require.NoError(t, err)
	add := func(name string, content []byte) {
		if len(content) != len(binary) || !bytes.Equal(content, binary) {
			all[name] = unpacked(content)
		}
	}
	objects, err := r.Objects()
	require.NoError(t, err)
	for name, content := range objects {
		add("object "+name, content)
	}
	require.NoError(t, filepath.WalkDir(o.Dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(o.Dir, path) // it lies below
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasSuffix(path, ".git"):
			commits, err := exec.CommandContext(t.Context(), "git", "-C", path, "cat-file", "--batch", "--batch-all-objects").Output()
			all["commits of "+strings.TrimSuffix(filepath.Base(path), ".git")] = commits
			if err != nil {
				return err
			}
			return fs.SkipDir
		case entry.Type().IsRegular():
			content, err := os.ReadFile(path)
			add("file "+name, content)
			return err
		}
		return nil
	}))
}

// unpacked unpacks what is packed with gzip.
func unpacked(content []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return content
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return content
	}
	return plain
}

// search says where which secret is, as it is or in base64.
func (all trove) search(secrets map[string]string) (found []string) {
	for what, secret := range secrets {
		for _, form := range forms(secret) {
			for name, content := range all {
				if bytes.Contains(content, []byte(form)) {
					found = append(found, what+" in "+name+" as "+form)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// forms are a text and what is the same of its base64 wherever it begins in what was encoded.
func forms(text string) []string {
	list := []string{text}
	for offset := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, offset), text...))
			// The first and the last characters hold bits of what is around it.
			list = append(list, encoded[(offset*8+5)/6:len(encoded)-1])
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// locked is a buffer that several goroutines write to.
type locked struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

// Bytes are those written so far.
func (l *locked) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buffer.Bytes())
}
