package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/unlock"
)

// unlocked is the result of relay unlock.
type unlocked struct {
	Environment string          `json:"environment"`
	Holders     []unlock.Holder `json:"holders"`
}

func newUnlockCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	var yes, force bool
	cmd := &cobra.Command{
		Use:   "unlock ENV",
		Short: "Take away the locks of an environment whose owners are gone",
		Long: "unlock looks at what keeps the environment from being deployed, the lease of a deployment and Pulumi's lock of the stack, names who\n" +
			"holds it, for how long, and what is known of them: a build of CodeBuild has ended or still runs, a process of this machine has ended\n" +
			"or still runs. With proof that the owner is gone it asks, and takes it away. Without any it refuses, unless --force says that you\n" +
			"know better. What a living owner holds is never taken away: stop its build or its process instead.\n\n" +
			"An update that was killed leaves its state half done; the next relay deploy of the same review goes on with it.\n\n" + cloudHelp +
			exits("nobody holds the environment any more, also when nobody did", refused),
		Example: "  relay unlock dev\n  relay unlock main --yes --output json\n  relay unlock qa --force",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runUnlock(ctx, d, flags, args[0], yes, force) })(cmd, args)
		},
	}
	flags.folder(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "also where nothing is known of the owner")
	return cmd
}

func runUnlock(ctx context.Context, d *deps, flags operatorFlags, environment string, yes, force bool) error {
	o, err := flags.open(d, environment)
	if err != nil {
		return err
	}
	c, err := o.cloud(ctx)
	if err != nil {
		return err
	}
	locks, err := c.locks()
	if err != nil {
		return err
	}
	held := unlock.Environment{Records: c.records(), Locks: locks, Owners: c.owners()}
	holders, err := held.Holders(ctx)
	if err != nil {
		return err
	}
	for _, h := range holders {
		d.ui.progress("%s is held by %s since %s, for %s: %s", what(environment, h.Kind), h.Name, h.Since.UTC().Format(time.RFC3339),
			time.Since(h.Since).Round(time.Second), h.Evidence)
	}
	err = takeAway(ctx, d, held, holders, environment, yes, force)
	return errors.Join(err, d.ui.result(unlocked{Environment: environment, Holders: holders}))
}

// takeAway removes everything or, when one holder must keep what it has, nothing: half of it helps nobody.
func takeAway(ctx context.Context, d *deps, held unlock.Environment, holders []unlock.Holder, environment string, yes, force bool) error {
	if len(holders) == 0 {
		d.ui.progress("nobody holds %s", environment)
		return nil
	}
	var problems []error
	for _, h := range holders {
		problems = append(problems, standing(environment, h, force))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if err := d.ui.confirm(ctx, yes, "take away what they hold"); err != nil {
		return err
	}
	for i := range holders {
		if err := held.Remove(ctx, &holders[i]); err != nil {
			return fmt.Errorf("%s: %w", what(environment, holders[i].Kind), err)
		}
		d.ui.progress("%s is free", what(environment, holders[i].Kind))
	}
	return nil
}

// standing refuses to take away what its owner may still need.
func standing(environment string, h unlock.Holder, force bool) error {
	refusal := &review.Refusal{What: what(environment, h.Kind), Expected: "that its owner is gone", Found: h.Evidence}
	switch {
	case h.State == owner.Alive:
		refusal.Remedy = "wait for it, or stop its build or its process; a living owner's lock is not taken away"
	case h.State == owner.Unknown && !force:
		refusal.Remedy = "look whether it still runs there; when you are sure that it does not, run again with --force"
	default:
		return nil
	}
	return refusal
}

func what(environment string, kind unlock.Kind) string {
	if kind == unlock.Stack {
		return "stack " + environment
	}
	return "deployment of " + environment
}
