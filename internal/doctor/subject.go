package doctor

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Subject is an environment whose settings are read, and what it is looked at with.
type Subject struct {
	Product, Environment string
	// Upstream is the environment before it, empty for the first.
	Upstream string
	// Project is the Pulumi project, Backend the URL of its state.
	Project, Backend string
	// Account and Region are where the environment is.
	Account, Region string
	// Addresses is how many Elastic IP addresses it has.
	Addresses int
	// SecretsKey is the ARN of the KMS key that encrypts the stack's secrets, empty when a passphrase does.
	SecretsKey string
	// Bucket is the artifact bucket, Connection the name of the connection to GitHub.
	Bucket, Connection string
	// Domain and Certificate are the load balancer's name, or its certificate's ARN; both may be empty.
	Domain, Certificate string
	// Tools are the programs that are pinned.
	Tools []Tool
	// Hub is GitHub.
	Hub Hub

	// Pulumi is the Pulumi CLI: a path, or a name on PATH.
	Pulumi string
	// Machine is the region that this machine is set to, empty for none.
	Machine string
	// Cloud is the configuration of AWS in the environment's account and region, State that for the state, which may be another account's.
	Cloud, State aws.Config
}

// Tool is a program on S3 that is pinned by its SHA-256 (hex).
type Tool struct{ Name, URI, SHA256 string }

// Hub is the environment's part of GitHub.
type Hub struct {
	// API is the root of the REST API, Owner the organization.
	API, Owner string
	// App is the ID of the pipelines' GitHub App, Secret the ARN of its secret.
	App    int
	Secret string
	// Token is the person's, empty when there is none.
	Token string
	// Repositories are in the order in which a change passes them.
	Repositories []Repository
}

// Repository is one of the repositories.
type Repository struct {
	// Role is what it is for, Name its name without owner.
	Role, Name string
	// Branch is the branch that must be there.
	Branch string
	// Handoffs says that pipelines commit to it: the App writes, and a hold may stand there.
	Handoffs bool
	// Source says that a pipeline fetches it with the App.
	Source bool
}

// The names of the checks that others need.
const (
	credentials = "AWS credentials"
	account     = "AWS account"
	bucket      = "state bucket"
	token       = "GitHub token"
	appSecret   = "GitHub App secret"
)

// Checks are all checks of the environment.
func (s Subject) Checks() []Check {
	in := []string{account}
	checks := []Check{
		{Name: "Pulumi CLI", Step: 4, Run: s.pulumiCLI},
		{Name: credentials, Step: 1, Run: s.credentials},
		{Name: account, Step: 1, Needs: []string{credentials}, Run: s.account},
		{Name: "AWS region", Step: 1, Needs: []string{credentials}, Run: s.region},
		{Name: bucket, Step: 2, Needs: []string{credentials}, Run: s.stateBucket},
		{Name: "state versions", Step: 2, Needs: []string{bucket}, Run: s.stateVersions},
		{Name: "state encryption", Step: 2, Needs: []string{bucket}, Run: s.stateEncryption},
		{Name: "state access", Step: 2, Needs: []string{bucket}, Run: s.stateAccess},
		{Name: "secrets key", Step: 2, Needs: in, Run: s.secretsKey},
		{Name: "state lock", Step: 6, Needs: []string{bucket}, Run: s.stateLock},
		{Name: token, Step: 6, Run: s.token},
		{Name: appSecret, Step: 3, Needs: in, Run: s.appSecret},
		{Name: "GitHub App", Step: 3, Needs: []string{appSecret}, Run: s.app},
		{Name: "repositories", Step: 6, Needs: []string{token}, Run: s.repositories},
	}
	for _, tool := range s.Tools {
		checks = append(checks, Check{Name: "tool " + tool.Name, Step: 4, Needs: in, Run: func(ctx context.Context) Result { return s.tool(ctx, tool) }})
	}
	checks = append(checks,
		Check{Name: "quotas", Step: 6, Needs: in, Run: s.quotas},
		Check{Name: "permissions", Step: 6, Needs: in, Run: s.permissions},
		Check{Name: "stacks", Step: 6, Needs: []string{bucket}, Run: s.stacks},
		Check{Name: "certificate", Step: 6, Needs: in, Run: s.certificate},
		Check{Name: "connection", Step: 7, Needs: in, Run: s.connection},
		Check{Name: "release", Step: 9, Needs: []string{token}, Run: s.release},
	)
	return checks
}
