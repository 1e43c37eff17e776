package environments_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

// Who may preview reads the state, and a token in it would be theirs.
func TestNoTokenReachesTheState(t *testing.T) {
	for _, preview := range []bool{false, true} {
		t.Setenv("GITHUB_TOKEN", "ghs_marked")
		r, err := scenario{environment: "dev"}.run(t, preview)
		require.NoError(t, err)
		for _, made := range r.Resources() {
			assert.NotContains(t, fmt.Sprint(made.Inputs), "ghs_marked", "%s %s", made.Type, made.Name)
		}
		assert.NotContains(t, r.Only(t, "pulumi:providers:github").Inputs, "token")
		assert.Empty(t, os.Getenv("GITHUB_TOKEN"))
	}
}

func TestEveryStackIsPreviewedFromTheDevopsRepository(t *testing.T) {
	everyStack(t, func(t *testing.T, environment string, r *mocks.Recorder) {
		repositories := map[string]bool{}
		for _, made := range r.Of("github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable") {
			assert.Equal(t, "checks-"+environment, made.Inputs["environment"].StringValue())
			if made.Inputs["repository"].IsString() {
				repositories[made.Inputs["repository"].StringValue()] = true
			}
			if made.Inputs["value"].IsString() {
				var told struct{ Backend, Config string }
				require.NoError(t, json.Unmarshal([]byte(made.Inputs["value"].StringValue()), &told))
				assert.Equal(t, "s3://state", told.Backend)
				assert.Equal(t, "/shop/"+environment+"/config", told.Config)
			}
		}
		assert.Len(t, r.Of("github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable"), 4)
		if environment != "dev" {
			assert.True(t, repositories["shop-devops"], "its name is no output of these stacks")
		}
	})
}

func TestAnIssuerIsAHostAndAPath(t *testing.T) {
	profile, err := environments.ProfileOf("dev")
	require.NoError(t, err)
	for issuer, ok := range map[string]bool{
		"": true, "github.example.com/_services/token": true, "https://github.example.com": false, "github.example.com/": false, "localhost": false,
	} {
		c := config("dev")
		c.GitHub.Issuer = issuer
		values := c.Values()
		read, err := environments.ReadConfig(profile, func(key string) (string, bool) { v, found := values[key]; return v, found })
		if ok {
			require.NoError(t, err, issuer)
			assert.NotEmpty(t, read.GitHub.Issuer)
		} else {
			assert.ErrorContains(t, err, "ha-devops:github.issuer", issuer)
		}
	}
}
