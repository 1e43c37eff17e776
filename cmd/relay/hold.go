package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/rollback"
	"github.com/tekpossible/ha-devops/pipelines"
)

// held are the repositories whose branches take hand-offs.
func held() *role {
	return &role{value: pipelines.Infrastructure, allowed: []pipelines.Role{pipelines.Image, pipelines.Infrastructure}}
}

func newHoldCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	var reason string
	var ask bool
	which := held()
	cmd := &cobra.Command{
		Use:   "hold ENV",
		Short: "Keep new releases away from an environment",
		Long: "hold writes a file hold with the reason beside ami-id of the infrastructure repository, or config.json of the image repository. While\n" +
			"it is there, pipelines hand nothing off to that branch and fail with the reason.\n\n" + protectedHelp + operatorHelp + exits("the branch is held, or the pull request that holds it is open"),
		Example: "  relay hold main --reason \"no releases before Monday\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error {
				o, client, hold, err := flags.holder(ctx, d, args[0], reason)
				if err != nil {
					return err
				}
				landed, err := rollback.Set(ctx, client, o.repository(which.value), args[0], hold, ask)
				if err != nil {
					return err
				}
				d.landed(landed, o.repository(which.value)+" at "+args[0]+" is held")
				return d.ui.result(landed)
			})(cmd, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who find the hold")
	cmd.Flags().Var(which, "repository", "which repository's branch: image or infrastructure")
	cmd.Flags().BoolVar(&ask, "pull-request", false, "open a pull request even where a commit is allowed")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func newReleaseHoldCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	var ask bool
	which := held()
	cmd := &cobra.Command{
		Use:   "release-hold ENV",
		Short: "Let new releases reach an environment again",
		Long: "release-hold removes the file hold. What was handed off meanwhile is not made up for: run the pipeline again, or wait for the next\n" +
			"release.\n\n" + protectedHelp + operatorHelp + exits("the branch is not held, or the pull request that frees it is open"),
		Example: "  relay release-hold main",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error {
				o, err := flags.open(d, args[0])
				if err != nil {
					return err
				}
				client, err := o.github(ctx)
				if err != nil {
					return err
				}
				landed, err := rollback.Lift(ctx, client, o.repository(which.value), args[0], ask)
				if err != nil {
					return err
				}
				d.landed(landed, o.repository(which.value)+" at "+args[0]+" is free")
				return d.ui.result(landed)
			})(cmd, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().Var(which, "repository", "which repository's branch: image or infrastructure")
	cmd.Flags().BoolVar(&ask, "pull-request", false, "open a pull request even where a commit is allowed")
	return cmd
}
