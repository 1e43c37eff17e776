package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/rollout"
	"github.com/tekpossible/ha-devops/internal/vars"
)

func newDeployCommand(d *deps) *cobra.Command {
	return &cobra.Command{
		Use:   "deploy",
		Short: "Deploy exactly what was reviewed, and wait until it runs",
		Long: "deploy fetches the review with the approved digest, checks that nothing of it and nothing in the stack's state has changed since,\n" +
			"updates the stack bound to the reviewed plan, and waits until every instance runs the release and is healthy.\n\n" + exitCodes,
		Example: "  relay deploy",
		Args:    cobra.NoArgs,
		RunE:    run(func(ctx context.Context) error { return runDeploy(ctx, d) }),
	}
}

func runDeploy(ctx context.Context, d *deps) error {
	var v vars.Deploy
	if err := vars.Read(&v, d.getenv); err != nil {
		return err
	}
	p, err := openProgram(ctx, d, v.Review)
	if err != nil {
		return err
	}
	defer p.close()
	m, plan, err := review.Store{S3: s3.NewFromConfig(p.cfg), Bucket: v.Bucket}.Load(ctx, v.ReviewURI, v.ReviewDigest)
	if err != nil {
		return err
	}
	if err := checkReview(m, v); err != nil {
		return err
	}
	state, err := p.stack.Settle(ctx)
	if err != nil {
		return err
	}
	if state != m.State {
		return fmt.Errorf("stack %s: the review started from state %s, found %s: the stack was changed since; release the pipeline again", v.Environment, m.State, state)
	}
	if err := os.WriteFile(p.planFile(), plan, 0o600); err != nil {
		return err
	}
	began := time.Now()
	outputs, err := p.stack.Up(ctx, p.planFile())
	if err != nil {
		return err
	}
	group := outputs[environments.OutputGroup]
	if group == "" {
		d.ui.progress("deployed; the environment has no release yet, so that nothing is rolled out")
		return nil
	}
	return rollout.Wait{
		Groups: autoscaling.NewFromConfig(p.cfg), Targets: elasticloadbalancingv2.NewFromConfig(p.cfg), Group: group,
		Since: began, Progress: func(state string) { d.ui.progress("%s: %s", group, state) },
	}.Until(ctx)
}

// checkReview refuses a review of something else than this run is for.
func checkReview(m review.Manifest, v vars.Deploy) error {
	var problems []error
	for _, field := range []struct{ name, reviewed, run string }{
		{"product", m.Product, v.Product},
		{"environment", m.Environment, v.Environment},
		{"commit", m.Commit, v.Commit},
		{"execution", m.Execution, v.Execution},
	} {
		if field.reviewed != field.run {
			problems = append(problems, fmt.Errorf("%s: %s %q was reviewed, this run is for %q; release the pipeline again",
				v.ReviewURI, field.name, field.reviewed, field.run))
		}
	}
	return errors.Join(problems...)
}
