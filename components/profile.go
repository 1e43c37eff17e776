package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// profile makes the instances' role, their log group and the profile with which they are launched, and returns the profile's name. It
// exists before the first release does, so that the infrastructure pipeline never touches roles.
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
