package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The resources are registered by their type tokens and untyped: the SDK's package for them is larger than all others together, and
// every pipeline would fetch a relay that is as much larger.
const (
	typeWebACL            = "aws:wafv2/webAcl:WebAcl"
	typeWebACLAssociation = "aws:wafv2/webAclAssociation:WebAclAssociation"
)

// managedRules are the rule groups that AWS maintains and that fit every web application (AWS WAF Developer Guide, "AWS Managed Rules
// rule groups list"), in the order of evaluation.
var managedRules = []struct {
	name string
	// counted are rules that only count.
	counted []string
}{
	{name: "AWSManagedRulesAmazonIpReputationList"},
	{name: "AWSManagedRulesKnownBadInputsRuleSet"},
	// A body larger than 8 KiB is an upload more often than an attack.
	{name: "AWSManagedRulesCommonRuleSet", counted: []string{"SizeRestrictions_BODY"}},
}

// webFirewall puts a web application firewall before the load balancer.
func (a *AppEnvironment) webFirewall(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, balancer *lb.LoadBalancer) error {
	seen := func(metric string) pulumi.Map {
		return pulumi.Map{
			"cloudwatchMetricsEnabled": pulumi.Bool(true), "sampledRequestsEnabled": pulumi.Bool(true), "metricName": pulumi.String(metric),
		}
	}
	var rules pulumi.Array
	for i, group := range managedRules {
		statement := pulumi.Map{"vendorName": pulumi.String("AWS"), "name": pulumi.String(group.name)}
		var overrides pulumi.Array
		for _, rule := range group.counted {
			overrides = append(overrides, pulumi.Map{"name": pulumi.String(rule), "actionToUse": pulumi.Map{"count": pulumi.Map{}}})
		}
		if overrides != nil {
			statement["ruleActionOverrides"] = overrides
		}
		rules = append(rules, pulumi.Map{
			"name": pulumi.String(group.name), "priority": pulumi.Int(i), "overrideAction": pulumi.Map{"none": pulumi.Map{}},
			"statement":        pulumi.Map{"managedRuleGroupStatement": statement},
			"visibilityConfig": seen(group.name),
		})
	}
	acl := &webACL{}
	if err := ctx.RegisterResource(typeWebACL, name, pulumi.Map{
		"name": pulumi.String(args.Facts.Name()), "description": pulumi.String("In front of the load balancer of " + args.Facts.Name()),
		"scope": pulumi.String("REGIONAL"), "defaultAction": pulumi.Map{"allow": pulumi.Map{}}, "rules": rules,
		"visibilityConfig": seen(args.Facts.Name()),
	}, acl, pulumi.Parent(a)); err != nil {
		return err
	}
	return ctx.RegisterResource(typeWebACLAssociation, name, pulumi.Map{"webAclArn": acl.Arn, "resourceArn": balancer.Arn},
		&pulumi.CustomResourceState{}, pulumi.Parent(a))
}

// webACL is what is needed of a web ACL's outputs.
type webACL struct {
	pulumi.CustomResourceState

	Arn pulumi.StringOutput `pulumi:"arn"`
}
