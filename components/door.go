package components

import (
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// door is how the software is reached: the load balancer, its security group and the instances' group behind it.
type door struct {
	url       pulumi.StringOutput
	balancer  *lb.LoadBalancer
	target    *lb.TargetGroup
	instances *ec2.SecurityGroup
	listener  pulumi.Resource
}

// The ports of the load balancer's listeners.
const (
	portHTTP  = 80
	portHTTPS = 443
)

// ports are the ports on which the load balancer listens: without a certificate it speaks HTTP, with one HTTPS, and HTTP only says
// where to go.
func (args *AppEnvironmentArgs) ports() []int {
	if !args.tls() {
		return []int{portHTTP}
	}
	return []int{portHTTPS, portHTTP}
}

func (a *AppEnvironment) door(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network) (door, error) {
	outer, inner, err := a.firewall(ctx, name, args, n)
	if err != nil {
		return door{}, err
	}
	log, err := a.accessLog(ctx, name, args)
	if err != nil {
		return door{}, err
	}
	parent := pulumi.Parent(a)
	balancer, err := lb.NewLoadBalancer(ctx, name, &lb.LoadBalancerArgs{
		Name: pulumi.String(shortName(args.Facts)), LoadBalancerType: pulumi.String("application"),
		Internal: pulumi.Bool(!args.Exposure.outside()), Subnets: stringsOf(n.balancer()),
		SecurityGroups: pulumi.StringArray{outer.ID().ToStringOutput()}, DropInvalidHeaderFields: pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(args.Protect),
		AccessLogs:               lb.LoadBalancerAccessLogsArgs{Bucket: log, Enabled: pulumi.Bool(true)},
	}, parent)
	if err != nil {
		return door{}, err
	}
	if args.WebFirewall {
		if err := a.webFirewall(ctx, name, args, balancer); err != nil {
			return door{}, err
		}
	}
	health := args.Spec.Health
	target, err := lb.NewTargetGroup(ctx, name, &lb.TargetGroupArgs{
		// Another port needs another target group, and a listener lets go of the old one only when it has the new one.
		Name: pulumi.String(shortName(args.Facts, strconv.Itoa(args.Spec.Port))), Port: pulumi.Int(args.Spec.Port), Protocol: pulumi.String("HTTP"), VpcId: n.vpc.ID(),
		TargetType: pulumi.String("instance"), DeregistrationDelay: pulumi.Int(30),
		HealthCheck: lb.TargetGroupHealthCheckArgs{
			Path: pulumi.String(health.Path), Protocol: pulumi.String("HTTP"), Matcher: pulumi.String("200"), Timeout: pulumi.Int(5),
			Interval:         pulumi.Int(health.IntervalSeconds),
			HealthyThreshold: pulumi.Int(health.HealthyThreshold), UnhealthyThreshold: pulumi.Int(health.UnhealthyThreshold),
		},
	}, parent)
	if err != nil {
		return door{}, err
	}
	listener, err := a.listeners(ctx, name, args, balancer, target)
	if err != nil {
		return door{}, err
	}
	return door{url: args.url(balancer), balancer: balancer, target: target, instances: inner, listener: listener}, nil
}

// url is where the software is reached: at the domain, which its owner points to the load balancer, or at the load balancer's own
// name.
func (args *AppEnvironmentArgs) url(balancer *lb.LoadBalancer) pulumi.StringOutput {
	switch {
	case args.Domain != "":
		return pulumi.String("https://" + args.Domain).ToStringOutput()
	case args.tls():
		return pulumi.Sprintf("https://%s", balancer.DnsName)
	}
	return pulumi.Sprintf("http://%s", balancer.DnsName)
}

// listeners makes the listener that leads to the instances, and where that one speaks TLS a second one that sends HTTP there.
func (a *AppEnvironment) listeners(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, balancer *lb.LoadBalancer, target *lb.TargetGroup) (pulumi.Resource, error) {
	parent := pulumi.Parent(a)
	listener := &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(portHTTP), Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: target.Arn}},
	}
	if !args.tls() {
		return lb.NewListener(ctx, name, listener, parent)
	}
	certificate, err := a.certificate(ctx, name, args)
	if err != nil {
		return nil, err
	}
	listener.Port, listener.Protocol = pulumi.Int(portHTTPS), pulumi.String("HTTPS")
	listener.CertificateArn = certificate.ToStringOutput()
	// TLS 1.3 and 1.2 with forward secrecy (Application Load Balancers User Guide, "Security policies").
	listener.SslPolicy = pulumi.String("ELBSecurityPolicy-TLS13-1-2-2021-06")
	made, err := lb.NewListener(ctx, name, listener, parent)
	if err != nil {
		return nil, err
	}
	_, err = lb.NewListener(ctx, name+"-redirect", &lb.ListenerArgs{
		LoadBalancerArn: balancer.Arn, Port: pulumi.Int(portHTTP), Protocol: pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: lb.ListenerDefaultActionRedirectArgs{
				Port: pulumi.String(strconv.Itoa(portHTTPS)), Protocol: pulumi.String("HTTPS"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
	}, parent)
	return made, err
}
