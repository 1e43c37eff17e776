package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/promotion"
	"github.com/tekpossible/ha-devops/pipelines"
)

func newPromoteCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	which := &role{value: pipelines.Software, allowed: []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure}}
	cmd := &cobra.Command{
		Use:   "promote ENV",
		Short: "Open the pull request that brings an environment what the one before it has",
		Long: "promote opens a pull request from the upstream branch (dev for qa, qa for main) into the environment's, with the commits that it\n" +
			"brings; one that is open already is returned. When there is nothing to promote it says so, which is a success.\n\n" + operatorHelp + exits("the pull request is open, or there is nothing to promote"),
		Example: "  relay promote qa\n  relay promote main --repository infrastructure --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runPromote(ctx, d, flags, args[0], which.value) })(cmd, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().Var(which, "repository", "which repository: software, image or infrastructure")
	return cmd
}

func runPromote(ctx context.Context, d *deps, flags operatorFlags, environment string, which pipelines.Role) error {
	o, err := flags.open(d, environment)
	if err != nil {
		return err
	}
	if o.profile.Upstream == "" {
		return &inputError{fmt.Errorf("%s is the first environment: nothing is promoted into it", environment)}
	}
	client, err := o.github(ctx)
	if err != nil {
		return err
	}
	result, err := promotion.Open(ctx, client, promotion.Request{
		Repository: o.repository(which), Infrastructure: o.repository(pipelines.Infrastructure), From: o.profile.Upstream, To: environment,
	})
	if err != nil {
		return err
	}
	if result.Pull == nil {
		d.ui.progress("nothing to promote in %s: %s", result.Repository, result.Reason)
	} else {
		open := ""
		if !result.Pull.Created {
			open = ", which was open already"
		}
		d.ui.progress("%s goes to %s once this pull request (commits: %d) is merged%s: %s", o.profile.Upstream, environment, result.Commits, open, result.Pull.URL)
	}
	return d.ui.result(result)
}
