package githubsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v74/github"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

// TestAnAppDoesWhatItWasGranted: it reads where it is installed, and writes only with the permission.
func TestAnAppDoesWhatItWasGranted(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	server, err := githubsim.New(githubsim.Options{Dir: t.TempDir(), Owner: "acme", Apps: []githubsim.App{{
		ID: 7, Installation: 8, Login: "relay[bot]", Key: &key.PublicKey, Permissions: map[string]string{"contents": "read", "metadata": "read"}, Repositories: []string{"image"},
	}}})
	require.NoError(t, err)
	for _, name := range []string{"image", "software"} {
		require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: name, AutoInit: true}))
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	app, err := ghinstallation.NewAppsTransport(http.DefaultTransport, 7, text)
	require.NoError(t, err)
	installed, err := ghinstallation.New(http.DefaultTransport, 7, 8, text)
	require.NoError(t, err)
	app.BaseURL, installed.BaseURL = web.URL+"/api/v3", web.URL+"/api/v3"
	as := func(transport http.RoundTripper) *github.Client {
		client, err := github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(web.URL, web.URL)
		require.NoError(t, err)
		return client
	}
	found, _, err := as(app).Apps.GetInstallation(t.Context(), 8)
	require.NoError(t, err)
	assert.Equal(t, "read", found.GetPermissions().GetContents())
	assert.Equal(t, "selected", found.GetRepositorySelection())
	_, _, err = as(app).Apps.GetInstallation(t.Context(), 9)
	refused(t, err, http.StatusNotFound, "Not Found")

	client := as(installed)
	_, _, _, err = client.Repositories.GetContents(t.Context(), "acme", "image", "README.md", nil)
	require.NoError(t, err)
	_, _, err = client.Repositories.CreateFile(t.Context(), "acme", "image", "x", &github.RepositoryContentFileOptions{Message: github.Ptr("m"), Content: []byte("x")})
	refused(t, err, http.StatusForbidden, "Resource not accessible by integration")
	_, _, err = client.PullRequests.List(t.Context(), "acme", "image", nil)
	refused(t, err, http.StatusForbidden, "Resource not accessible by integration")
	_, _, err = client.Repositories.Get(t.Context(), "acme", "software")
	refused(t, err, http.StatusNotFound, "Not Found")
}
