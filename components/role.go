package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// role is an IAM role that may be used: its ARN and name are known once its policy is attached, so that nothing starts to use it
// before it is allowed what it needs.
type role struct {
	arn  pulumi.StringOutput
	name pulumi.StringOutput
}

// newRole makes a role with one inline policy.
func newRole(ctx *pulumi.Context, local, physical string, trusted, document pulumi.StringInput, parent pulumi.ResourceOption) (role, error) {
	made, err := iam.NewRole(ctx, local, &iam.RoleArgs{Name: pulumi.String(physical), AssumeRolePolicy: trusted}, parent)
	if err != nil {
		return role{}, err
	}
	attached, err := iam.NewRolePolicy(ctx, local, &iam.RolePolicyArgs{Name: pulumi.String("access"), Role: made.Name, Policy: document}, parent)
	if err != nil {
		return role{}, err
	}
	after := func(value pulumi.StringOutput) pulumi.StringOutput {
		return pulumi.All(value, attached.ID()).ApplyT(func(all []any) string { return all[0].(string) }).(pulumi.StringOutput)
	}
	return role{arn: after(made.Arn), name: after(made.Name)}, nil
}

// newProfile makes the instance profile of a role that Systems Manager may manage the instance with, and returns its name.
func newProfile(ctx *pulumi.Context, local, physical string, roleName pulumi.StringInput, parent pulumi.ResourceOption) (pulumi.StringOutput, error) {
	attached, err := iam.NewRolePolicyAttachment(ctx, local, &iam.RolePolicyAttachmentArgs{
		Role: roleName, PolicyArn: pulumi.String("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
	}, parent)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	profile, err := iam.NewInstanceProfile(ctx, local, &iam.InstanceProfileArgs{Name: pulumi.String(physical), Role: roleName},
		parent, pulumi.DependsOn([]pulumi.Resource{attached}))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return profile.Name, nil
}
