package components

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// network is an environment's VPC. The application's subnets are private; only an environment that is reached from outside has
// public subnets, an internet gateway and NAT.
type network struct {
	vpc     *ec2.Vpc
	private []pulumi.IDOutput
	public  []pulumi.IDOutput
}

// balancer returns the subnets of the load balancer.
func (n network) balancer() []pulumi.IDOutput {
	if len(n.public) > 0 {
		return n.public
	}
	return n.private
}

// subnetBits makes each subnet a sixteenth of the VPC: up to eight zones with a public and a private subnet each.
const subnetBits = 4

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
	n := network{vpc: vpc}
	var gateway *ec2.InternetGateway
	if args.Exposure.outside() {
		if gateway, err = ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{VpcId: vpc.ID(), Tags: a.named(args)}, parent); err != nil {
			return n, err
		}
	}
	var tables pulumi.StringArray
	for i, zone := range args.Zones {
		local := fmt.Sprintf("%s-private-%d", name, i+1)
		table, private, err := a.subnet(ctx, local, args, vpc, zone, subnet(args.CIDR, 8+i))
		if err != nil {
			return n, err
		}
		n.private = append(n.private, private)
		tables = append(tables, table.ID().ToStringOutput())
		if gateway == nil {
			continue
		}
		public, err := a.wayOut(ctx, name, i, args, vpc, gateway, table)
		if err != nil {
			return n, err
		}
		n.public = append(n.public, public)
	}
	if !args.Exposure.outside() {
		err = a.endpoints(ctx, name, args, n, tables)
	}
	return n, err
}

// subnet makes a subnet with a route table of its own.
func (a *AppEnvironment) subnet(ctx *pulumi.Context, local string, args *AppEnvironmentArgs, vpc *ec2.Vpc, zone string, cidr pulumi.String) (*ec2.RouteTable, pulumi.IDOutput, error) {
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
	table, public, err := a.subnet(ctx, local, args, vpc, args.Zones[i], subnet(args.CIDR, i))
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

// endpoints are how instances without a way out reach the services they need: Systems Manager (the team's only way in) and logs.
func (a *AppEnvironment) endpoints(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, tables pulumi.StringArray) error {
	parent := pulumi.Parent(a)
	group, err := ec2.NewSecurityGroup(ctx, name+"-endpoints", &ec2.SecurityGroupArgs{
		VpcId: n.vpc.ID(), Name: pulumi.String(args.Facts.Name("endpoints")), Description: pulumi.String("Endpoints of AWS services, reached from the VPC"),
		Ingress: ec2.SecurityGroupIngressArray{ec2.SecurityGroupIngressArgs{
			Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443),
			CidrBlocks: pulumi.ToStringArray([]string{args.CIDR.String()}), Description: pulumi.String("HTTPS from the VPC"),
		}},
	}, parent)
	if err != nil {
		return err
	}
	service := func(s string) pulumi.String { return pulumi.String("com.amazonaws." + args.Facts.Region + "." + s) }
	for _, s := range []string{"ssm", "ssmmessages", "ec2messages", "logs"} {
		if _, err := ec2.NewVpcEndpoint(ctx, name+"-"+s, &ec2.VpcEndpointArgs{
			VpcId: n.vpc.ID(), ServiceName: service(s), VpcEndpointType: pulumi.String("Interface"), PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds: stringsOf(n.private), SecurityGroupIds: pulumi.StringArray{group.ID().ToStringOutput()},
		}, parent); err != nil {
			return err
		}
	}
	_, err = ec2.NewVpcEndpoint(ctx, name+"-s3", &ec2.VpcEndpointArgs{
		VpcId: n.vpc.ID(), ServiceName: service("s3"), VpcEndpointType: pulumi.String("Gateway"), RouteTableIds: tables,
	}, parent)
	return err
}

func (a *AppEnvironment) named(args *AppEnvironmentArgs) pulumi.StringMap {
	return pulumi.StringMap{"Name": pulumi.String(args.Facts.Name())}
}

const anywhere = "0.0.0.0/0"
