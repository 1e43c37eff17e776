package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// firewall makes the load balancer's security group and the instances': who may come in to the first, and only from it to the
// second.
func (a *AppEnvironment) firewall(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network) (outer, inner *ec2.SecurityGroup, err error) {
	parent := pulumi.Parent(a)
	group := func(part, description string) (*ec2.SecurityGroup, error) {
		return ec2.NewSecurityGroup(ctx, name+"-"+part, &ec2.SecurityGroupArgs{
			VpcId: n.vpc.ID(), Name: pulumi.String(args.Facts.Name(part)), Description: pulumi.String(description),
		}, parent)
	}
	if outer, err = group("balancer", "Load balancer"); err != nil {
		return nil, nil, err
	}
	if inner, err = group("app", "Instances, reached through the load balancer only"); err != nil {
		return nil, nil, err
	}
	if err = a.entrance(ctx, name, args, outer); err != nil {
		return nil, nil, err
	}
	if _, err = vpc.NewSecurityGroupEgressRule(ctx, name+"-balancer", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: outer.ID(), ReferencedSecurityGroupId: inner.ID(), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(args.Spec.Port), ToPort: pulumi.Int(args.Spec.Port), Description: pulumi.String("To the instances"),
	}, parent); err != nil {
		return nil, nil, err
	}
	if _, err = vpc.NewSecurityGroupIngressRule(ctx, name+"-app", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: inner.ID(), ReferencedSecurityGroupId: outer.ID(), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(args.Spec.Port), ToPort: pulumi.Int(args.Spec.Port), Description: pulumi.String("From the load balancer"),
	}, parent); err != nil {
		return nil, nil, err
	}
	return outer, inner, a.exit(ctx, name, args, n, inner)
}

// entrance lets in, on the listeners' ports, those who may reach the environment.
func (a *AppEnvironment) entrance(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, balancer *ec2.SecurityGroup) error {
	reach := args.Reach
	if args.Exposure == Public {
		reach = []string{anywhere}
	}
	for _, cidr := range reach {
		for _, port := range args.ports() {
			if _, err := vpc.NewSecurityGroupIngressRule(ctx, fmt.Sprintf("%s-from-%s-%d", name, cidr, port), &vpc.SecurityGroupIngressRuleArgs{
				SecurityGroupId: balancer.ID(), CidrIpv4: pulumi.String(cidr), IpProtocol: pulumi.String("tcp"),
				FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String("Listener"),
			}, pulumi.Parent(a)); err != nil {
				return err
			}
		}
	}
	return nil
}

// exit lets the instances out to HTTPS: through NAT where there is a way out, else to the endpoints, of which the one for S3 has
// AWS's own addresses, behind a prefix list and not in the VPC.
func (a *AppEnvironment) exit(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, instances *ec2.SecurityGroup) error {
	https := func(local string, to vpc.SecurityGroupEgressRuleArgs) error {
		to.SecurityGroupId, to.IpProtocol, to.Description = instances.ID(), pulumi.String("tcp"), pulumi.String("HTTPS")
		to.FromPort, to.ToPort = pulumi.Int(portHTTPS), pulumi.Int(portHTTPS)
		_, err := vpc.NewSecurityGroupEgressRule(ctx, local, &to, pulumi.Parent(a))
		return err
	}
	if args.Exposure.outside() {
		return https(name+"-app", vpc.SecurityGroupEgressRuleArgs{CidrIpv4: pulumi.String(anywhere)})
	}
	if err := https(name+"-app", vpc.SecurityGroupEgressRuleArgs{CidrIpv4: pulumi.String(args.CIDR.String())}); err != nil {
		return err
	}
	return https(name+"-s3", vpc.SecurityGroupEgressRuleArgs{PrefixListId: n.packages})
}
