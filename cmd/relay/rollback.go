package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/rollback"
	"github.com/tekpossible/ha-devops/pipelines"
)

// protectedHelp says which way a person's commit takes.
const protectedHelp = "Environment branches take commits from the pipelines' GitHub App and pull requests alone: a person's change becomes a pull request\n" +
	"with the label hotfix, whose address is printed, and counts once it is merged. As the App (--app) it is committed at once.\n\n"

func newRollbackCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	var r rollback.Request
	cmd := &cobra.Command{
		Use:   "rollback ENV",
		Short: "Bring an earlier release of an environment back, and hold it there",
		Long: "rollback writes an earlier AMI into ami-id of the infrastructure repository, with a file hold beside it, in one commit: the environment's\n" +
			"pipeline then reviews and deploys it, and nothing newer is handed off until release-hold. By default it goes back to the release\n" +
			"before the present one. Running it again changes nothing, and goes no further back.\n\n" + protectedHelp + operatorHelp + exits("the branch names the earlier release, or the pull request that brings it back is open"),
		Example: "  relay rollback qa --reason \"v1.5.0 loses carts\"\n  relay rollback main --to v1.4.2 --app --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runRollback(ctx, d, flags, args[0], r) })(cmd, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&r.To, "to", "", "what to go back to: an AMI, an artifact's tag, or (7 digits or more of) a commit")
	cmd.Flags().StringVar(&r.Reason, "reason", "rolled back", "why, for those who find the hold")
	cmd.Flags().BoolVar(&r.NoHold, "no-hold", false, "let the next hand-off replace it")
	cmd.Flags().BoolVar(&r.Ask, "pull-request", false, "open a pull request even where a commit is allowed")
	return cmd
}

func runRollback(ctx context.Context, d *deps, flags operatorFlags, environment string, r rollback.Request) error {
	o, client, hold, err := flags.holder(ctx, d, environment, r.Reason)
	if err != nil {
		return err
	}
	r.Repository, r.Environment, r.Hold = o.repository(pipelines.Infrastructure), environment, hold
	result, err := rollback.Run(ctx, client, r)
	if err != nil {
		return err
	}
	d.landed(result.Landed, environment+" goes back to "+result.To.Name())
	return d.ui.result(result)
}

// holder opens what a hold needs: the environment, GitHub, and who asks.
func (f operatorFlags) holder(ctx context.Context, d *deps, environment, reason string) (*operator, *github.Client, rollback.Hold, error) {
	o, err := f.open(d, environment)
	if err != nil {
		return nil, nil, rollback.Hold{}, err
	}
	client, err := o.github(ctx)
	if err != nil {
		return nil, nil, rollback.Hold{}, err
	}
	by, err := o.who(ctx, client)
	return o, client, rollback.Hold{Reason: reason, By: by, At: time.Now()}, err
}

// landed tells what became of a person's commit.
func (d *deps) landed(l handoff.Landed, what string) {
	switch {
	case !l.Changed:
		d.ui.progress("%s: nothing to do, %s", what, l.Reason)
	case l.Pull == nil:
		d.ui.progress("%s: commit %s", what, l.Commit)
	case l.Pull.Created:
		d.ui.progress("%s once this pull request is merged: %s", what, l.Pull.URL)
	default:
		d.ui.progress("%s once this pull request is merged, which was open already: %s", what, l.Pull.URL)
	}
}
