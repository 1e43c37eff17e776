package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// identity is with whose rights instances are launched and run. All of it exists before the first release does, so that the
// infrastructure pipeline never touches roles.
type identity struct {
	// profile is the name of the instances' profile.
	profile pulumi.StringOutput
	// scaling is the ARN of the role with which Auto Scaling launches them.
	scaling pulumi.StringOutput
}

func (a *AppEnvironment) identity(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (identity, error) {
	i := identity{}
	var err error
	if i.profile, err = a.profile(ctx, name, args); err != nil {
		return i, err
	}
	// A role of the environment's own rather than the account's AWSServiceRoleForAutoScaling: an account that never had a group has
	// none, and a key that is open to it is open to the groups of every other product (Amazon EC2 Auto Scaling User Guide,
	// "Service-linked roles").
	scaling, err := iam.NewServiceLinkedRole(ctx, name, &iam.ServiceLinkedRoleArgs{
		AwsServiceName: pulumi.String("autoscaling.amazonaws.com"), CustomSuffix: pulumi.String(args.Facts.Name()),
		Description: pulumi.String("Auto Scaling of " + args.Facts.Name()),
	}, pulumi.Parent(a))
	if err != nil {
		return i, err
	}
	i.scaling = scaling.Arn
	return i, nil
}

// profile makes the instances' role and their log group.
func (a *AppEnvironment) profile(ctx *pulumi.Context, name string, args *AppEnvironmentArgs) (pulumi.StringOutput, error) {
	f, parent := args.Facts, pulumi.Parent(a)
	if _, err := a.logGroup(ctx, name, f.LogGroup("app"), args); err != nil {
		return pulumi.StringOutput{}, err
	}
	made, err := newRole(ctx, name, f.Name("instance"), trust("ec2.amazonaws.com", f.Account), pulumi.String(instancePolicy(f)), parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	profile, err := iam.NewInstanceProfile(ctx, name, &iam.InstanceProfileArgs{Name: pulumi.String(f.Name("instance")), Role: made.name}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return profile.Name, nil
}
