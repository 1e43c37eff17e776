package githubsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func TestAppsGetTokensWithTheirKeyAlone(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	server, err := githubsim.New(githubsim.Options{Dir: t.TempDir(), Owner: "acme", Apps: []githubsim.App{
		{ID: 7, Installation: 8, Login: "relay[bot]", Key: &key.PublicKey, Lifetime: time.Second},
	}})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "image", AutoInit: true}))
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	as := func(token string) *github.Client {
		client, err := github.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(web.URL, web.URL)
		require.NoError(t, err)
		return client
	}
	sign := func(method jwt.SigningMethod, key any, issuer int, lifetime time.Duration) string {
		now := time.Now().Truncate(time.Second)
		signed, err := jwt.NewWithClaims(method, jwt.RegisteredClaims{
			Issuer: strconv.Itoa(issuer), IssuedAt: jwt.NewNumericDate(now.Add(-time.Second)), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
		}).SignedString(key)
		require.NoError(t, err)
		return signed
	}
	for name, token := range map[string]string{
		"another key":     sign(jwt.SigningMethodRS256, other, 7, time.Minute),
		"another App":     sign(jwt.SigningMethodRS256, key, 9, time.Minute),
		"another method":  sign(jwt.SigningMethodHS256, []byte("x"), 7, time.Minute),
		"no signature":    sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, 7, time.Minute),
		"expired":         sign(jwt.SigningMethodRS256, key, 7, -time.Minute),
		"for too long":    sign(jwt.SigningMethodRS256, key, 7, time.Hour),
		"a plain token":   "ghs_x",
		"no token at all": "",
	} {
		_, _, err := as(token).Apps.CreateInstallationToken(t.Context(), 8, nil)
		refused(t, fmt.Errorf("%s: %w", name, err), 401, "")
	}
	good := as(sign(jwt.SigningMethodRS256, key, 7, time.Minute))
	_, _, err = good.Apps.CreateInstallationToken(t.Context(), 9, nil)
	refused(t, err, 404, "")
	token, _, err := good.Apps.CreateInstallationToken(t.Context(), 8, nil)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Second), token.GetExpiresAt().Time, time.Second)
	_, _, err = as(token.GetToken()).Repositories.Get(t.Context(), "acme", "image")
	require.NoError(t, err)
	_, _, err = as(token.GetToken()).Users.Get(t.Context(), "")
	refused(t, err, http.StatusForbidden, "Resource not accessible by integration")
	time.Sleep(1100 * time.Millisecond)
	_, _, err = as(token.GetToken()).Repositories.Get(t.Context(), "acme", "image")
	refused(t, err, 401, "Bad credentials")
}

func TestUser(t *testing.T) {
	w := newWorld(t)
	user, _, err := w.as("alice").Users.Get(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, "alice", user.GetLogin())
	_, _, err = w.as("nobody").Users.Get(t.Context(), "")
	refused(t, err, 401, "Bad credentials")
}
