package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// endpoints are how instances without a way out reach the services they need: Systems Manager, which is the team's only way in, and
// CloudWatch Logs. Each endpoint lets through just what the instances' role may do there, and nobody from another account, so that
// it is no way out to somebody else's account either. It returns the ID of the prefix list behind which S3 is. There is none for KMS: volumes and logs are encrypted by their services, not
// by the instances.
func (a *AppEnvironment) endpoints(ctx *pulumi.Context, name string, args *AppEnvironmentArgs, n network, tables pulumi.StringArray) (pulumi.StringOutput, error) {
	parent := pulumi.Parent(a)
	group, err := ec2.NewSecurityGroup(ctx, name+"-endpoints", &ec2.SecurityGroupArgs{
		VpcId: n.vpc.ID(), Name: pulumi.String(args.Facts.Name("endpoints")), Description: pulumi.String("Endpoints of AWS services, reached from the VPC"),
		Ingress: ec2.SecurityGroupIngressArray{ec2.SecurityGroupIngressArgs{
			Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(443), ToPort: pulumi.Int(443),
			CidrBlocks: pulumi.ToStringArray([]string{args.CIDR.String()}), Description: pulumi.String("HTTPS from the VPC"),
		}},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	service := func(s string) pulumi.String { return pulumi.String("com.amazonaws." + args.Facts.Region + "." + s) }
	for _, s := range instanceServices {
		if _, err := ec2.NewVpcEndpoint(ctx, name+"-"+s, &ec2.VpcEndpointArgs{
			VpcId: n.vpc.ID(), ServiceName: service(s), VpcEndpointType: pulumi.String("Interface"), PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds: stringsOf(n.inner), SecurityGroupIds: pulumi.StringArray{group.ID().ToStringOutput()},
			Policy: pulumi.String(policy(throughEndpoint(instanceGrant(args.Facts, s), args.Facts.Account))),
			Tags:   pulumi.StringMap{"Name": pulumi.String(args.Facts.Name(s))},
		}, parent); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	// A gateway endpoint has no address of its own and costs nothing.
	s3, err := ec2.NewVpcEndpoint(ctx, name+"-s3", &ec2.VpcEndpointArgs{
		VpcId: n.vpc.ID(), ServiceName: service("s3"), VpcEndpointType: pulumi.String("Gateway"), RouteTableIds: tables,
		Policy: pulumi.String(policy(packages(args.Facts))), Tags: pulumi.StringMap{"Name": pulumi.String(args.Facts.Name("s3"))},
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return s3.PrefixListId, nil
}

// throughEndpoint lets a grant through an endpoint, to principals of the account.
func throughEndpoint(grant pipelines.Grant, account string) statement {
	s := allow(grant)
	s.Principal = "*"
	s.Condition = map[string]map[string][]string{"StringEquals": {"aws:PrincipalAccount": {account}}}
	return s
}

// packages lets instances without a way out read what AWS publishes on S3 for them: Amazon Linux 2023's packages (Amazon Linux 2023
// User Guide, "Deterministic upgrades through versioned repositories") and Systems Manager's agent (Systems Manager User Guide, "SSM
// Agent communications with AWS managed S3 buckets"). They are read without credentials, so that no principal can be asked for.
func packages(f pipelines.Facts) statement {
	return statement{
		Effect: "Allow", Principal: "*", Action: []string{"s3:GetObject"},
		Resource: []string{"arn:aws:s3:::al2023-repos-" + f.Region + "-de612dc2/*", "arn:aws:s3:::amazon-ssm-" + f.Region + "/*"},
	}
}

// instanceServices are the services that an instance speaks to.
var instanceServices = []string{"ssm", "ssmmessages", "ec2messages", "logs"}

// instanceGrant is what an instance may do at a service: be reached through Session Manager and Run Command (Systems Manager User
// Guide, "Create a custom IAM role for Session Manager", "ec2messages, ssmmessages, and other API operations"), and write its own
// log. The messages' actions know no resource. Unlike with AmazonSSMManagedInstanceCore an instance reads no parameters: the account
// keeps those of other environments too.
func instanceGrant(f pipelines.Facts, service string) pipelines.Grant {
	grants := map[string]pipelines.Grant{
		"ssm": {
			Actions:   []string{"ssm:ListInstanceAssociations", "ssm:UpdateInstanceInformation"},
			Resources: []string{f.ARN("ec2", "instance/*")},
		},
		"ssmmessages": {Actions: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		}, Resources: []string{"*"}},
		"ec2messages": {Actions: []string{
			"ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage", "ec2messages:GetEndpoint",
			"ec2messages:GetMessages", "ec2messages:SendReply",
		}, Resources: []string{"*"}},
		"logs": {
			Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
			Resources: []string{f.ARN("logs", "log-group:"+f.LogGroup("app")+":*")},
		},
	}
	return grants[service]
}

// instancePolicy is what an instance may do at all services.
func instancePolicy(f pipelines.Facts) string {
	var statements []statement
	for _, service := range instanceServices {
		statements = append(statements, allow(instanceGrant(f, service)))
	}
	return policy(statements...)
}
