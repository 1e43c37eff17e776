package components_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/mocks"
)

const (
	ami         = "ami-0123456789abcdef0"
	certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/x"
)

// appArgs are those of an environment with a release; change may be nil.
func appArgs(exposure components.Exposure, change func(*components.AppEnvironmentArgs)) *components.AppEnvironmentArgs {
	args := &components.AppEnvironmentArgs{
		Facts: facts, CIDR: netip.MustParsePrefix("10.10.0.0/16"), Zones: []string{"eu-west-1a", "eu-west-1b"},
		Exposure: exposure, Reach: []string{"10.0.0.0/8"}, Spec: envspec.Default(), Capacity: envspec.Capacity{Min: 1, Max: 3}, AMI: ami,
		KeyArn: pulumi.String("arn:key"), LogRetentionDays: 30, Operators: []string{"ops@example.com"},
	}
	if exposure != components.Team {
		args.CertificateArn, args.WebFirewall = certificate, true
	}
	if change != nil {
		change(args)
	}
	return args
}

func app(exposure components.Exposure, change func(*components.AppEnvironmentArgs)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		_, err := components.NewAppEnvironment(ctx, "app", appArgs(exposure, change))
		return err
	}
}

func TestAnEnvironmentNeedsTwoZonesAndOutsideACertificate(t *testing.T) {
	for want, change := range map[string]func(*components.AppEnvironmentArgs){
		"Zones (two or more)":      func(a *components.AppEnvironmentArgs) { a.Zones = a.Zones[:1] },
		"CertificateArn or Domain": func(a *components.AppEnvironmentArgs) { a.CertificateArn = "" },
		"LogRetentionDays":         func(a *components.AppEnvironmentArgs) { a.LogRetentionDays = 0 },
	} {
		r := &mocks.Recorder{}
		assert.ErrorContains(t, r.Run("main", false, nil, app(components.Public, change)), `AppEnvironment "app": `+want+" must not be empty")
		assert.Empty(t, r.Resources())
	}
}

func TestTheTeamsEnvironmentHasNoWayInAndNoWayOut(t *testing.T) {
	bothWays(t, app(components.Team, nil), func(t *testing.T, r *mocks.Recorder) {
		for _, token := range []string{
			"aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip", "aws:ec2/route:Route",
		} {
			assert.Empty(t, r.Of(token), token)
		}
		assert.True(t, r.Only(t, "aws:lb/loadBalancer:LoadBalancer").Inputs["internal"].BoolValue())
		for _, rule := range append(r.Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"), r.Of("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")...) {
			assert.NotEqual(t, "0.0.0.0/0", rule.Inputs["cidrIpv4"].V, rule.Name)
		}
	})
}

// document is an IAM policy as far as the tests look at it.
type document struct {
	Statement []struct {
		Effect    string
		Principal any
		Action    []string
		Resource  []string
		Condition map[string]map[string][]string
	}
}

func parsePolicy(t *testing.T, text string) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.NotEmpty(t, d.Statement)
	return d
}

func TestEndpointsLetThroughNoMoreThanTheInstancesMayDo(t *testing.T) {
	bothWays(t, app(components.Team, nil), func(t *testing.T, r *mocks.Recorder) {
		var allowed []string
		for _, role := range r.Of("aws:iam/rolePolicy:RolePolicy") {
			if role.Name == "app" {
				for _, s := range parsePolicy(t, role.Inputs["policy"].StringValue()).Statement {
					allowed = append(allowed, s.Action...)
				}
			}
		}
		var services, through []string
		for _, endpoint := range r.Of("aws:ec2/vpcEndpoint:VpcEndpoint") {
			services = append(services, strings.TrimPrefix(endpoint.Inputs["serviceName"].StringValue(), "com.amazonaws.eu-west-1."))
			for _, s := range parsePolicy(t, endpoint.Inputs["policy"].StringValue()).Statement {
				if endpoint.Inputs["vpcEndpointType"].StringValue() == "Gateway" {
					assert.Equal(t, []string{"s3:GetObject"}, s.Action, "what AWS publishes is read, nothing is written anywhere")
					continue
				}
				assert.Equal(t, []string{facts.Account}, s.Condition["StringEquals"]["aws:PrincipalAccount"])
				through = append(through, s.Action...)
			}
		}
		assert.ElementsMatch(t, []string{"ssm", "ssmmessages", "ec2messages", "logs", "s3"}, services)
		assert.ElementsMatch(t, allowed, through)
	})
}

func TestTheDefaultSecurityGroupIsClosedAndTrafficIsWrittenDown(t *testing.T) {
	for _, exposure := range []components.Exposure{components.Team, components.Public} {
		bothWays(t, app(exposure, nil), func(t *testing.T, r *mocks.Recorder) {
			group := r.Only(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
			assert.NotContains(t, group.Inputs, "ingress")
			assert.NotContains(t, group.Inputs, "egress")
			assert.Equal(t, "ALL", r.Only(t, "aws:ec2/flowLog:FlowLog").Inputs["trafficType"].StringValue())
			groups := r.Of("aws:cloudwatch/logGroup:LogGroup")
			require.Len(t, groups, 2)
			for _, logs := range groups {
				assert.Equal(t, "arn:key", logs.Inputs["kmsKeyId"].StringValue())
				assert.EqualValues(t, 30, logs.Inputs["retentionInDays"].NumberValue())
			}
		})
	}
}

func TestSubnetsDoNotOverlap(t *testing.T) {
	bothWays(t, app(components.Public, nil), func(t *testing.T, r *mocks.Recorder) {
		var networks []netip.Prefix
		for _, subnet := range r.Of("aws:ec2/subnet:Subnet") {
			networks = append(networks, netip.MustParsePrefix(subnet.Inputs["cidrBlock"].StringValue()))
		}
		require.Len(t, networks, 4)
		for i, a := range networks {
			assert.True(t, netip.MustParsePrefix("10.10.0.0/16").Contains(a.Addr()))
			for _, b := range networks[i+1:] {
				assert.False(t, a.Overlaps(b), "%s and %s", a, b)
			}
		}
		assert.Len(t, r.Of("aws:ec2/natGateway:NatGateway"), 2, "one for each zone")
	})
}

func TestTheDoorSpeaksTLSOutsideAndSendsHTTPThere(t *testing.T) {
	bothWays(t, app(components.Testers, nil), func(t *testing.T, r *mocks.Recorder) {
		actions := map[float64]string{}
		for _, listener := range r.Of("aws:lb/listener:Listener") {
			action := listener.Inputs["defaultActions"].ArrayValue()[0].ObjectValue()
			actions[listener.Inputs["port"].NumberValue()] = action["type"].StringValue()
			if listener.Inputs["port"].NumberValue() == 443 {
				assert.Equal(t, certificate, listener.Inputs["certificateArn"].StringValue())
				assert.Contains(t, listener.Inputs["sslPolicy"].StringValue(), "TLS13")
			}
		}
		assert.Equal(t, map[float64]string{443: "forward", 80: "redirect"}, actions)
		assert.Len(t, r.Of("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"), 3, "two ports for the testers, one for the load balancer")
		assert.Len(t, r.Of("aws:wafv2/webAclAssociation:WebAclAssociation"), 1)
	})
	bothWays(t, app(components.Team, nil), func(t *testing.T, r *mocks.Recorder) {
		assert.EqualValues(t, 80, r.Only(t, "aws:lb/listener:Listener").Inputs["port"].NumberValue())
		assert.Empty(t, r.Of("aws:wafv2/webAcl:WebAcl"))
	})
}

func TestTheDoorShowsTheDomainsCertificate(t *testing.T) {
	bothWays(t, app(components.Public, func(a *components.AppEnvironmentArgs) { a.CertificateArn, a.Domain = "", "shop.example.com" }), func(t *testing.T, r *mocks.Recorder) {
		requested := r.Only(t, "aws:acm/certificate:Certificate").Inputs
		assert.Equal(t, "shop.example.com", requested["domainName"].StringValue())
		assert.Equal(t, "DNS", requested["validationMethod"].StringValue())
		assert.Len(t, r.Of("aws:acm/certificateValidation:CertificateValidation"), 1, "a listener takes a certificate only once it is issued")
		assert.Len(t, r.Of("aws:lb/listener:Listener"), 2)
	})
	bothWays(t, app(components.Public, nil), func(t *testing.T, r *mocks.Recorder) {
		assert.Empty(t, r.Of("aws:acm/certificate:Certificate"))
	})
}

func TestTheAccessLogIsPrivateAndWrittenByTheLoadBalancerOnly(t *testing.T) {
	bothWays(t, app(components.Public, nil), func(t *testing.T, r *mocks.Recorder) {
		assert.True(t, r.Only(t, "aws:lb/loadBalancer:LoadBalancer").Inputs["accessLogs"].ObjectValue()["enabled"].BoolValue())
		closed := r.Only(t, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").Inputs
		for _, key := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
			assert.True(t, closed.Mappable()[key].(bool), key)
		}
		assert.EqualValues(t, 30, r.Only(t, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2").Inputs.Mappable()["rules"].([]any)[1].(map[string]any)["expiration"].(map[string]any)["days"])
		for _, s := range parsePolicy(t, r.Only(t, "aws:s3/bucketPolicy:BucketPolicy").Inputs["policy"].StringValue()).Statement {
			if s.Effect == "Deny" {
				assert.Equal(t, []string{"false"}, s.Condition["Bool"]["aws:SecureTransport"])
				continue
			}
			assert.Equal(t, map[string]any{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, s.Principal)
			assert.Equal(t, []string{"arn:aws:s3:::shop-dev-access-log-111122223333-eu-west-1/AWSLogs/111122223333/*"}, s.Resource)
		}
	})
}

func TestInstancesRunAPinnedImageAndExistOnlyWithARelease(t *testing.T) {
	bothWays(t, app(components.Public, func(a *components.AppEnvironmentArgs) { a.RootDevice = "/dev/sda1" }), func(t *testing.T, r *mocks.Recorder) {
		template := r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate").Inputs.Mappable()
		assert.Equal(t, ami, template["imageId"])
		options := template["metadataOptions"].(map[string]any)
		assert.Equal(t, "required", options["httpTokens"])
		assert.EqualValues(t, 1, options["httpPutResponseHopLimit"])
		assert.NotContains(t, template, "keyName")
		assert.NotContains(t, template, "userData")
		volume := template["blockDeviceMappings"].([]any)[0].(map[string]any)
		assert.Equal(t, "/dev/sda1", volume["deviceName"], "or the root volume would stay as the AMI has it")
		assert.Equal(t, "true", volume["ebs"].(map[string]any)["encrypted"])
		group := r.Only(t, "aws:autoscaling/group:Group").Inputs.Mappable()
		refresh := group["instanceRefresh"].(map[string]any)
		assert.Equal(t, "Rolling", refresh["strategy"])
		assert.Equal(t, true, refresh["preferences"].(map[string]any)["autoRollback"])
		assert.EqualValues(t, 100, refresh["preferences"].(map[string]any)["minHealthyPercentage"])
		assert.NotEqual(t, "$Latest", group["launchTemplate"].(map[string]any)["version"])
		assert.Len(t, group["tags"], 3, "the provider's default tags do not reach the group")
	})
	bothWays(t, app(components.Public, func(a *components.AppEnvironmentArgs) { a.AMI = "" }), func(t *testing.T, r *mocks.Recorder) {
		assert.Empty(t, r.Of("aws:autoscaling/group:Group"))
		for _, token := range []string{
			"aws:iam/instanceProfile:InstanceProfile", "aws:sns/topic:Topic",
		} {
			assert.Len(t, r.Of(token), 1, "%s exists before the first release: no pipeline makes it", token)
		}
	})
}

func TestVolumesAreEncryptedWithTheEnvironmentsKey(t *testing.T) {
	r := &mocks.Recorder{}
	require.NoError(t, r.Run("dev", false, nil, app(components.Team, nil)))
	volume := r.Only(t, "aws:ec2/launchTemplate:LaunchTemplate").Inputs.Mappable()["blockDeviceMappings"].([]any)[0].(map[string]any)
	assert.Equal(t, "arn:key", volume["ebs"].(map[string]any)["kmsKeyId"])
}

func TestTheKeyLetsTheServicesThatRunTheSystemsUseIt(t *testing.T) {
	bothWays(t, func(ctx *pulumi.Context) error {
		_, err := components.NewDelivery(ctx, "delivery", &components.DeliveryArgs{Facts: facts, Config: "{}", LogRetentionDays: 30})
		return err
	}, func(t *testing.T, r *mocks.Recorder) {
		granted := false
		for _, s := range parsePolicy(t, r.Only(t, "aws:kms/key:Key").Inputs["policy"].StringValue()).Statement {
			if account, _ := s.Principal.(map[string]any)["AWS"].(string); account != "*" {
				continue
			}
			assert.Equal(t, []string{facts.Account}, s.Condition["StringEquals"]["kms:CallerAccount"])
			assert.Len(t, s.Condition["StringEquals"]["aws:PrincipalArn"], 1, "everybody who is a certain role of the account")
			if slices.Contains(s.Action, "kms:CreateGrant") {
				granted = true
				assert.Equal(t, []string{facts.ScalingRoleARN()}, s.Condition["StringEquals"]["aws:PrincipalArn"])
				assert.Equal(t, []string{"true"}, s.Condition["Bool"]["kms:GrantIsForAWSResource"])
			}
		}
		assert.True(t, granted, "EC2 attaches an encrypted volume with a grant of its own")
	})
}

func TestScalingFollowsRequestsOnlyWhereTheFileSaysSo(t *testing.T) {
	bothWays(t, app(components.Team, nil), func(t *testing.T, r *mocks.Recorder) {
		assert.Equal(t, "app-cpu", r.Only(t, "aws:autoscaling/policy:Policy").Name)
	})
	bothWays(t, app(components.Team, func(a *components.AppEnvironmentArgs) { a.Spec.Scaling.RequestsPerTarget = 100 }), func(t *testing.T, r *mocks.Recorder) {
		require.Len(t, r.Of("aws:autoscaling/policy:Policy"), 2)
		target := r.Of("aws:autoscaling/policy:Policy")[1].Inputs["targetTrackingConfiguration"].ObjectValue()
		assert.EqualValues(t, 100, target["targetValue"].NumberValue())
	})
}

func TestAlarmsReachTheOperatorsAndStaySilentWithoutARelease(t *testing.T) {
	bothWays(t, app(components.Team, func(a *components.AppEnvironmentArgs) { a.AMI = "" }), func(t *testing.T, r *mocks.Recorder) {
		alarms := r.Of("aws:cloudwatch/metricAlarm:MetricAlarm")
		assert.Len(t, alarms, 6)
		for _, alarm := range alarms {
			assert.Equal(t, "notBreaching", alarm.Inputs["treatMissingData"].StringValue(), alarm.Name)
			assert.Len(t, alarm.Inputs["alarmActions"].ArrayValue(), 1, alarm.Name)
			assert.True(t, strings.HasPrefix(alarm.Inputs["name"].StringValue(), "shop-dev-app-"), "the deploy role may change these alarms only")
		}
		assert.Equal(t, "arn:key", r.Only(t, "aws:sns/topic:Topic").Inputs["kmsMasterKeyId"].StringValue())
		assert.Equal(t, "ops@example.com", r.Only(t, "aws:sns/topicSubscription:TopicSubscription").Inputs["endpoint"].StringValue())
	})
}
