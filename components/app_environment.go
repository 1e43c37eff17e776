package components

import (
	"net/netip"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/pipelines"
)

// Exposure is who reaches an environment's systems.
type Exposure string

// The exposures.
const (
	// Team: nobody from outside. No internet gateway, no NAT, no public address; the team comes through Systems Manager or from
	// its own CIDRs inside.
	Team Exposure = "team"
	// Testers: the testers' CIDRs, and nobody else.
	Testers Exposure = "testers"
	// Public: everybody.
	Public Exposure = "public"
)

func (e Exposure) outside() bool { return e != Team }

// AppEnvironmentArgs says what an AppEnvironment is.
type AppEnvironmentArgs struct {
	// Facts name everything.
	Facts pipelines.Facts
	// CIDR is the VPC's, a /16 to /24 of IPv4.
	CIDR netip.Prefix
	// Zones are the names of the availability zones, at least two: a load balancer needs them.
	Zones []string
	// Exposure is who reaches the systems, Reach from which CIDRs. Public is reached from anywhere.
	Exposure Exposure
	Reach    []string
	// Spec is the shape of the systems and Capacity how many instances run in this environment.
	Spec     envspec.Spec
	Capacity envspec.Capacity
	// AMI is the ID of the image that the instances run. While it is empty there are no instances, only what surrounds them.
	AMI string
	// ArtifactTag is the release that the AMI bears.
	ArtifactTag string
	// RootDevice is the name of the AMI's root device, which differs between distributions. "/dev/xvda" by default.
	RootDevice string
	// CertificateArn is the certificate of the load balancer's HTTPS listener. Without it ACM is asked for one for Domain, the name under
	// which people reach the load balancer. Only the team's environment may go without both: it then speaks HTTP.
	CertificateArn string
	Domain         string
	// WebFirewall puts a web application firewall before the load balancer.
	WebFirewall bool
	// Protect keeps the load balancer and its logs from being deleted.
	Protect bool
	// KeyArn is the ARN of the environment's KMS key, which encrypts volumes, logs and alarms' notifications. Its policy must let
	// CloudWatch, CloudWatch Logs and Auto Scaling use it, as a Delivery's does.
	KeyArn pulumi.StringInput
	// LogRetentionDays is how long logs are kept, one of the periods that CloudWatch Logs knows.
	LogRetentionDays int
	// Operators are the e-mail addresses that hear of alarms. None by default.
	Operators []string
}

// AppEnvironment is where a release runs: a network over the zones, a load balancer, and an Auto Scaling group on a pinned version
// of a launch template. A new release is a new version of the launch template, which starts an instance refresh; "$Latest" would
// never start one (pulumi/pulumi#7551).
//
// What a release or a changed environment.json may change is the launch template, the group and its scaling, the target group, the
// listener's target, the port's rules and the alarms: the infrastructure pipeline may do just that. Everything else depends on
// neither, and is there before the first release.
type AppEnvironment struct {
	pulumi.ResourceState

	// VpcId is the network's ID.
	VpcId pulumi.IDOutput `pulumi:"vpcId"`
	// Url is where the software is reached.
	Url pulumi.StringOutput `pulumi:"url"`
	// Group is the name of the Auto Scaling group, empty while no release runs.
	Group pulumi.StringOutput `pulumi:"group"`
	// AlarmTopicArn is the ARN of the SNS topic that alarms go to.
	AlarmTopicArn pulumi.StringOutput `pulumi:"alarmTopicArn"`
}

// NewAppEnvironment registers an AppEnvironment.
func NewAppEnvironment(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, opts ...pulumi.ResourceOption) (*AppEnvironment, error) {
	if args == nil {
		args = &AppEnvironmentArgs{}
	}
	if err := require(TypeAppEnvironment, name, map[string]bool{
		"Facts": args.Facts.Product != "", "CIDR": args.CIDR.IsValid(), "Zones (two or more)": len(args.Zones) >= 2, "Exposure": args.Exposure != "",
		"Reach": args.Exposure != Testers || len(args.Reach) > 0, "CertificateArn or Domain": !args.Exposure.outside() || args.tls(),
		"KeyArn": args.KeyArn != nil, "LogRetentionDays": args.LogRetentionDays > 0,
	}); err != nil {
		return nil, err
	}
	a := &AppEnvironment{}
	inputs := pulumi.Map{
		"exposure": pulumi.String(args.Exposure), "zones": pulumi.ToStringArray(args.Zones),
		"amiId": pulumi.String(args.AMI), "artifactTag": pulumi.String(args.ArtifactTag),
	}
	if err := ctx.RegisterComponentResourceV2(TypeAppEnvironment, name, inputs, a, opts...); err != nil {
		return nil, err
	}
	n, err := a.network(ctx, name, args)
	if err != nil {
		return nil, err
	}
	door, err := a.door(ctx, name, args, n)
	if err != nil {
		return nil, err
	}
	profile, err := a.profile(ctx, name, args)
	if err != nil {
		return nil, err
	}
	if a.AlarmTopicArn, err = a.alarms(ctx, name, args, door); err != nil {
		return nil, err
	}
	a.VpcId, a.Url, a.Group = n.vpc.ID(), door.url, pulumi.String("").ToStringOutput()
	if args.AMI != "" {
		if a.Group, err = a.instances(ctx, name, args, n, door, profile); err != nil {
			return nil, err
		}
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{
		"vpcId": a.VpcId, "url": a.Url, "group": a.Group, "alarmTopicArn": a.AlarmTopicArn,
	})
}

func (a *AppEnvironment) named(args *AppEnvironmentArgs) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(args.Facts.Name())}
}
