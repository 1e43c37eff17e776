package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tls says whether the load balancer speaks HTTPS.
func (args *AppEnvironmentArgs) tls() bool { return args.CertificateArn != "" || args.Domain != "" }

// certificate returns the ARN of the certificate that the load balancer shows: the given one, or one for the domain, which is known
// once ACM has issued it. ACM issues and renews it as long as it finds the DNS record that it names in its console (AWS Certificate
// Manager User Guide, "DNS validation"); the first update waits until somebody has made the record.
func (a *AppEnvironment) certificate(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringInput, error) {
	if args.Domain == "" {
		return pulumi.String(args.CertificateArn), nil
	}
	requested, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName: pulumi.String(args.Domain), ValidationMethod: pulumi.String("DNS"), Tags: a.named(args),
	}, pulumi.Parent(a))
	if err != nil {
		return nil, err
	}
	issued, err := acm.NewCertificateValidation(ctx, name, &acm.CertificateValidationArgs{CertificateArn: requested.Arn}, pulumi.Parent(a))
	if err != nil {
		return nil, err
	}
	return issued.CertificateArn, nil
}
