package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/pipelines"
)

// audience is whom the tokens of GitHub Actions are for (GitHub Docs, "Configuring OpenID Connect in Amazon Web Services").
const audience = "sts.amazonaws.com"

// ChecksArgs says what Checks are.
type ChecksArgs struct {
	// Facts name everything.
	Facts pipelines.Facts
	// Backend is the URL of the Pulumi backend.
	Backend string
	// Issuer is who signs the tokens of GitHub Actions, without https://.
	Issuer string
	// TrustIssuer makes the account's identity provider for the issuer. An account has one for each issuer.
	TrustIssuer bool
	// Repositories are the repositories' names, by role.
	Repositories map[pipelines.Role]pulumi.StringInput
	// Reviewers approve each run of a check. Without any nobody is asked.
	Reviewers Reviewers
}

// Reviewers are people who may approve, by their IDs at GitHub: at most six in all (GitHub REST API, "Create or update an
// environment").
type Reviewers struct {
	Teams []int `json:"teams,omitempty"`
	Users []int `json:"users,omitempty"`
}

// Checks is what the checks of an environment's pull requests may use: in each repository a GitHub environment with the variable
// pipelines.ChecksVariable, and in the account two roles that only read, one for previews and one for other checks, which only jobs of
// those GitHub environments may take on.
type Checks struct {
	pulumi.ResourceState

	// PreviewRoleArn is the ARN of the role for previews.
	PreviewRoleArn pulumi.StringOutput `pulumi:"previewRoleArn"`
	// CheckRoleArn is the ARN of the role for other checks.
	CheckRoleArn pulumi.StringOutput `pulumi:"checkRoleArn"`
}

// NewChecks registers Checks.
func NewChecks(ctx *pulumi.Context, name string, args *ChecksArgs, opts ...pulumi.ResourceOption) (*Checks, error) {
	if args == nil {
		args = &ChecksArgs{}
	}
	if err := require(TypeChecks, name, map[string]bool{
		"Facts": args.Facts.Product != "", "Backend": args.Backend != "", "Issuer": args.Issuer != "", "Repositories": len(args.Repositories) > 0,
	}); err != nil {
		return nil, err
	}
	c := &Checks{}
	inputs := pulumi.Map{"product": pulumi.String(args.Facts.Product), "environment": pulumi.String(args.Facts.Environment)}
	if err := ctx.RegisterComponentResourceV2(TypeChecks, name, inputs, c, opts...); err != nil {
		return nil, err
	}
	issuer, err := c.issuer(ctx, name, args)
	if err != nil {
		return nil, err
	}
	var previewed, others []pipelines.Role
	for role := range args.Repositories {
		if slices.Contains(pipelines.Previewed(), role) {
			previewed = append(previewed, role)
		} else {
			others = append(others, role)
		}
	}
	if c.PreviewRoleArn, err = c.share(ctx, name, "preview", previewed, pipelines.PreviewGrants(args.Facts), issuer, args); err != nil {
		return nil, err
	}
	if c.CheckRoleArn, err = c.share(ctx, name, "check", others, pipelines.CheckGrants(args.Facts), issuer, args); err != nil {
		return nil, err
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"previewRoleArn": c.PreviewRoleArn, "checkRoleArn": c.CheckRoleArn})
}

// issuer is the ARN of the account's identity provider. It needs no thumbprint: AWS knows the authorities that certify GitHub (AWS IAM
// User Guide, "Obtain the thumbprint for an OpenID Connect identity provider").
func (c *Checks) issuer(ctx *pulumi.Context, name string, args *ChecksArgs) (pulumi.StringInput, error) {
	if !args.TrustIssuer {
		return pulumi.String("arn:aws:iam::" + args.Facts.Account + ":oidc-provider/" + args.Issuer), nil
	}
	made, err := iam.NewOpenIdConnectProvider(ctx, name, &iam.OpenIdConnectProviderArgs{
		Url: pulumi.String("https://" + args.Issuer), ClientIdLists: pulumi.ToStringArray([]string{audience}),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, err
	}
	return made.Arn, nil
}

// share makes a role for the checks of some repositories, and tells them about it.
func (c *Checks) share(ctx *pulumi.Context, name, purpose string, roles []pipelines.Role, grants []pipelines.Grant, issuer pulumi.StringInput, args *ChecksArgs) (pulumi.StringOutput, error) {
	slices.Sort(roles)
	f := args.Facts
	environment := pipelines.ChecksEnvironment(f.Environment)
	repositories := make(pulumi.StringArray, len(roles))
	for i, role := range roles {
		repositories[i] = args.Repositories[role]
	}
	trusted := pulumi.All(issuer, repositories).ApplyT(func(all []any) string {
		return trustJobs(all[0].(string), args.Issuer, f.GitHub.Owner, all[1].([]string), environment)
	}).(pulumi.StringOutput)
	var statements []statement
	for _, grant := range grants {
		statements = append(statements, allow(grant))
	}
	made, err := newRole(ctx, name+"-"+purpose, f.Name(purpose), trusted, pulumi.String(policy(statements...)), pulumi.Parent(c))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	value := made.arn.ApplyT(func(arn string) string { return pipelines.NewChecks(f, arn, args.Backend).String() }).(pulumi.StringOutput)
	for i, role := range roles {
		if err := c.tell(ctx, name+"-"+string(role), repositories[i], environment, value, args.Reviewers); err != nil {
			return pulumi.StringOutput{}, err
		}
	}
	return made.arn, nil
}

// tell makes a repository's GitHub environment and its variable.
func (c *Checks) tell(ctx *pulumi.Context, name string, repository pulumi.StringInput, environment string, value pulumi.StringInput, reviewers Reviewers) error {
	settings := &github.RepositoryEnvironmentArgs{Repository: repository, Environment: pulumi.String(environment), CanAdminsBypass: pulumi.Bool(false)}
	if len(reviewers.Teams)+len(reviewers.Users) > 0 {
		settings.PreventSelfReview = pulumi.Bool(true)
		settings.Reviewers = github.RepositoryEnvironmentReviewerArray{github.RepositoryEnvironmentReviewerArgs{
			Teams: pulumi.ToIntArray(reviewers.Teams), Users: pulumi.ToIntArray(reviewers.Users),
		}}
	}
	made, err := github.NewRepositoryEnvironment(ctx, name, settings, pulumi.Parent(c))
	if err != nil {
		return err
	}
	_, err = github.NewActionsEnvironmentVariable(ctx, name, &github.ActionsEnvironmentVariableArgs{
		Repository: repository, Environment: made.Environment, VariableName: pulumi.String(pipelines.ChecksVariable), Value: value,
	}, pulumi.Parent(c))
	return err
}

// trustJobs is the policy that lets jobs in one GitHub environment of some repositories assume a role. The subject of repositories that
// were made or renamed since July 2026 has the IDs of owner and repository too, which nobody knows before (GitHub Docs, "OpenID Connect
// reference", "Immutable subject claims"). No name contains an @, a slash or a colon, so that the pattern allows no other name.
func trustJobs(provider, issuer, owner string, repositories []string, environment string) string {
	var subjects []string
	for _, repository := range repositories {
		subjects = append(subjects,
			"repo:"+owner+"/"+repository+":environment:"+environment,
			"repo:"+owner+"@*/"+repository+"@*:environment:"+environment)
	}
	return policy(statement{
		Effect: "Allow", Principal: map[string]string{"Federated": provider}, Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: map[string]map[string][]string{"StringEquals": {issuer + ":aud": {audience}}, "StringLike": {issuer + ":sub": subjects}},
	})
}
