package environments_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

// everyStack checks every environment's stack, as an update and as a preview.
func everyStack(t *testing.T, check func(t *testing.T, environment string, r *mocks.Recorder)) {
	t.Helper()
	for _, profile := range environments.Profiles() {
		for _, preview := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s preview=%t", profile.Environment, preview), func(t *testing.T) {
				r, err := scenario{environment: profile.Environment, files: map[string]string{"ami-id": ami}}.run(t, preview)
				require.NoError(t, err)
				check(t, profile.Environment, r)
			})
		}
	}
}

// rule is who may speak to whom, wherever it is said.
type rule struct {
	where   string
	ingress bool
	peers   []string
	port    float64
}

// rules are those that are resources of their own, and those within security groups.
func rules(r *mocks.Recorder) []rule {
	var all []rule
	for _, made := range r.Resources() {
		in := made.Inputs.Mappable()
		where := made.Type + " " + made.Name
		switch made.Type {
		case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":
			all = append(all, rule{where, strings.Contains(made.Type, "Ingress"), peers(in), number(in["fromPort"])})
		case "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
			for _, direction := range []string{"ingress", "egress"} {
				inline, _ := in[direction].([]any)
				for _, one := range inline {
					all = append(all, rule{where, direction == "ingress", peers(one.(map[string]any)), number(one.(map[string]any)["fromPort"])})
				}
			}
		}
	}
	return all
}

func peers(in map[string]any) []string {
	var all []string
	for _, key := range []string{"cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks"} {
		switch value := in[key].(type) {
		case string:
			all = append(all, value)
		case []any:
			for _, v := range value {
				all = append(all, v.(string))
			}
		}
	}
	return all
}

func number(value any) float64 { n, _ := value.(float64); return n }

func TestOnlyProductionsListenersAreOpenToEverybody(t *testing.T) {
	everyStack(t, func(t *testing.T, environment string, r *mocks.Recorder) {
		open := 0
		for _, rule := range rules(r) {
			for _, peer := range rule.peers {
				network := netip.MustParsePrefix(peer)
				if rule.ingress && network.Bits() == 0 {
					open++
					assert.Equal(t, "main", environment, rule.where)
					assert.Contains(t, rule.where, " app-from-", rule.where)
					assert.Contains(t, []float64{80, 443}, rule.port, rule.where)
				}
			}
		}
		assert.Equal(t, map[string]int{"main": 2}[environment], open)
	})
}

// inDev are the types of network resources that dev may have. A type that leads in or out of a VPC is not among them, whatever it is
// called: gateways, NAT, addresses, routes, peerings, attachments.
var inDev = []string{
	"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/routeTable:RouteTable", "aws:ec2/routeTableAssociation:RouteTableAssociation",
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/vpcEndpoint:VpcEndpoint",
	"aws:ec2/flowLog:FlowLog", "aws:ec2/launchTemplate:LaunchTemplate",
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
}

func TestDevHasNoPathInOrOut(t *testing.T) {
	for _, preview := range []bool{false, true} {
		t.Run(fmt.Sprintf("preview=%t", preview), func(t *testing.T) {
			c := config("dev")
			c.Reach = []string{"10.99.0.0/16"}
			r := world(map[string]string{"ami-id": ami})
			require.NoError(t, r.Run("dev", preview, namespaced(c), environments.Deploy))
			for _, made := range r.Resources() {
				module := strings.TrimPrefix(made.Type, "aws:")
				if strings.HasPrefix(module, "ec2") || strings.HasPrefix(module, "vpc") {
					assert.Contains(t, inDev, made.Type, made.Name)
				}
				assert.NotContains(t, made.Inputs, resource.PropertyKey("routes"), made.Name)
				assert.False(t, made.Inputs["mapPublicIpOnLaunch"].IsBool() && made.Inputs["mapPublicIpOnLaunch"].BoolValue(), made.Name)
			}
			assert.True(t, r.Only(t, "aws:lb/loadBalancer:LoadBalancer").Inputs["internal"].BoolValue())
			assert.NotContains(t, r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate").Inputs, resource.PropertyKey("networkInterfaces"))
			for _, rule := range rules(r) {
				for _, peer := range rule.peers {
					assert.True(t, peer == c.CIDR || rule.ingress && slices.Contains(c.Reach, peer), "%s: %s", rule.where, peer)
				}
			}
		})
	}
}

func TestInstancesAreReachedWithIMDSv2OnlyAndTheirVolumesAreEncrypted(t *testing.T) {
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		volumes, tokens := 0, 0
		for _, made := range r.Resources() {
			walk(made.Inputs.Mappable(), func(key string, value map[string]any) {
				switch key {
				case "ebs":
					volumes++
					assert.Equal(t, "true", fmt.Sprint(value["encrypted"]), "%s %s", made.Type, made.Name)
				case "metadataOptions", "instanceMetadataOptions":
					tokens++
					assert.Equal(t, "required", value["httpTokens"], "%s %s", made.Type, made.Name)
				}
			})
		}
		assert.GreaterOrEqual(t, volumes, 2, "instances and images")
		assert.Equal(t, len(r.Of("aws:ec2/launchTemplate:LaunchTemplate"))+len(r.Of("aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration")), tokens)
	})
}

func walk(value any, visit func(key string, value map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			if object, ok := v.(map[string]any); ok {
				visit(key, object)
			}
			walk(v, visit)
		}
	case []any:
		for _, v := range value {
			walk(v, visit)
		}
	}
}

func TestLoadBalancersDropInvalidHeadersAndSpeakTLSOutside(t *testing.T) {
	everyStack(t, func(t *testing.T, environment string, r *mocks.Recorder) {
		balancer := r.Only(t, "aws:lb/loadBalancer:LoadBalancer").Inputs
		assert.True(t, balancer["dropInvalidHeaderFields"].BoolValue())
		assert.Equal(t, environment != "dev", balancer["enableDeletionProtection"].BoolValue())
		for _, listener := range r.Of("aws:lb/listener:Listener") {
			action := listener.Inputs["defaultActions"].ArrayValue()[0].ObjectValue()["type"].StringValue()
			if environment != "dev" && action == "forward" {
				assert.Equal(t, "HTTPS", listener.Inputs["protocol"].StringValue())
			}
		}
		assert.Len(t, r.Of("aws:wafv2/webAclAssociation:WebAclAssociation"), map[string]int{"qa": 1, "main": 1}[environment])
	})
}

// withoutResource are the actions beside describing ones that know no resource (AWS Service Authorization Reference).
var withoutResource = []string{"ssmmessages:", "ec2messages:"}

func TestSystemsRolesAllowNoMoreThanTheyNeed(t *testing.T) {
	everyStack(t, func(t *testing.T, _ string, r *mocks.Recorder) {
		for _, attached := range r.Of("aws:iam/rolePolicy:RolePolicy") {
			text := attached.Inputs["policy"]
			if !text.IsString() || !strings.Contains(attached.Parent, "AppEnvironment") {
				continue
			}
			var policy struct {
				Statement []struct{ Action, Resource []string }
			}
			require.NoError(t, json.Unmarshal([]byte(text.StringValue()), &policy))
			for _, s := range policy.Statement {
				for _, action := range s.Action {
					assert.NotContains(t, action, "*", attached.Name)
					if slices.Contains(s.Resource, "*") {
						known := slices.ContainsFunc(withoutResource, func(prefix string) bool { return strings.HasPrefix(action, prefix) })
						assert.True(t, known || strings.Contains(action, ":Describe"), "%s: %s knows a resource", attached.Name, action)
					}
				}
			}
		}
		for _, attached := range r.Of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") {
			assert.NotContains(t, attached.Parent, "AppEnvironment", "%s: managed policies allow more than the systems need", attached.Name)
		}
	})
}

func TestOneZoneIsRefused(t *testing.T) {
	for _, profile := range environments.Profiles() {
		assert.GreaterOrEqual(t, profile.Zones, 2, profile.Environment)
		s := scenario{environment: profile.Environment, zones: []string{"eu-west-1a"}}
		r, err := s.run(t, false)
		require.ErrorContains(t, err, fmt.Sprintf("Pulumi.%s.yaml: ha-devops:region: region eu-west-1 has 1 availability zones", profile.Environment))
		for _, made := range r.Resources() {
			assert.True(t, strings.HasPrefix(made.Type, "pulumi:"), "%s was registered", made.Type)
		}
	}
}
