package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/deploy"
	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/leftover"
	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/rollout"
	"github.com/tekpossible/ha-devops/internal/stack"
	"github.com/tekpossible/ha-devops/internal/vars"
)

func newDeployCommand(d *deps) *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy exactly what was approved, wait until it runs, and bring the last release back when it does not",
		Long: "deploy fetches the review with the approved digest and refuses it unless all is as it was when it was made: every stored file, the\n" +
			"state, the branch, what a new preview shows, the approval, the tools. Then it updates the stack, bound to the reviewed plan, and\n" +
			"waits until every instance runs the release and is healthy. When that fails it restores the last good release, git first.\n" +
			"A run that was killed is finished by the next one.\n\n" + exits("what was approved runs and is healthy, now or before", refused, "4 failed and rolled back to the last good release"),
		Example: "  relay deploy",
		Args:    cobra.NoArgs,
		RunE:    run(func(ctx context.Context) error { return runDeploy(ctx, d, patience) }),
	}
	cmd.Flags().DurationVar(&patience, "wait", 20*time.Minute, "how long another deployment and the stack's lock are waited for")
	return cmd
}

func runDeploy(ctx context.Context, d *deps, patience time.Duration) error {
	var v vars.Deploy
	if err := vars.Read(&v, d.getenv); err != nil {
		return err
	}
	p, err := openProgram(ctx, d, vars.DryRun{Environment: v.Environment, Commit: v.Commit, Config: v.Config})
	if err != nil {
		return err
	}
	defer p.close()
	approved, err := review.Store{S3: s3.NewFromConfig(p.cfg), Bucket: v.Bucket}.Load(ctx, v.ReviewURI, v.ReviewDigest)
	if err != nil {
		return err
	}
	work, err := p.deployment(ctx, d, v, approved)
	if err != nil {
		return err
	}
	work.Patience = patience
	result, err := work.Do(ctx)
	if err != nil {
		return err
	}
	d.ui.progress("deployed: %s %s", result.To.ArtifactTag, result.To.AMI)
	return d.ui.result(result)
}

func (p *program) deployment(ctx context.Context, d *deps, v vars.Deploy, approved review.Review) (deploy.Deployment, error) {
	binary, err := self()
	if err != nil {
		return deploy.Deployment{}, err
	}
	pulumi, err := stack.Version()
	if err != nil {
		return deploy.Deployment{}, err
	}
	locks, err := p.locks()
	if err != nil {
		return deploy.Deployment{}, err
	}
	lease, err := deployment.Mine(v.Execution, d.getenv("CODEBUILD_BUILD_ID"))
	return deploy.Deployment{
		Review: approved, Digest: v.ReviewDigest,
		Run: review.Run{
			Product: v.Product, Environment: v.Environment, Commit: v.Commit, Execution: v.Execution, Relay: binary, Pulumi: pulumi, Now: time.Now(),
		},
		SeparateApprover: p.config.Review.SeparateApprover, Approvals: p.approvals(),
		Open: func(ctx context.Context, commit string) (deploy.Stack, error) { return p.at(ctx, commit) }, Dir: p.dir,
		Hub: p.hub, Repository: p.config.GitHub.Infrastructure,
		Matters: []string{release.AMIFile, envspec.File}, Grounds: []string{lint.ExceptionsFile, lint.SignatureFile},
		Records: p.records(), Locks: locks, Lease: lease, Owners: p.owners(),
		Account: leftover.Account{Templates: ec2.NewFromConfig(p.cfg), Groups: autoscaling.NewFromConfig(p.cfg)}, Tags: names.AllTags(v.Product, v.Environment),
		Rollout: func(ctx context.Context, outputs map[string]string, since time.Time) error {
			return p.rollout(ctx, d, outputs, since)
		},
		Progress: d.ui.progress,
	}, err
}

func (p *program) rollout(ctx context.Context, d *deps, outputs map[string]string, since time.Time) error {
	group := outputs[environments.OutputGroup]
	if group == "" {
		d.ui.progress("the environment has no release yet, so that nothing is rolled out")
		return nil
	}
	return rollout.Wait{
		Groups: autoscaling.NewFromConfig(p.cfg), Targets: elasticloadbalancingv2.NewFromConfig(p.cfg), Group: group,
		Since: since, Progress: func(state string) { d.ui.progress("%s: %s", group, state) },
	}.Until(ctx)
}
