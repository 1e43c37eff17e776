package components

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// door is how the software is reached: the load balancer, its security group and the instances' group behind it.
type door struct {
	url       pulumi.StringOutput
	target    *lb.TargetGroup
	instances *ec2.SecurityGroup
	listener  pulumi.Resource
}

func (a *AppEnvironment) door(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network) (door, error) {
	port, protocol := 80, "HTTP"
	if args.CertificateArn != "" {
		port, protocol = 443, "HTTPS"
	}
	outer, inner, err := a.firewall(ctx, name, args, n, port)
	if err != nil {
		return door{}, err
	}
	parent := pulumi.Parent(a)
	balancer, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		Name: pulumi.String(shortName(args.Facts)), LoadBalancerType: pulumi.String("application"),
		Internal: pulumi.Bool(!args.Exposure.outside()), Subnets: stringsOf(n.balancer()),
		SecurityGroups: pulumi.StringArray{outer.ID().ToStringOutput()}, DropInvalidHeaderFields: pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(args.Protect),
	}, parent)
	if err != nil {
		return door{}, err
	}
	target, err := lb.NewTargetGroup(ctx, name, &lb.TargetGroupArgs{
		// Another port needs another target group, and a listener lets go of the old one only when it has the new one.
		Name: pulumi.String(shortName(args.Facts, strconv.Itoa(args.Spec.Port))), Port: pulumi.Int(args.Spec.Port), Protocol: pulumi.String("HTTP"), VpcId: n.vpc.ID(),
		TargetType: pulumi.String("instance"), DeregistrationDelay: pulumi.Int(30),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			Path: pulumi.String(args.Spec.Health.Path), Protocol: pulumi.String("HTTP"), Matcher: pulumi.String("200"),
			Interval: pulumi.Int(10), Timeout: pulumi.Int(5), HealthyThreshold: pulumi.Int(2), UnhealthyThreshold: pulumi.Int(3),
		},
	}, parent)
	if err != nil {
		return door{}, err
	}
	listener := &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(port), Protocol: pulumi.String(protocol),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: target.Arn}},
	}
	if args.CertificateArn != "" {
		listener.CertificateArn = pulumi.String(args.CertificateArn)
		listener.SslPolicy = pulumi.String("ELBSecurityPolicy-TLS13-1-2-2021-06")
	}
	made, err := lb.NewListener(ctx, name, listener, parent)
	if err != nil {
		return door{}, err
	}
	scheme := map[string]string{"HTTP": "http://", "HTTPS": "https://"}[protocol]
	return door{url: pulumi.Sprintf("%s%s", scheme, balancer.DnsName), target: target, instances: inner, listener: made}, nil
}

// firewall makes the load balancer's security group and the instances': who may come in to the first, and only from it to the
// second.
func (a *AppEnvironment) firewall(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, port int) (outer, inner *ec2.SecurityGroup, err error) {
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
	reach := args.Reach
	if args.Exposure == Public {
		reach = []string{anywhere}
	}
	for _, cidr := range reach {
		if _, err = vpc.NewSecurityGroupIngressRule(ctx, name+"-from-"+cidr, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: outer.ID(), CidrIpv4: pulumi.String(cidr), IpProtocol: pulumi.String("tcp"),
			FromPort: pulumi.Int(port), ToPort: pulumi.Int(port), Description: pulumi.String("Listener"),
		}, parent); err != nil {
			return nil, nil, err
		}
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
	// Out to HTTPS: to the endpoints in the VPC, or through NAT where there is a way out.
	to := args.CIDR.String()
	if args.Exposure.outside() {
		to = anywhere
	}
	_, err = vpc.NewSecurityGroupEgressRule(ctx, name+"-app", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: inner.ID(), CidrIpv4: pulumi.String(to), IpProtocol: pulumi.String("tcp"),
		FromPort: pulumi.Int(443), ToPort: pulumi.Int(443), Description: pulumi.String("HTTPS"),
	}, parent)
	return outer, inner, err
}
