package environments_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/environments"
)

// wrong is a configuration that is right but for one value.
type wrong struct {
	// stack is dev where it is empty.
	stack string
	// key is the configuration's key and value what it is set to; "-" takes it away.
	key, value string
	// path is what the error calls the key, by default key itself; bad is the value that it shows, by default value.
	path, bad string
	// allowed is what the error says is allowed.
	allowed string
}

const (
	githubOK = `"owner": "acme", "app": 42, "secret": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"`
	sha      = "abababababababababababababababababababababababababababababababab"
)

func github(extra string) string { return "{" + githubOK + ", " + extra + "}" }

var wrongs = []wrong{
	{key: "product", value: "-", bad: `""`, allowed: "3 to 20 lower-case letters"},
	{key: "product", value: "Shop", allowed: "3 to 20 lower-case letters"},
	{key: "product", value: "sh", allowed: "3 to 20 lower-case letters"},
	{key: "product", value: "1shop", allowed: "3 to 20 lower-case letters"},
	{key: "product", value: "shop-", allowed: "3 to 20 lower-case letters"},
	{key: "product", value: "a-product-of-21-chars", allowed: "3 to 20 lower-case letters"},
	{key: "account", value: "-", bad: `""`, allowed: "12 digits"},
	{key: "account", value: "1111-2222-3333", allowed: "12 digits"},
	{key: "region", value: "-", bad: `""`, allowed: `an AWS region such as "eu-west-1"`},
	{key: "region", value: "Ireland", allowed: `an AWS region such as "eu-west-1"`},
	{key: "region", value: "eu-west-1a", allowed: `an AWS region such as "eu-west-1"`},
	{key: "assumeRole", value: "deployer", allowed: "the ARN of a role of this account"},
	{key: "assumeRole", value: "arn:aws:iam::999999999999:role/deployer", allowed: "arn:aws:iam::111122223333:…"},
	{key: "assumeRole", value: "arn:aws:iam::111122223333:user/ann", allowed: "the ARN of a role"},
	{key: "cidr", value: "-", bad: `""`, allowed: "a private IPv4 network of size /16 to /20"},
	{key: "cidr", value: "10.10.0.0", allowed: "a private IPv4 network of size /16 to /20"},
	{key: "cidr", value: "8.8.0.0/16", allowed: "a private IPv4 network"},
	{key: "cidr", value: "10.10.1.0/16", allowed: "a private IPv4 network"},
	{key: "cidr", value: "10.0.0.0/8", allowed: "size /16 to /20"},
	{key: "cidr", value: "10.10.0.0/24", allowed: "size /16 to /20"},
	{key: "cidr", value: "fd00::/16", allowed: "a private IPv4 network"},
	{stack: "main", key: "zones", value: "1", allowed: "2 to 6: production outlives the loss of a zone"},
	{stack: "main", key: "zones", value: "0", allowed: "2 to 6"},
	{stack: "main", key: "zones", value: "7", allowed: "2 to 6"},
	{stack: "main", key: "zones", value: "two", allowed: "a whole number"},
	{stack: "qa", key: "zones", value: "3", allowed: "only production's number of zones is chosen"},
	{key: "zones", value: "2", allowed: "only production's number of zones is chosen"},
	{key: "reach", value: `["everywhere"]`, bad: "everywhere", allowed: "IPv4 networks of size /8 to /32"},
	{key: "reach", value: `["0.0.0.0/0"]`, bad: "0.0.0.0/0", allowed: "IPv4 networks of size /8 to /32"},
	{key: "reach", value: `["::/0"]`, bad: "::/0", allowed: "IPv4 networks of size /8 to /32"},
	{key: "reach", value: "10.0.0.0/8", allowed: "a list of strings"},
	{key: "reach", value: `"10.0.0.0/8"`, bad: `\"10.0.0.0/8\"`, allowed: "a list of strings"},
	{stack: "qa", key: "reach", value: "-", bad: `""`, allowed: "the testers' CIDRs, at least one"},
	{stack: "main", key: "reach", value: `["203.0.113.0/24"]`, bad: "203.0.113.0/24", allowed: "nothing: everybody reaches production"},
	{key: "certificate", value: "shop.example.com", allowed: "the ARN of a certificate"},
	{key: "certificate", value: "arn:aws:acm:us-east-1:111122223333:certificate/x", allowed: "arn:aws:acm:eu-west-1:111122223333:…"},
	{key: "certificate", value: "arn:aws:acm:eu-west-1:999999999999:certificate/x", allowed: "arn:aws:acm:eu-west-1:111122223333:…"},
	{key: "baseImage", value: "amazon-linux", allowed: "an AMI ID or the ARN of an Image Builder image"},
	{key: "baseImage", value: "arn:aws:imagebuilder:us-east-1:aws:image/amazon-linux-2023-x86/x.x.x", allowed: "an Image Builder image of region eu-west-1"},
	{key: "secretsKey", value: "alias/pulumi", allowed: "the ARN of a KMS key"},
	{key: "secretsKey", value: "arn:aws:kms:us-east-1:111122223333:key/x", allowed: "arn:aws:kms:eu-west-1:111122223333:…"},
	{key: "commit", value: "main", allowed: "the 40 hex digits of a commit"},
	{key: "backend", value: "-", bad: `""`, allowed: "the URL of a Pulumi backend"},
	{key: "backend", value: "my-state", allowed: "the URL of a Pulumi backend"},
	{key: "backend", value: "ftp://my-state", allowed: "the URL of a Pulumi backend"},
	{key: "approvers", value: `["the boss"]`, bad: "the boss", allowed: "e-mail addresses"},
	{key: "approvers", value: "{}", allowed: "a list of strings"},
	{key: "relay", value: "-", path: "relay.uri", bad: `""`, allowed: "an s3:// address"},
	{key: "relay", value: `{"uri": "https://tools/relay", "sha256": "` + sha + `"}`, path: "relay.uri", bad: "https://tools/relay", allowed: "an s3:// address"},
	{key: "relay", value: `{"uri": "s3://tools/relay", "sha256": "latest"}`, path: "relay.sha256", bad: "latest", allowed: "a SHA-256 in 64 hex digits"},
	{key: "relay", value: `{"uri": "s3://tools/relay", "sha256": 5}`, path: "relay: sha256", bad: "number", allowed: "a string"},
	{key: "relay", value: `{"uri": "s3://tools/relay", "md5": "x"}`, bad: "md5", allowed: "an object with the keys sha256, uri"},
	{key: "pulumiCLI", value: `{}`, path: "pulumiCLI.uri", bad: `""`, allowed: "an s3:// address"},
	{key: "github", value: "-", path: "github.owner", bad: `""`, allowed: "a name of letters, digits"},
	{key: "github", value: "acme", allowed: "an object with the keys api, app"},
	{key: "github", value: github(`"ap": 1`), bad: `"ap"`, allowed: "an object with the keys api, app"},
	{key: "github", value: github(`"owner": "acme inc"`), path: "github.owner", bad: "acme inc", allowed: "a name of letters, digits"},
	{key: "github", value: github(`"app": 0`), path: "github.app", bad: "0", allowed: "the ID of a GitHub App"},
	{key: "github", value: github(`"app": "relay"`), path: "github: app", bad: "string", allowed: "a whole number"},
	{key: "github", value: github(`"secret": "ghp_token"`), path: "github.secret", bad: "ghp_token", allowed: "the ARN of a Secrets Manager secret"},
	{key: "github", value: github(`"secret": "arn:aws:secretsmanager:us-east-1:111122223333:secret:x"`), path: "github.secret", bad: "us-east-1", allowed: "arn:aws:secretsmanager:eu-west-1:111122223333:…"},
	{key: "github", value: github(`"api": "https://github.example.com/api/v3"`), path: "github.api", bad: "https://github.example.com/api/v3", allowed: "a URL with a slash at its end"},
	{key: "github", value: github(`"image": "acme/shop-image"`), path: "github.image", bad: "acme/shop-image", allowed: "a name of letters, digits"},
	{key: "github", value: github(`"image": "Shop-Software"`), path: "github.image", bad: "Shop-Software", allowed: "a repository of its own, not github.software's"},
	{key: "github", value: github(`"codeOwners": ["platform team"]`), path: "github.codeOwners", bad: "platform team", allowed: `users and teams such as "@acme/platform"`},
	{key: "github", value: github(`"checks": {"sofware": ["test"]}`), path: "github.checks", bad: "sofware", allowed: "one of software, image, infrastructure, devops"},
	{key: "github", value: github(`"checks": {"software": ["test", "test"]}`), path: "github.checks.software", bad: "test", allowed: "names of status checks, each once"},
	{key: "github", value: github(`"checks": ["test"]`), path: "github: checks", bad: "array", allowed: "lists by name"},
	{key: "github", value: github(`"checksApp": -1`), path: "github.checksApp", bad: "-1", allowed: "the ID of a GitHub App"},
	{key: "github", value: github(`"reviewers": {"teams": [1, 2, 3, 4, 5, 6, 7]}`), path: "github.reviewers", bad: "[1 2 3 4 5 6 7]", allowed: "six at most"},
	{key: "github", value: github(`"reviewers": {"users": [0]}`), path: "github.reviewers", bad: "[0]", allowed: "the IDs of teams and users"},
	{key: "github", value: github(`"reviewers": {"teams": ["platform"]}`), path: "github: reviewers.teams", bad: "string", allowed: "a whole number"},
	{stack: "qa", key: "github", value: github(`"starter": true`), path: "github.starter", bad: "true", allowed: "false: the first environment makes the repositories"},
	{key: "github", value: github(`"starter": "yes"`), path: "github: starter", bad: "string", allowed: "true or false"},
}

func (w wrong) values() map[string]string {
	values := config(w.stack).Values()
	values[w.key] = w.value
	if w.value == "-" {
		delete(values, w.key)
	}
	return values
}

func TestEveryWrongConfigurationIsRefusedBeforeAnythingIsRegistered(t *testing.T) {
	require.GreaterOrEqual(t, len(wrongs), 40)
	for i, w := range wrongs {
		if w.stack == "" {
			w.stack = "dev"
		}
		t.Run(fmt.Sprintf("%d %s %s=%.30s", i, w.stack, w.key, w.value), func(t *testing.T) {
			path, bad := w.path, w.bad
			if path == "" {
				path = w.key
			}
			if bad == "" {
				bad = w.value
			}
			namespaced := map[string]string{}
			for key, value := range w.values() {
				namespaced[environments.Key(key)] = value
			}
			for _, preview := range []bool{false, true} {
				r := world(nil)
				err := r.Run(w.stack, preview, namespaced, environments.Deploy)
				require.Error(t, err)
				var line string
				for text := range strings.Lines(err.Error()) {
					if strings.Contains(text, "Pulumi."+w.stack+".yaml: ha-devops:"+path+": ") && strings.Contains(text, w.allowed) {
						line = text
					}
				}
				require.NotEmpty(t, line, "no line names the file, %s and %q in:\n%v", path, w.allowed, err)
				assert.Contains(t, line, bad, "the value")
				assert.Contains(t, line, "expected ")
				assert.Empty(t, r.Resources())
			}
		})
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	values := map[string]string{}
	for _, w := range wrongs {
		if w.stack == "" && w.value != "-" && w.path == "" && values[environments.Key(w.key)] == "" {
			values[environments.Key(w.key)] = w.value
		}
	}
	require.Greater(t, len(values), 10)
	r := world(nil)
	err := r.Run("dev", false, values, environments.Deploy)
	require.Error(t, err)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		assert.Contains(t, err.Error(), "Pulumi.dev.yaml: "+key)
	}
	assert.Empty(t, r.Resources())
}

func TestTheStackFilesOfThisRepositoryAreRight(t *testing.T) {
	var networks []netip.Prefix
	for _, profile := range environments.Profiles() {
		text, err := os.ReadFile("../Pulumi." + profile.Environment + ".yaml")
		require.NoError(t, err)
		var file struct{ Config map[string]any }
		require.NoError(t, yaml.Unmarshal(text, &file))
		read, err := environments.ReadConfig(profile, func(key string) (string, bool) {
			value, ok := file.Config[environments.Key(key)]
			delete(file.Config, environments.Key(key))
			if s, scalar := value.(string); scalar {
				return s, ok
			}
			encoded, err := json.Marshal(value)
			require.NoError(t, err)
			return string(encoded), ok
		})
		require.NoError(t, err)
		assert.Empty(t, file.Config, "nobody reads these keys")
		for _, other := range networks {
			assert.False(t, other.Overlaps(netip.MustParsePrefix(read.CIDR)), "%s of %s", read.CIDR, profile.Environment)
		}
		networks = append(networks, netip.MustParsePrefix(read.CIDR))
	}
}
