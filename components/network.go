package components

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// network is an environment's VPC. An environment that is reached from outside has public subnets for the load balancer, and private
// ones with a way out for the application. The team's environment has only isolated subnets: nothing leads in or out.
type network struct {
	vpc *ec2.Vpc
	// inner are the application's subnets, private or isolated.
	inner  []pulumi.IDOutput
	public []pulumi.IDOutput
	// packages is the prefix list of the S3 endpoint, where there is one.
	packages pulumi.StringOutput
}

// balancer returns the subnets of the load balancer.
func (n network) balancer() []pulumi.IDOutput {
	if len(n.public) > 0 {
		return n.public
	}
	return n.inner
}

// subnetBits makes each subnet a sixteenth of the VPC: up to eight zones with a public and a private subnet each.
const subnetBits = 4

// inner is the number of the first zone's private or isolated subnet; the public ones come before.
const inner = 8

// subnet returns the CIDR of a VPC's i-th subnet.
func subnet(vpc netip.Prefix, i int) pulumi.String {
	address := vpc.Masked().Addr().As4()
	bits := vpc.Bits() + subnetBits
	start := binary.BigEndian.Uint32(address[:]) + uint32(i)<<(32-bits)
	binary.BigEndian.PutUint32(address[:], start)
	return pulumi.String(netip.PrefixFrom(netip.AddrFrom4(address), bits).String())
}

func (a *AppEnvironment) network(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (network, error) {
	parent := pulumi.Parent(a)
	vpc, err := ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock: pulumi.String(args.CIDR.String()), EnableDnsHostnames: pulumi.Bool(true), EnableDnsSupport: pulumi.Bool(true),
		Tags: a.named(args),
	}, parent)
	if err != nil {
		return network{}, err
	}
	if err := a.closeDefaults(ctx, name, args, vpc); err != nil {
		return network{}, err
	}
	if err := a.flowLog(ctx, name, args, vpc); err != nil {
		return network{}, err
	}
	if !args.Exposure.outside() {
		return a.isolated(ctx, name, args, vpc)
	}
	return a.open(ctx, name, args, vpc)
}

// closeDefaults takes all rules from the security group that a VPC is born with: what names no group of its own reaches nothing.
// Network ACLs stay as they are, because they would only repeat, without state, what the security groups say.
func (a *AppEnvironment) closeDefaults(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, vpc *ec2.Vpc) error {
	_, err := ec2.NewDefaultSecurityGroup(ctx, name, &ec2.DefaultSecurityGroupArgs{VpcId: vpc.ID(), Tags: a.named(args)}, pulumi.Parent(a))
	return err
}

// isolated are an environment's subnets without a way out, and the endpoints that stand in for it.
func (a *AppEnvironment) isolated(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, vpc *ec2.Vpc) (network, error) {
	n := network{vpc: vpc}
	var tables pulumi.StringArray
	for i, zone := range args.Zones {
		table, id, err := a.subnet(ctx, fmt.Sprintf("%s-isolated-%d", name, i+1), vpc, zone, subnet(args.CIDR, inner+i))
		if err != nil {
			return n, err
		}
		n.inner = append(n.inner, id)
		tables = append(tables, table.ID().ToStringOutput())
	}
	var err error
	n.packages, err = a.endpoints(ctx, name, args, n, tables)
	return n, err
}

// open are the subnets of an environment that is reached from outside.
func (a *AppEnvironment) open(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, vpc *ec2.Vpc) (network, error) {
	n := network{vpc: vpc}
	gateway, err := ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{VpcId: vpc.ID(), Tags: a.named(args)}, pulumi.Parent(a))
	if err != nil {
		return n, err
	}
	for i, zone := range args.Zones {
		table, private, err := a.subnet(ctx, fmt.Sprintf("%s-private-%d", name, i+1), vpc, zone, subnet(args.CIDR, inner+i))
		if err != nil {
			return n, err
		}
		public, err := a.wayOut(ctx, name, i, args, vpc, gateway, table)
		if err != nil {
			return n, err
		}
		n.inner, n.public = append(n.inner, private), append(n.public, public)
	}
	return n, nil
}

// subnet makes a subnet with a route table of its own.
func (a *AppEnvironment) subnet(ctx *pulumi.Context, local string, vpc *ec2.Vpc, zone string, cidr pulumi.String) (*ec2.RouteTable, pulumi.IDOutput, error) {
	parent, tags := pulumi.Parent(a), pulumi.StringMap{"Name": pulumi.String(local)}
	subnet, err := ec2.NewSubnet(ctx, local, &ec2.SubnetArgs{
		VpcId: vpc.ID(), AvailabilityZone: pulumi.String(zone), CidrBlock: cidr, Tags: tags,
	}, parent)
	if err != nil {
		return nil, pulumi.IDOutput{}, err
	}
	table, err := ec2.NewRouteTable(ctx, local, &ec2.RouteTableArgs{VpcId: vpc.ID(), Tags: tags}, parent)
	if err != nil {
		return nil, pulumi.IDOutput{}, err
	}
	_, err = ec2.NewRouteTableAssociation(ctx, local, &ec2.RouteTableAssociationArgs{SubnetId: subnet.ID(), RouteTableId: table.ID()}, parent)
	return table, subnet.ID(), err
}

// wayOut makes a zone's public subnet and a NAT gateway in it for the zone's private subnet, so that the loss of one zone takes no
// other zone's way out.
func (a *AppEnvironment) wayOut(ctx *pulumi.Context, name string, i int, args *AppEnvironmentArgs, vpc *ec2.Vpc, gateway *ec2.InternetGateway, private *ec2.RouteTable) (pulumi.IDOutput, error) {
	parent, local := pulumi.Parent(a), fmt.Sprintf("%s-public-%d", name, i+1)
	table, public, err := a.subnet(ctx, local, vpc, args.Zones[i], subnet(args.CIDR, i))
	if err != nil {
		return public, err
	}
	out, err := ec2.NewRoute(ctx, local, &ec2.RouteArgs{
		RouteTableId: table.ID(), DestinationCidrBlock: pulumi.String(anywhere), GatewayId: gateway.ID(),
	}, parent)
	if err != nil {
		return public, err
	}
	address, err := ec2.NewEip(ctx, local, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: pulumi.StringMap{"Name": pulumi.String(local)}}, parent)
	if err != nil {
		return public, err
	}
	nat, err := ec2.NewNatGateway(ctx, local, &ec2.NatGatewayArgs{
		SubnetId: public, AllocationId: address.ID(), Tags: pulumi.StringMap{"Name": pulumi.String(local)},
	}, parent, pulumi.DependsOn([]pulumi.Resource{out}))
	if err != nil {
		return public, err
	}
	_, err = ec2.NewRoute(ctx, fmt.Sprintf("%s-private-%d", name, i+1), &ec2.RouteArgs{
		RouteTableId: private.ID(), DestinationCidrBlock: pulumi.String(anywhere), NatGatewayId: nat.ID(),
	}, parent)
	return public, err
}

const anywhere = "0.0.0.0/0"
