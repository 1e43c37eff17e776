package rehearsal

import (
	"fmt"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
)

// available is the status of a connection that can be used, issued that of a certificate.
const (
	available = "AVAILABLE"
	issued    = "ISSUED"
)

// putConnection makes a connection that is pending. Of one that is there only the name changes: what people completed stays complete.
func (r *Rehearsal) putConnection(res provider.Resource, in struct{ Name, ConnectionStatus string }) error {
	c := awssim.Connection{Name: in.Name, Status: in.ConnectionStatus}
	if there, ok := r.aws.Connections()[res.ARN]; ok {
		c.Status = there.Status
	}
	r.aws.PutConnection(res.ARN, c)
	return nil
}

// putCertificate asks for a certificate, which is not issued yet. One that is there stays as far as it is.
func (r *Rehearsal) putCertificate(res provider.Resource, in struct{ DomainName, Status string }) error {
	c := awssim.Certificate{Domain: in.DomainName, Status: in.Status}
	if there, ok := r.aws.Certificates()[res.ARN]; ok {
		c.Status = there.Status
	}
	r.aws.PutCertificate(res.ARN, c)
	return nil
}

// validate issues a certificate: whoever keeps the domain makes the DNS record at once.
func (r *Rehearsal) validate(_ provider.Resource, in struct{ CertificateArn string }) error {
	c, ok := r.aws.Certificates()[in.CertificateArn]
	if !ok {
		return fmt.Errorf("there is no certificate %s to wait for", in.CertificateArn)
	}
	c.Status = issued
	r.aws.PutCertificate(in.CertificateArn, c)
	return nil
}

// connection is the name of an environment's connection to GitHub.
func (r *Rehearsal) connection(environment string) string {
	profile, _ := environments.ProfileOf(environment) // another has no stack, either
	return r.config(environment, "").Facts(profile).Connection()
}

// shake completes the handshake of an environment's connection, as a person does in the console.
func (r *Rehearsal) shake(environment string) error { return r.setConnection(environment, available) }

func (r *Rehearsal) setConnection(environment, status string) error {
	name, found := r.connection(environment), false
	for arn, c := range r.aws.Connections() {
		if c.Name == name {
			found = true
			r.aws.PutConnection(arn, awssim.Connection{Name: name, Status: status})
		}
	}
	if !found {
		return fmt.Errorf("%s has no connection %s", environment, name)
	}
	return nil
}

// usable says why a connection cannot be used, nil when it can.
func (r *Rehearsal) usable(arn string) error {
	switch c, ok := r.aws.Connections()[arn]; {
	case !ok:
		return fmt.Errorf("there is no connection %s", arn)
	case c.Status != available:
		return fmt.Errorf("connection %s is %s; expected %s", c.Name, c.Status, available)
	}
	return nil
}
