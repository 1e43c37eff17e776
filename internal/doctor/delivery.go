package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/codestarconnections"
	"github.com/aws/aws-sdk-go-v2/service/codestarconnections/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

// tool compares what lies on S3 with the pinned digest.
func (s Subject) tool(ctx context.Context, tool Tool) Result {
	publish := fmt.Sprintf("relay publish, and pin what it prints in Pulumi.%s.yaml", s.Environment)
	have, err := artifact.Stored(ctx, s3.NewFromConfig(s.Cloud), tool.URI)
	switch {
	case artifact.Missing(err):
		return problem("there is nothing at "+tool.URI, publish)
	case err != nil:
		return asked(err)
	case have != tool.SHA256:
		return problem(fmt.Sprintf("%s has the SHA-256 %s, pinned is %s", tool.URI, have, tool.SHA256), publish)
	}
	return ok("%s", tool.URI)
}

// connection wants the handshake done (Developer Tools console User Guide, "Update a pending connection").
func (s Subject) connection(ctx context.Context) Result {
	client := codestarconnections.NewFromConfig(s.Cloud)
	pages := codestarconnections.NewListConnectionsPaginator(client, &codestarconnections.ListConnectionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return asked(err)
		}
		for _, c := range page.Connections {
			if aws.ToString(c.ConnectionName) != s.Connection {
				continue
			}
			if c.ConnectionStatus != types.ConnectionStatusAvailable {
				return problem(fmt.Sprintf("connection %s is %s: CodePipeline cannot read GitHub", s.Connection, c.ConnectionStatus),
					fmt.Sprintf("complete it with \"Update pending connection\" at https://%s.console.aws.amazon.com/codesuite/settings/connections", s.Region))
			}
			return ok("%s is available", s.Connection)
		}
	}
	return Result{Status: Note, Found: fmt.Sprintf("connection %s is not there yet", s.Connection), Fix: "pulumi up --stack " + s.Environment + " makes it"}
}

func (s Subject) certificate(ctx context.Context) Result {
	if s.Domain == "" && s.Certificate == "" {
		return ok("none is configured: the load balancer speaks HTTP")
	}
	client, arn := acm.NewFromConfig(s.Cloud), s.Certificate
	if arn == "" {
		pages := acm.NewListCertificatesPaginator(client, &acm.ListCertificatesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return asked(err)
			}
			for _, c := range page.CertificateSummaryList {
				if aws.ToString(c.DomainName) == s.Domain {
					arn = aws.ToString(c.CertificateArn)
				}
			}
		}
		if arn == "" {
			return Result{Status: Note, Found: "nobody asked for a certificate of " + s.Domain + " yet", Fix: "pulumi up --stack " + s.Environment + " does, and waits for its DNS record"}
		}
	}
	out, err := client.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: &arn})
	if code(err) == "ResourceNotFoundException" {
		return problem("there is no certificate "+arn, "mend certificate in Pulumi."+s.Environment+".yaml, or set domain instead")
	}
	if err != nil {
		return asked(err)
	}
	c := out.Certificate
	if c.Status == acmtypes.CertificateStatusIssued {
		return ok("%s, issued", aws.ToString(c.DomainName))
	}
	fix := "ask for a new one and set certificate in Pulumi." + s.Environment + ".yaml"
	for _, validation := range c.DomainValidationOptions {
		if r := validation.ResourceRecord; c.Status == acmtypes.CertificateStatusPendingValidation && r != nil {
			fix = fmt.Sprintf("make the DNS record %s %s %s", aws.ToString(r.Name), r.Type, aws.ToString(r.Value))
		}
	}
	return problem(fmt.Sprintf("the certificate of %s is %s", aws.ToString(c.DomainName), c.Status), fix)
}
