package environments_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

const account = "111122223333"

// outputs are what another stack says about itself.
type outputs map[string]string

func (o outputs) properties() resource.PropertyMap {
	properties := resource.PropertyMap{}
	for key, value := range o {
		properties[resource.PropertyKey(key)] = resource.NewStringProperty(value)
	}
	return properties
}

// exports runs an environment as an update, in a world with the given stacks, and returns its outputs.
func exports(t *testing.T, environment, ami string, stacks map[string]outputs) map[string]string {
	t.Helper()
	r := world(map[string]string{"ami-id": ami})
	for name, o := range stacks {
		r.Stacks["organization/ha-devops/"+name] = o.properties()
	}
	require.NoError(t, r.Run(environment, false, namespaced(config(environment)), environments.Deploy))
	return r.Outputs()
}

func TestPromotionComparesWithWhatUpstreamRunsAndRan(t *testing.T) {
	const mine, other = "ami-0123456789abcdef0", "ami-0fedcba9876543210"
	for name, c := range map[string]struct {
		upstream outputs
		ami      string
		want     string
	}{
		"upstream runs it":                    {outputs{"account": account, "amiId": mine, "artifactTag": "v1.2.3"}, mine, environments.PromotionInSync},
		"upstream ran it":                     {outputs{"account": account, "amiId": other, "artifactTag": "v2", "history": "v2=" + other + " v1.2.3=" + mine}, mine, environments.PromotionBehind},
		"upstream never ran it":               {outputs{"account": account, "amiId": other, "artifactTag": "v2", "history": "v2=" + other}, mine, environments.PromotionNeverUpstream},
		"the same artifact in another image":  {outputs{"account": account, "amiId": other, "artifactTag": "v1.2.3", "history": "v1.2.3=" + other}, mine, environments.PromotionNeverUpstream},
		"another account bakes its own image": {outputs{"account": "999999999999", "amiId": other, "artifactTag": "v1.2.3"}, mine, environments.PromotionInSync},
		"another account ran the artifact":    {outputs{"account": "999999999999", "amiId": other, "artifactTag": "v2", "history": "v2=" + other + " v1.2.3=ami-0"}, mine, environments.PromotionBehind},
		"upstream has nothing":                {outputs{"account": account}, mine, environments.PromotionNeverUpstream},
		"nobody has anything":                 {outputs{"account": account}, "", environments.PromotionNone},
		"the first release is upstream's":     {outputs{"account": account, "amiId": mine, "artifactTag": "v1.2.3"}, "", environments.PromotionInSync},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, exports(t, "qa", c.ami, map[string]outputs{"dev": c.upstream})["promotion"])
		})
	}
	assert.Equal(t, environments.PromotionFirst, exports(t, "dev", mine, nil)["promotion"])
}

func TestAStackRemembersItsReleasesNewestFirst(t *testing.T) {
	const now = "v1.2.3=" + ami
	long := make([]string, 100)
	for i := range long {
		long[i] = fmt.Sprintf("v%d=ami-%d", i, i)
	}
	for name, c := range map[string]struct{ before, want string }{
		"the first":               {"", now},
		"another":                 {"v1=ami-1", now + " v1=ami-1"},
		"the same":                {now + " v1=ami-1", now + " v1=ami-1"},
		"back to an earlier one":  {"v2=ami-2 " + now + " v1=ami-1", now + " v2=ami-2 v1=ami-1"},
		"more than it remembers":  {strings.Join(long, " "), now + " " + strings.Join(long[:99], " ")},
		"written by someone else": {"  " + now + "\n", now},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, exports(t, "dev", ami, map[string]outputs{"dev": {"history": c.before}})["history"])
		})
	}
	assert.Equal(t, "v1=ami-1", exports(t, "dev", "", map[string]outputs{"dev": {"history": "v1=ami-1"}})["history"], "no release forgets none")
}

func TestOutputsArePlainTextAndAReviewLeavesThePromotionOpen(t *testing.T) {
	for _, preview := range []bool{false, true} {
		for _, commit := range []string{"", strings.Repeat("c0ffee", 7)[:40]} {
			r := world(map[string]string{"ami-id": ami})
			r.Stacks["organization/ha-devops/dev"] = outputs{"account": account, "amiId": ami}.properties()
			c := config("qa")
			c.Commit = commit
			require.NoError(t, r.Run("qa", preview, namespaced(c), environments.Deploy))
			found := r.Outputs()
			assert.Greater(t, len(found), 10)
			_, known := found["promotion"]
			review := preview && commit != ""
			assert.Equal(t, !review, known, "upstream moves on while a review waits, and the plan must still hold; any other preview shows no change")
			for key, value := range found {
				assert.NotContains(t, value, "\n", key)
			}
		}
	}
}

func TestNetworksOfEnvironmentsStayApart(t *testing.T) {
	for networks, want := range map[string]string{
		"dev=10.10.0.0/16":                   `dev's`,
		"dev=10.10.128.0/20":                 `a network apart from 10.10.128.0/20, which is dev's`,
		"dev=10.40.0.0/16 qa=10.10.16.0/20":  `a network apart from 10.10.16.0/20, which is qa's`,
		"dev=10.40.0.0/16 qa=172.16.0.0/16":  "",
		"dev=10.11.0.0/16 qa=192.168.0.0/16": "",
	} {
		for _, preview := range []bool{false, true} {
			r := world(nil)
			r.Stacks["organization/ha-devops/qa"] = outputs{"networks": networks}.properties()
			err := r.Run("main", preview, namespaced(config("main")), environments.Deploy)
			if want == "" {
				require.NoError(t, err)
				continue
			}
			require.ErrorContains(t, err, `Pulumi.main.yaml: ha-devops:cidr: "10.10.0.0/16" is not allowed; expected`)
			require.ErrorContains(t, err, want)
			assertNothingMade(t, r)
		}
	}
	handedOn := exports(t, "qa", "", map[string]outputs{"dev": {"networks": "dev=10.40.0.0/16"}})["networks"]
	assert.Equal(t, "dev=10.40.0.0/16 qa=10.10.0.0/16", handedOn, "main hears of both")
}

func TestProductionMayTakeTwoZonesOrMore(t *testing.T) {
	two := config("main")
	two.Zones = new(int)
	*two.Zones = 2
	for _, preview := range []bool{false, true} {
		r := world(nil)
		r.Stacks["organization/ha-devops/qa"] = outputs{}.properties()
		require.NoError(t, r.Run("main", preview, namespaced(two), environments.Deploy))
		assert.Len(t, r.Of("aws:ec2/natGateway:NatGateway"), 2)
	}
}

func assertNothingMade(t *testing.T, r *mocks.Recorder) {
	t.Helper()
	for _, made := range r.Resources() {
		assert.Equal(t, "pulumi:pulumi:StackReference", made.Type, made.Name)
	}
}
