package environments_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/pipelines"
)

func read(t *testing.T, key, value string) (environments.Config, error) {
	t.Helper()
	profile, err := environments.ProfileOf("dev")
	require.NoError(t, err)
	values := config("dev").Values()
	values[key] = value
	return environments.ReadConfig(profile, func(key string) (string, bool) { v, ok := values[key]; return v, ok })
}

func TestHowImagesAreMadeAndPluginsArePinnedIsChecked(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	aws := `{"name": "aws", "version": "6.83.2", "uri": "s3://tools/aws.tar.gz", "sha256": "` + sha + `"}`
	github := strings.ReplaceAll(aws, "aws", "github")
	for _, c := range []struct{ key, value, want string }{
		{"plugins", `[` + aws + `]`, `ha-devops:plugins: "aws" is not allowed; expected one each of aws, github, or none`},
		{"plugins", `[` + aws + `,` + aws + `]`, `ha-devops:plugins: "aws, aws"`},
		{"plugins", `[` + aws + `,` + strings.Replace(github, "6.83.2", "v6", 1) + `]`, `ha-devops:plugins[1].version: "v6"`},
		{"plugins", `[` + aws + `,` + strings.Replace(github, "s3://", "https://", 1) + `]`, `ha-devops:plugins[1].uri: "https://`},
		{"plugins", `[` + aws + `,` + strings.Replace(github, sha, "12", 1) + `]`, `ha-devops:plugins[1].sha256: "12"`},
		{"plugins", `[{"nam": "aws"}]`, `ha-devops:plugins: unknown field "nam"`},
		{"bake", `{"rootDevice": "xvda"}`, `ha-devops:bake.rootDevice: "xvda"`},
		{"bake", `{"volumeGiB": 4}`, `ha-devops:bake.volumeGiB: "4" is not allowed; expected 8 to 1024`},
		{"bake", `{"key": "alias/images"}`, `ha-devops:bake.key: "alias/images"`},
		{"bake", `{"instanceTypes": ["big"]}`, `ha-devops:bake.instanceTypes: "big"`},
		{"bake", `{"subnet": "subnet-12345678"}`, `ha-devops:bake.subnet: "subnet-12345678" is not allowed; expected a subnet with a securityGroup`},
		{"bake", `{"subnet": "vpc-1", "securityGroup": "x"}`, `ha-devops:bake.securityGroup: "x"`},
		{"bake", `{"accounts": ["12"]}`, `ha-devops:bake.accounts: "12" is not allowed; expected the 12 digits`},
		{"bake", `{"accounts": ["444455556666"]}`, `expected none without bake.key`},
	} {
		_, err := read(t, c.key, c.value)
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err, "Pulumi.dev.yaml: ")
	}
	_, err := read(t, "plugins", `[`+github+`,`+aws+`]`)
	require.NoError(t, err)
}

func TestHowImagesAreMadeSurvivesItsValues(t *testing.T) {
	want := pipelines.Bake{
		RootDevice: "/dev/sda1", VolumeGiB: 40, Key: "arn:aws:kms:eu-west-1:111122223333:key/images", Accounts: []string{"444455556666"},
		InstanceTypes: []string{"m7g.large"}, Subnet: "subnet-12345678", SecurityGroup: "sg-12345678", Scan: true,
	}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	c, err := read(t, "bake", string(text))
	require.NoError(t, err)
	assert.Equal(t, want, c.Bake)
	again, err := read(t, "bake", c.Values()["bake"])
	require.NoError(t, err)
	assert.Equal(t, want, again.Bake)
	assert.NotContains(t, config("dev").Values(), "bake", "what is not said is not kept")
}
