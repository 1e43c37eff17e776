package awssim

import (
	"maps"
	"slices"
)

// Connection is a connection to GitHub, which waits for a person until it is available.
type Connection struct {
	Name string
	// Status is PENDING, AVAILABLE or ERROR.
	Status string
}

// PutConnection makes or changes a connection by its ARN.
func (a *Account) PutConnection(arn string, c Connection) {
	set(&a.around, &a.around.connections, arn, c)
}

// Connections are all connections by their ARNs.
func (a *Account) Connections() map[string]Connection { return all(&a.around, &a.around.connections) }

// DeleteConnection deletes a connection by its ARN.
func (a *Account) DeleteConnection(arn string) { drop(&a.around, &a.around.connections, arn) }

// connectionsActions are those of the connections to GitHub (API Reference of AWS CodeStar Connections).
func (a *Account) connectionsActions() map[string]JSONAction {
	type listConnections struct {
		MaxResults int
		NextToken  string
	}
	return map[string]JSONAction{
		"ListConnections": Taught(func(_ string, _ listConnections) (any, error) {
			a.around.mu.Lock()
			defer a.around.mu.Unlock()
			list := []map[string]string{}
			for _, arn := range slices.Sorted(maps.Keys(a.around.connections)) {
				c := a.around.connections[arn]
				list = append(list, map[string]string{
					"ConnectionArn": arn, "ConnectionName": c.Name, "ConnectionStatus": c.Status, "ProviderType": "GitHub", "OwnerAccountId": a.opts.AccountID,
				})
			}
			return map[string]any{"Connections": list}, nil
		}),
	}
}

// Certificate is a certificate of ACM.
type Certificate struct {
	Domain string
	// Status is ISSUED, PENDING_VALIDATION or another of ACM's words.
	Status string
}

// PutCertificate makes or changes a certificate by its ARN.
func (a *Account) PutCertificate(arn string, c Certificate) {
	set(&a.around, &a.around.certificates, arn, c)
}

// Certificates are all certificates by their ARNs.
func (a *Account) Certificates() map[string]Certificate {
	return all(&a.around, &a.around.certificates)
}

// DeleteCertificate deletes a certificate by its ARN.
func (a *Account) DeleteCertificate(arn string) { drop(&a.around, &a.around.certificates, arn) }

// certificatesActions are those of Certificate Manager.
func (a *Account) certificatesActions() map[string]JSONAction {
	type listCertificates struct {
		MaxItems  int
		NextToken string
	}
	type describeCertificate struct{ CertificateArn string }
	return map[string]JSONAction{
		"ListCertificates": Taught(func(_ string, _ listCertificates) (any, error) {
			a.around.mu.Lock()
			defer a.around.mu.Unlock()
			list := []map[string]string{}
			for _, arn := range slices.Sorted(maps.Keys(a.around.certificates)) {
				c := a.around.certificates[arn]
				list = append(list, map[string]string{"CertificateArn": arn, "DomainName": c.Domain, "Status": c.Status})
			}
			return map[string]any{"CertificateSummaryList": list}, nil
		}),
		"DescribeCertificate": Taught(func(_ string, in describeCertificate) (any, error) {
			a.around.mu.Lock()
			defer a.around.mu.Unlock()
			c, ok := a.around.certificates[in.CertificateArn]
			if !ok {
				return nil, refuse("ResourceNotFoundException", "Could not find certificate %s.", in.CertificateArn)
			}
			return map[string]any{"Certificate": map[string]any{
				"CertificateArn": in.CertificateArn, "DomainName": c.Domain, "Status": c.Status,
				"DomainValidationOptions": []map[string]any{{
					"DomainName": c.Domain, "ValidationMethod": "DNS", "ValidationStatus": map[bool]string{true: "SUCCESS", false: c.Status}[c.Status == "ISSUED"],
					"ResourceRecord": map[string]string{"Name": "_1a2b." + c.Domain + ".", "Type": "CNAME", "Value": "_3c4d.acm-validations.aws."},
				}},
			}}, nil
		}),
	}
}
