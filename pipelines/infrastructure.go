package pipelines

import (
	"fmt"
	"slices"

	"github.com/tekpossible/ha-devops/internal/vars"
)

// InfrastructurePipeline previews a commit of the infrastructure repository, stores the reports and the plan, waits for the
// approval, and deploys exactly what was approved.
func InfrastructurePipeline(f Facts) Pipeline {
	review := vars.Review{Common: f.common(), Pipeline: f.Pipeline(Infrastructure), Config: f.ConfigParameter()}
	tools, shared := pulumiTools(f)
	shared = append(shared, readSecret(f), readSystems(), Grant{
		Actions: []string{"ssm:GetParameters"}, Resources: []string{f.ARN("ssm", "parameter"+f.ConfigParameter())},
	})
	if f.StateBucket != "" {
		shared = append(shared, useState(f))
	}
	if f.SecretsKey != "" {
		shared = append(shared, Grant{Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"}, Resources: []string{f.SecretsKey}})
	}
	pipeline := f.ARN("codepipeline", f.Pipeline(Infrastructure))
	findings := f.ARN("codebuild", "report-group/"+f.Findings())
	objects := func(folder string, actions ...string) Grant {
		return Grant{Actions: actions, Resources: []string{f.object(folder)}}
	}
	// Both wait for a deployment whose build still runs, and only for that.
	shared = append(shared,
		Grant{Actions: []string{"codebuild:BatchGetBuilds"}, Resources: []string{f.ARN("codebuild", "project/"+f.Project(Infrastructure, DeployAction))}},
		// Without it S3 calls an object that is not there forbidden (Amazon S3 API Reference, GetObject).
		Grant{Actions: []string{"s3:ListBucket"}, Resources: []string{"arn:aws:s3:::" + f.Bucket()}},
	)
	return Pipeline{Role: Infrastructure, Mode: Superseded, Ignore: notes(), Stages: []Stage{
		{
			Name: ReviewAction,
			Build: &Build{
				Description: "Previews the change, saves the plan and writes the reports",
				Buildspec: Buildspec{
					Install: tools,
					// The variables that the buildspec exports must be set in its own shell.
					Build:   []string{"relay review --variables review.env --report junit > findings.xml", ". ./review.env"},
					Exports: vars.Names(vars.Reviewed{}),
					Cache:   []string{toolCache + "/**/*"},
					Report:  &Report{File: "findings.xml", Group: findings},
				},
				Variables: vars.Write(review),
				Grants: slices.Concat(shared, []Grant{
					objects(reviewsFolder, "s3:PutObject"), objects(deploymentsFolder, "s3:GetObject"),
					// A newer review stops the run whose approval still waits. It could not reject it without the right to approve it as well.
					{Actions: []string{"codepipeline:GetPipelineState", "codepipeline:StopPipelineExecution"}, Resources: []string{pipeline}},
					// AWS CodeBuild User Guide, "Test report permissions".
					{Actions: []string{"codebuild:CreateReport", "codebuild:UpdateReport", "codebuild:BatchPutTestCases"}, Resources: []string{findings}},
				}),
				// It waits for a deployment that is under way, and that for its rollout.
				TimeoutMinutes: 150,
				Namespace:      ReviewAction,
			},
		},
		{
			Name: ApproveAction,
			// Nobody is asked to approve nothing. The deployment runs all the same: bound to a plan without changes, it changes none.
			Skip: &Skip{Variable: reviewed("REVIEW_CHANGES"), Value: vars.NoChanges},
			Approval: &Approval{
				Message: fmt.Sprintf("%s: %s. Review %s", f.Environment, reviewed("REVIEW_SUMMARY"), reviewed("REVIEW_DIGEST")),
				Link:    reviewed("REVIEW_REPORT"),
				// What was reviewed ages.
				TimeoutMinutes: f.ReviewHours * 60,
			},
		},
		{
			Name: DeployAction,
			Build: &Build{
				Description: "Deploys the plan that was approved and waits for the rollout",
				Buildspec: Buildspec{
					Install: tools,
					Build:   []string{"relay deploy"},
					Cache:   []string{toolCache + "/**/*"},
				},
				Variables: vars.Write(vars.Deploy{
					Review: review, ReviewURI: reviewed("REVIEW_URI"), ReviewDigest: reviewed("REVIEW_DIGEST"),
				}),
				Grants: slices.Concat(shared, []Grant{
					objects(reviewsFolder, "s3:GetObject"), objects(deploymentsFolder, "s3:GetObject", "s3:PutObject"),
					{Actions: []string{"codepipeline:ListActionExecutions"}, Resources: []string{pipeline}},
				}, writeSystems(f)),
				TimeoutMinutes: 120,
			},
		},
	}}
}

func reviewed(name string) string { return "#{" + ReviewAction + "." + name + "}" }

// readSystems is what a preview and the wait for a rollout look at. EC2, Auto Scaling and Elastic Load Balancing know no
// resources for most of their describing actions.
func readSystems() Grant {
	return Grant{Actions: []string{
		"autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeInstanceRefreshes", "autoscaling:DescribeLoadBalancerTargetGroups",
		"autoscaling:DescribePolicies", "autoscaling:DescribeScalingActivities", "cloudwatch:DescribeAlarms", "ec2:DescribeAvailabilityZones", "ec2:DescribeImages",
		"ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates",
		"ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "elasticloadbalancing:DescribeListenerAttributes",
		"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeTags",
		"elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
		"elasticloadbalancing:DescribeTargetHealth",
	}, Resources: []string{"*"}}
}

// useState lets Pulumi read and write the stack's state, its history and its lock.
func useState(f Facts) Grant {
	bucket := "arn:aws:s3:::" + f.StateBucket
	return Grant{
		Actions:   []string{"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
		Resources: []string{bucket, bucket + "/.pulumi/*"},
	}
}

// writeSystems is what a new release or a changed environment.json changes: the launch template, the group, its scaling, the
// target group, the listener's target, the port's rules and the alarms. The pipeline can change neither pipelines nor roles nor
// rulesets.
func writeSystems(f Facts) []Grant {
	mine := map[string]map[string][]string{"StringEquals": {
		"aws:ResourceTag/product": {f.Product}, "aws:ResourceTag/environment": {f.Environment},
	}}
	return []Grant{
		{
			Actions:   []string{"ec2:CreateLaunchTemplate", "ec2:RunInstances"},
			Resources: []string{"arn:aws:ec2:" + f.Region + ":*:*/*", "arn:aws:ec2:" + f.Region + "::image/*"},
		},
		{
			Actions:   []string{"ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate", "ec2:DeleteLaunchTemplate"},
			Resources: []string{f.ARN("ec2", "launch-template/*")}, Condition: mine,
		},
		{
			Actions:   []string{"ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"},
			Resources: []string{f.ARN("ec2", "security-group/*")}, Condition: mine,
		},
		{
			// Another port changes the rules in place.
			Actions:   []string{"ec2:ModifySecurityGroupRules"},
			Resources: []string{f.ARN("ec2", "security-group/*"), f.ARN("ec2", "security-group-rule/*")}, Condition: mine,
		},
		{
			Actions:   []string{"ec2:CreateTags"},
			Resources: []string{f.ARN("ec2", "launch-template/*"), f.ARN("ec2", "security-group-rule/*"), f.ARN("ec2", "instance/*"), f.ARN("ec2", "volume/*")},
		},
		{
			Actions: []string{
				"autoscaling:CreateAutoScalingGroup", "autoscaling:CreateOrUpdateTags", "autoscaling:DeleteAutoScalingGroup",
				"autoscaling:PutScalingPolicy", "autoscaling:DeletePolicy", "autoscaling:UpdateAutoScalingGroup",
				// A release that comes while another rolls out ends that one's refresh and starts its own.
				"autoscaling:CancelInstanceRefresh", "autoscaling:StartInstanceRefresh",
				"autoscaling:AttachLoadBalancerTargetGroups", "autoscaling:DetachLoadBalancerTargetGroups", "autoscaling:EnableMetricsCollection",
			},
			Resources: []string{f.ARN("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+f.Group())},
		},
		{
			Actions: []string{
				"elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyTargetGroup",
				"elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:AddTags", "elasticloadbalancing:ModifyListener",
			},
			Resources: []string{
				f.ARN("elasticloadbalancing", "targetgroup/"+f.Product+"-"+f.Environment+"*/*"),
				f.ARN("elasticloadbalancing", "listener/app/"+f.Product+"-"+f.Environment+"*/*"),
			},
		},
		{
			Actions:   []string{"cloudwatch:PutMetricAlarm", "cloudwatch:ListTagsForResource"},
			Resources: []string{f.ARN("cloudwatch", "alarm:"+f.Alarm("*"))},
		},
		{
			// The first group of a new account makes Auto Scaling's role, whose rights are AWS's alone to decide.
			Actions: []string{"iam:CreateServiceLinkedRole"}, Resources: []string{f.ScalingRoleARN()},
			Condition: map[string]map[string][]string{"StringEquals": {"iam:AWSServiceName": {"autoscaling.amazonaws.com"}}},
		},
		{
			Actions:   []string{"iam:PassRole"},
			Resources: []string{"arn:aws:iam::" + f.Account + ":role/" + f.Name("instance")},
			Condition: map[string]map[string][]string{"StringEquals": {"iam:PassedToService": {"ec2.amazonaws.com"}}},
		},
	}
}
