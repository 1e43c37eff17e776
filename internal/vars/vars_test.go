package vars_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/vars"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	wrote := vars.Deploy{
		Review: vars.Review{
			Common: vars.Common{
				Product: "shop", Environment: "dev", Commit: "c0ffee", Execution: "e-1", Bucket: "b",
				GitHub: vars.GitHub{Owner: "acme", API: "https://api.github.com/", Secret: "arn:secret"},
			},
			Pipeline: "shop-dev-infrastructure", Config: "{}",
		},
		ReviewURI: "s3://b/reviews/", ReviewDigest: "abc",
	}
	environment := map[string]string{}
	for _, v := range vars.Write(wrote) {
		require.NotEmpty(t, v.Name)
		require.NotContains(t, environment, v.Name, "two fields share a name")
		environment[v.Name] = v.Value
		assert.Equal(t, v.Name == "RELAY_CONFIG", v.Parameter, v.Name)
	}
	var read vars.Deploy
	require.NoError(t, vars.Read(&read, func(name string) string { return environment[name] }))
	assert.Equal(t, wrote, read)
}

func TestEveryMissingVariableIsNamedAtOnce(t *testing.T) {
	var read vars.Build
	err := vars.Read(&read, func(name string) string {
		if name == "RELAY_IMAGE_REPOSITORY" || name == "RELAY_GITHUB_SECRET" {
			return ""
		}
		return "x"
	})
	var missing *vars.MissingError
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, []string{"RELAY_GITHUB_SECRET", "RELAY_IMAGE_REPOSITORY"}, missing.Names)
}
