package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

type secrets map[string]string

func (s secrets) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	value, ok := s[*in.SecretId]
	if !ok {
		return nil, fmt.Errorf("ResourceNotFoundException")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, nil
}

// newKey returns an App's key, and the text of a secret with it.
func newKey(t testing.TB, id, installation int64) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	secret, err := json.Marshal(map[string]any{"appId": id, "installationId": installation, "privateKey": string(text)})
	require.NoError(t, err)
	return key, string(secret)
}

func TestPlainToken(t *testing.T) {
	store := secrets{"good": "ghs_1\n", "empty": "", "json": `{"token":"ghs_2"}`, "words": "my ghs_2", "lines": "ghs_2\nghs_2"}
	token, err := Token(t.Context(), store, "good", "https://api.github.com/")
	require.NoError(t, err)
	assert.Equal(t, "ghs_1", token)
	for _, name := range []string{"empty", "json", "words", "lines", "none"} {
		_, err := Token(t.Context(), store, name, "https://api.github.com/")
		require.ErrorContains(t, err, name)
		assert.NotContains(t, err.Error(), "ghs_2")
	}
}

func TestAppsProblemsAreNamedAtOnceAndTheKeyNever(t *testing.T) {
	_, err := ParseCredentials(`{"appId": 0, "privateKey": "s3cret"}`)
	for _, want := range []string{"appId", "installationId", "privateKey must"} {
		require.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "s3cret")
	for _, text := range []string{`{"appId": "s3cret"}`, `{"privateKey": "s3cret`, `{"s3cret": 1}`, `{"appId": 1} s3cret`} {
		_, err := ParseCredentials(text)
		require.Error(t, err, text)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	_, secret := newKey(t, 7, 8)
	c, err := ParseCredentials(secret)
	require.NoError(t, err)
	for _, printed := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		assert.Equal(t, "GitHub App 7", printed)
	}
}

// appForge is a GitHub with an App whose tokens last as long as said.
func appForge(t *testing.T, lifetime time.Duration) (c *Client, credentials Credentials, root string, mints *atomic.Int32) {
	t.Helper()
	key, secret := newKey(t, 7, 8)
	server, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Apps: []githubsim.App{{ID: 7, Installation: 8, Login: "relay[bot]", Key: &key.PublicKey, Lifetime: lifetime}},
	})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "image", DefaultBranch: "dev", AutoInit: true}))
	mints = &atomic.Int32{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/access_tokens") {
			mints.Add(1)
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	root = web.URL + "/api/v3/"
	credentials, err = Fetch(t.Context(), secrets{"app": secret}, "app")
	require.NoError(t, err)
	c, err = credentials.Client(root, "acme")
	require.NoError(t, err)
	c.policy.First = time.Millisecond
	return c, credentials, root, mints
}

func TestAppWorksAndKeepsItsToken(t *testing.T) {
	c, credentials, root, mints := appForge(t, time.Hour)
	for range 3 {
		head, err := c.ReadHead(t.Context(), "image", "dev")
		require.NoError(t, err)
		_, err = write(t, c, head, "f", head.Commit)
		require.NoError(t, err)
	}
	assert.Equal(t, int32(1), mints.Load())
	last, err := c.LastCommit(t.Context(), "image", "dev", "f")
	require.NoError(t, err)
	assert.Equal(t, "relay[bot]", last.Author)
	login, err := c.Login(t.Context())
	require.NoError(t, err)
	assert.Empty(t, login)

	token, err := credentials.Token(t.Context(), root)
	require.NoError(t, err)
	other, err := New(root, "acme", token)
	require.NoError(t, err)
	_, err = other.ReadHead(t.Context(), "image", "dev")
	require.NoError(t, err)
}

// A bake takes longer than a token lasts.
func TestAppRenewsItsToken(t *testing.T) {
	// The library renews a token a minute before its end.
	c, _, _, mints := appForge(t, time.Minute+2*time.Second)
	for range 2 {
		_, err := c.ReadHead(t.Context(), "image", "dev")
		require.NoError(t, err)
	}
	assert.Equal(t, int32(1), mints.Load())
	time.Sleep(2100 * time.Millisecond)
	_, err := c.ReadHead(t.Context(), "image", "dev")
	require.NoError(t, err)
	assert.Equal(t, int32(2), mints.Load())
}

func TestAppThatGitHubDoesNotKnow(t *testing.T) {
	_, _, root, mints := appForge(t, time.Hour)
	for _, wrong := range []struct {
		id, installation int64
		say              string
	}{{7, 8, "check the appId and the privateKey"}, {9, 8, "check the appId"}} {
		key, secret := newKey(t, wrong.id, wrong.installation)
		credentials, err := ParseCredentials(secret)
		require.NoError(t, err)
		c, err := credentials.Client(root, "acme")
		require.NoError(t, err)
		before := mints.Load()
		_, err = c.ReadHead(t.Context(), "image", "dev")
		require.ErrorContains(t, err, wrong.say)
		assert.Equal(t, before+1, mints.Load(), "asking again would not help")
		_, err = credentials.Token(t.Context(), root)
		require.ErrorContains(t, err, wrong.say)
		assert.NotErrorIs(t, c.Advance(t.Context(), "image", "dev", "sha"), ErrUnsettled, "the call was never made")
		assert.NotContains(t, err.Error(), key.D.String())
	}
}

func FuzzParseCredentials(f *testing.F) {
	_, secret := newKey(f, 7, 8)
	for _, seed := range []string{secret, "ghs_1", "", "{", `{"appId": 1}`, `{"appId": 1, "installationId": 2, "privateKey": "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCredentials(text)
		if err == nil {
			_, err := c.Client("https://api.github.com/", "acme")
			require.NoError(t, err, "what is parsed can be used")
			return
		}
		if text = strings.TrimSpace(text); len(text) > 40 {
			assert.NotContains(t, err.Error(), text)
		}
	})
}

// TestCallsSayWhoMakesThem also while an App gets its token.
func TestCallsSayWhoMakesThem(t *testing.T) {
	for build, want := range map[string]string{"": "ha-devops-relay", "p:1": "ha-devops-relay (build p:1)"} {
		t.Setenv("CODEBUILD_BUILD_ID", build)
		var agents []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			agents = append(agents, r.UserAgent())
			w.WriteHeader(http.StatusNotFound)
		}))
		client, err := New(server.URL+"/", "o", "token")
		require.NoError(t, err)
		_, err = client.ReadFile(t.Context(), "r", "main", "f")
		require.NoError(t, err)
		server.Close()
		assert.Equal(t, []string{want}, agents)
	}
}
