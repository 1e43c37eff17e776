package github

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
)

func forge(t *testing.T) (*githubsim.Server, *Client) {
	t.Helper()
	server, err := githubsim.New(githubsim.Options{
		Dir: t.TempDir(), Owner: "acme", Tokens: map[string]githubsim.Actor{"t": {Login: "relay[bot]", App: 7}},
	})
	require.NoError(t, err)
	require.NoError(t, server.CreateRepository(t.Context(), githubsim.Repository{Name: "image", DefaultBranch: "dev", AutoInit: true}))
	return server, client(t, server)
}

func client(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	web := httptest.NewServer(handler)
	t.Cleanup(web.Close)
	c, err := New(web.URL+"/api/v3/", "acme", "t")
	require.NoError(t, err)
	c.first = time.Millisecond
	return c
}

func TestWriteIsACompareAndSwap(t *testing.T) {
	_, c := forge(t)
	ctx := t.Context()
	file, err := c.ReadFile(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	require.False(t, file.Exists)

	w := Write{Repository: "image", Branch: "dev", Path: "dir/f", Content: []byte("one\n"), Message: "one"}
	first, err := c.WriteFile(ctx, w)
	require.NoError(t, err)
	w.Content = []byte("two\n")
	_, err = c.WriteFile(ctx, w)
	require.ErrorIs(t, fmt.Errorf("wrapped: %w", err), ErrConflict, "the file has come to be meanwhile")
	w.SHA = "0123456789012345678901234567890123456789"
	_, err = c.WriteFile(ctx, w)
	require.ErrorIs(t, err, ErrConflict, "the file is another one meanwhile")

	file, err = c.ReadFile(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(file.Content))
	w.SHA = file.SHA
	second, err := c.WriteFile(ctx, w)
	require.NoError(t, err)

	for _, r := range []struct {
		base, head string
		want       Relation
	}{{first, second, Ahead}, {second, first, Behind}, {first, first, Identical}, {first, w.SHA, Unknown}} {
		relation, err := c.Compare(ctx, "image", r.base, r.head)
		require.NoError(t, err)
		assert.Equal(t, r.want, relation)
	}
	last, err := c.LastCommit(ctx, "image", "dev", "dir/f")
	require.NoError(t, err)
	assert.Equal(t, second, last.SHA)
	none, err := c.LastCommit(ctx, "image", "dev", "nothing")
	require.NoError(t, err)
	assert.Zero(t, none)

	w.Branch = "nowhere"
	_, err = c.WriteFile(ctx, w)
	require.ErrorContains(t, err, "nowhere")
	assert.NotErrorIs(t, err, ErrConflict)
}

func TestWrongToken(t *testing.T) {
	server, _ := forge(t)
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	c, err := New(web.URL+"/api/v3/", "acme", "wrong-token")
	require.NoError(t, err)
	_, err = c.ReadFile(t.Context(), "image", "dev", "f")
	require.ErrorContains(t, err, "the token in the secret is wrong or expired")
	assert.NotContains(t, err.Error(), "wrong-token")
}

func TestReadsAreTriedAgainAndWritesAreNot(t *testing.T) {
	var calls atomic.Int32
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%3 != 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, `{"status": "ahead"}`)
	}))
	relation, err := c.Compare(t.Context(), "r", "a", "b")
	require.NoError(t, err)
	assert.Equal(t, Ahead, relation)
	assert.Equal(t, int32(3), calls.Load())

	_, err = c.WriteFile(t.Context(), Write{Repository: "r", Branch: "dev", Path: "f"})
	require.ErrorIs(t, err, ErrUnsettled)
	assert.Equal(t, int32(4), calls.Load())
}

func TestDirectoryIsNoFile(t *testing.T) {
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `[{"type": "file", "name": "f"}]`)
	}))
	_, err := c.ReadFile(t.Context(), "r", "dev", "dir")
	require.ErrorContains(t, err, "is a directory")
}

func TestReadGivesUp(t *testing.T) {
	var calls atomic.Int32
	c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	_, err := c.LastCommit(t.Context(), "r", "dev", "f")
	require.ErrorContains(t, err, "500")
	assert.Equal(t, int32(readTries), calls.Load())

	c.first = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.LastCommit(ctx, "r", "dev", "f")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRulesetsRefusalIsNoConflict(t *testing.T) {
	for _, code := range []int{http.StatusConflict, http.StatusUnprocessableEntity} {
		c := client(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"message": "Repository rule violations found\n\nChanges must be made through a pull request."}`)
		}))
		_, err := c.WriteFile(t.Context(), Write{Repository: "r", Branch: "dev", Path: "f"})
		require.ErrorContains(t, err, "only pull requests may change this branch")
		assert.NotErrorIs(t, err, ErrConflict)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, api := range []string{"", "api.github.com", "https://api.github.com", "ftp://x/", "https://[/"} {
		_, err := New(api, "acme", "t")
		assert.ErrorContains(t, err, "slash at its end", api)
	}
}

type secrets map[string]string

func (s secrets) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	value, ok := s[*in.SecretId]
	if !ok {
		return nil, fmt.Errorf("ResourceNotFoundException")
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(value)}, nil
}

func TestToken(t *testing.T) {
	store := secrets{"good": "ghs_1\n", "empty": "", "json": `{"token":"ghs_2"}`}
	token, err := Token(t.Context(), store, "good")
	require.NoError(t, err)
	assert.Equal(t, "ghs_1", token)
	for _, name := range []string{"empty", "json", "none"} {
		_, err := Token(t.Context(), store, name)
		require.ErrorContains(t, err, name)
		assert.NotContains(t, err.Error(), "ghs_2")
	}
}
