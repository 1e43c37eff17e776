package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/bake"
	"github.com/tekpossible/ha-devops/internal/vars"
)

func newBakeCommand(d *deps) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "bake",
		Short: "Bake an AMI of the software and the image repository, and hand it off to the infrastructure repository",
		Long: "bake looks for an AMI that was made of the same things; without one it has EC2 Image Builder make it. Then it writes the\n" +
			"AMI's ID into ami-id of the infrastructure repository. Running it again goes on where it was.\n\n" + exits("an AMI of this content is there and handed off, now or before"),
		Example: "  relay bake --dir . --output json",
		Args:    cobra.NoArgs,
		RunE:    run(func(ctx context.Context) error { return runBake(ctx, d, dir) }),
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the image repository's checkout")
	return cmd
}

func runBake(ctx context.Context, d *deps, dir string) error {
	var v vars.Bake
	if err := vars.Read(&v, d.getenv); err != nil {
		return err
	}
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return err
	}
	client, err := connectGitHub(ctx, cfg, v.GitHub)
	if err != nil {
		return err
	}
	result, err := bake.Run(ctx, bake.Clients{
		S3: s3.NewFromConfig(cfg), SSM: ssm.NewFromConfig(cfg), EC2: ec2.NewFromConfig(cfg),
		ImageBuilder: imagebuilder.NewFromConfig(cfg), Logs: cloudwatchlogs.NewFromConfig(cfg), GitHub: client,
	}, v, cfg.Region, dir, d.ui.progress)
	if err != nil {
		return err
	}
	switch {
	case result.HandOff.Changed:
		d.ui.progress("%s is handed off to %s at %s: commit %s", result.AMI, v.InfrastructureRepository, v.Environment, result.HandOff.Commit)
	case result.AMI == "":
		d.ui.progress("%s", result.HandOff.Reason)
	default:
		d.ui.progress("%s is not handed off: %s", result.AMI, result.HandOff.Reason)
	}
	return d.ui.result(result)
}
