package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/decision"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/terminal"
	"github.com/tekpossible/ha-devops/internal/visible"
)

// decided is the result of relay approve and relay reject.
type decided struct {
	Environment string `json:"environment"`
	approval.Review
	// Already says that the review had been decided so before.
	Already bool `json:"already"`
}

type decideOptions struct {
	operatorFlags
	approve, yes, show bool
	comment            string
}

// wanted is what the person asks for, as CodePipeline's answer will have it.
func (o decideOptions) wanted() approval.Decision {
	if o.approve {
		return approval.Approved
	}
	return approval.Rejected
}

const digestHelp = "The review is named by its digest, which relay status, the report and the approval's message show; its first 12 digits or more are\n" +
	"enough. Another review than the one that waits is refused. A review that has this answer already is a success that says whose.\n\n"

func newApproveCommand(d *deps) *cobra.Command {
	o := decideOptions{approve: true}
	cmd := &cobra.Command{
		Use:   "approve ENV DIGEST",
		Short: "Approve the review with a digest, so that exactly what it shows is deployed",
		Long: "approve shows what the review would change and where its report is, asks, and approves it in the environment's pipeline, which\n" +
			"deploys exactly that. What the deployment would refuse is refused here: a review that has expired or was overtaken by a newer\n" +
			"one, and, where the configuration wants it, an approver who is an author.\n\n" + digestHelp + cloudHelp +
			exits("the review is approved, now or before", refused),
		Example: "  relay approve dev 3f9a0c2b7d41\n  relay approve main 3f9a0c2b7d41 --show\n  relay approve qa 3f9a0c2b7d41 --yes --comment \"seen in dev\" --output json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runDecide(ctx, d, o, args[0], args[1]) })(cmd, args)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.comment, "comment", "", "what to record with the approval, at most 512 characters")
	return cmd
}

func newRejectCommand(d *deps) *cobra.Command {
	var o decideOptions
	cmd := &cobra.Command{
		Use:   "reject ENV DIGEST",
		Short: "Reject the review with a digest, so that nothing of it is deployed",
		Long: "reject shows what the review would change, asks, and rejects it in the environment's pipeline, whose run ends with the reason.\n\n" +
			digestHelp + cloudHelp + exits("the review is rejected, now or before", refused),
		Example: "  relay reject main 3f9a0c2b7d41 --reason \"not on a Friday\"",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runDecide(ctx, d, o, args[0], args[1]) })(cmd, args)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.comment, "reason", "", "why, for those who wrote the change, at most 512 characters")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

func (o *decideOptions) add(cmd *cobra.Command) {
	o.folder(cmd)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.show, "show", false, "show the whole report before it asks: on standard output, with --output json on standard error")
}

func runDecide(ctx context.Context, d *deps, o decideOptions, environment, digest string) error {
	if n := len([]rune(o.comment)); n > 512 {
		return &inputError{fmt.Errorf("what is to be recorded has %d characters; CodePipeline takes 512", n)}
	}
	op, err := o.open(d, environment)
	if err != nil {
		return err
	}
	c, err := op.cloud(ctx)
	if err != nil {
		return err
	}
	desk := decision.Desk{
		Environment: environment, Pipeline: c.approvals(), Store: review.Store{S3: c.s3(), Bucket: c.facts().Bucket()}, By: c.caller,
		SeparateApprover: op.config.Review.SeparateApprover,
	}
	found, err := desk.Open(ctx, digest, o.approve)
	if err != nil {
		return err
	}
	if !found.Decided {
		if err := d.present(ctx, desk, found, o.show); err != nil {
			return err
		}
		verb := map[bool]string{true: "approve", false: "reject"}[o.approve]
		if err := d.ui.confirm(ctx, o.yes, fmt.Sprintf("%s review %.12s of %s", verb, found.Digest, environment)); err != nil {
			return err
		}
		if found, err = desk.Decide(ctx, found, o.approve, o.remark()); err != nil {
			return err
		}
	}
	already := ""
	if found.Decided {
		already = " already"
	}
	d.ui.progress("review %.12s of %s is %s%s by %s since %s: %s", found.Digest, environment, o.wanted(), already, found.By, found.At.Format(time.RFC3339), found.Comment)
	return d.ui.result(decided{Environment: environment, Review: found.Review, Already: found.Decided})
}

// remark is what CodePipeline records, which wants something.
func (o decideOptions) remark() string {
	if o.comment == "" {
		return fmt.Sprintf("%s with relay %s", o.wanted(), version())
	}
	return o.comment
}

// present shows what is to be decided on.
func (d *deps) present(ctx context.Context, desk decision.Desk, c decision.Case, whole bool) error {
	d.ui.progress("review %s of %s, commit %.12s: %s", c.Digest, desk.Environment, c.Manifest.Commit, visible.Text(c.Manifest.Summary))
	d.ui.progress("from %s to %s; it expires %s", named(c.Manifest.From), named(c.Manifest.To), terminal.Date(c.Manifest.Expires))
	d.ui.progress("the report: %s", visible.Text(c.Report))
	if !whole {
		return nil
	}
	text, err := desk.Store.File(ctx, c.URI, c.Manifest, review.MarkdownFile)
	if err != nil {
		return err
	}
	to := d.ui.stdout
	if d.ui.format == formatJSON {
		to = d.ui.stderr
	}
	_, err = io.WriteString(to, visible.Text(string(text)))
	return err
}

// named is a release for people.
func named(r report.Release) string {
	switch {
	case r.AMI == "":
		return "nothing"
	case r.ArtifactTag == "":
		return r.AMI
	}
	return fmt.Sprintf("%s (%s)", r.ArtifactTag, r.AMI)
}
