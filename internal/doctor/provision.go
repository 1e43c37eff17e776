package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"github.com/tekpossible/ha-devops/internal/names"
)

// The quotas that an environment meets first: each is 5 in a new account (Service Quotas, by their codes).
const (
	quotaVPCs      = "L-F678F1CE"
	quotaAddresses = "L-0263D0A3"
)

// quotas holds what the environment will need against what is left. One that has its network needs nothing more.
func (s Subject) quotas(ctx context.Context) Result {
	client := ec2.NewFromConfig(s.Cloud)
	used, mine, err := s.vpcs(ctx, client)
	if err != nil {
		return asked(err)
	}
	if mine {
		return ok("the network is there")
	}
	addresses, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return asked(err)
	}
	var short []string
	for _, it := range []struct {
		what, service, code string
		used, needs         int
	}{
		{"VPCs", "vpc", quotaVPCs, used, 1},
		{"Elastic IP addresses", "ec2", quotaAddresses, len(addresses.Addresses), s.Addresses},
	} {
		out, err := servicequotas.NewFromConfig(s.Cloud).GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: &it.service, QuotaCode: &it.code})
		if err != nil {
			return asked(err)
		}
		if quota := int(aws.ToFloat64(out.Quota.Value)); it.used+it.needs > quota {
			short = append(short, fmt.Sprintf("%d more %s, %d of %d are used (quota %s)", it.needs, it.what, it.used, quota, it.code))
		}
	}
	if len(short) > 0 {
		return problem(s.Environment+" needs "+strings.Join(short, "; "),
			fmt.Sprintf("ask for more at https://%s.console.aws.amazon.com/servicequotas/home, or delete what is not used", s.Region))
	}
	return ok("enough for a VPC and Elastic IP addresses: %d", s.Addresses)
}

// vpcs counts the region's networks, and says whether the environment's is among them.
func (s Subject) vpcs(ctx context.Context, client *ec2.Client) (count int, mine bool, err error) {
	pages := ec2.NewDescribeVpcsPaginator(client, &ec2.DescribeVpcsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, false, err
		}
		for _, vpc := range page.Vpcs {
			count++
			mine = mine || tagged(vpc.Tags, names.Tags(s.Product, s.Environment))
		}
	}
	return count, mine, nil
}

func tagged(tags []types.Tag, wanted map[string]string) bool {
	found := 0
	for _, tag := range tags {
		if value, ok := wanted[aws.ToString(tag.Key)]; ok && value == aws.ToString(tag.Value) {
			found++
		}
	}
	return found == len(wanted)
}

// permissions asks whether the credentials may provision, with a call that EC2 judges and does not carry out.
func (s Subject) permissions(ctx context.Context) Result {
	_, err := ec2.NewFromConfig(s.Cloud).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), DryRun: aws.Bool(true)})
	switch code(err) {
	case "DryRunOperation":
		return ok("a VPC may be made; the others show in pulumi up")
	case "UnauthorizedOperation":
		return problem("the credentials may not make a VPC (ec2:CreateVpc): pulumi up would fail", "use administrator credentials of account "+s.Account+" for pulumi up")
	}
	return asked(err)
}
