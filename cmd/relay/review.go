package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

type reviewOptions struct {
	dir, variables, format string
	dry                    bool
}

func newReviewCommand(d *deps) *cobra.Command {
	var o reviewOptions
	cmd := &cobra.Command{
		Use:   "review",
		Short: "Preview the infrastructure repository's commit, lint it, and store plan and reports for the approver",
		Long: "review previews what the commit would change, holds it against the policy, saves the plan, and uploads both with the reports to\n" +
			"the environment's bucket. Nothing that was stored is ever overwritten. It changes nothing in the environment.\n" +
			"It waits for a deployment that is under way, and stops the run of an older review that still waits for its approval.\n\n" +
			"With --dry-run it stores and stops nothing, needs no more than read access, and works with the token in GITHUB_TOKEN.\n" +
			"It is told what to review by RELAY_ENVIRONMENT, RELAY_COMMIT, RELAY_CONFIG and GITHUB_TOKEN.\n\n" +
			"A finding that blocks fails it.\n\n" + exits("nothing blocks the change and, without --dry-run, its review is stored"),
		Example: "  relay review --variables review.env --report junit > findings.xml && . ./review.env\n" +
			"  relay review --dry-run --report markdown > comment.md",
		Args: cobra.NoArgs,
		RunE: run(func(ctx context.Context) error { return runReview(ctx, d, o) }),
	}
	cmd.Flags().StringVar(&o.dir, "dir", ".", "the infrastructure repository's checkout")
	cmd.Flags().StringVar(&o.variables, "variables", "", "write what later actions need to this file, for the shell to read")
	cmd.Flags().BoolVar(&o.dry, "dry-run", false, "preview and lint only: for pull requests")
	cmd.Flags().StringVar(&o.format, "report", "", "print the report to standard output in this `format`: "+strings.Join(report.Formats(), ", "))
	return cmd
}

func runReview(ctx context.Context, d *deps, o reviewOptions) error {
	var v vars.Review
	given := vars.DryRun{}
	var err error
	if o.dry {
		err = vars.Read(&given, d.getenv)
	} else if err = vars.Read(&v, d.getenv); err == nil {
		given = vars.DryRun{Environment: v.Environment, Commit: v.Commit, Config: v.Config}
	}
	if err != nil {
		return err
	}
	p, err := openProgram(ctx, d, given)
	if err != nil {
		return err
	}
	defer p.close()
	seen, err := p.look(ctx, given.Commit, o.dry, d.ui.progress)
	if err != nil {
		return err
	}
	r, err := p.report(ctx, &seen, given.Commit, o)
	if err != nil {
		return err
	}
	if o.dry {
		r.DryRun, r.Expires = true, time.Time{}
	} else {
		r.Execution = v.Execution
	}
	if o.format != "" {
		if err := report.Render(o.format, d.ui.stdout, r); err != nil {
			return &inputError{err}
		}
	}
	if o.dry {
		return blocked(r)
	}
	reviewed, err := p.store(ctx, r, seen, v)
	if err != nil {
		return err
	}
	d.ui.progress("%s: stored at %s, digest %s", reviewed.Summary, reviewed.URI, reviewed.Digest)
	if err := blocked(r); err != nil {
		return err
	}
	if err := stopOlder(ctx, p.approvals(), v, d.ui.progress); err != nil {
		return err
	}
	if o.variables != "" {
		if err := os.WriteFile(o.variables, []byte(shell(vars.Write(reviewed))), 0o644); err != nil {
			return fmt.Errorf("writing the variables: %w", err)
		}
	}
	return d.ui.result(reviewed)
}

// store renders the reports, binds everything in a manifest and uploads it.
func (p *program) store(ctx context.Context, r report.Report, seen sight, v vars.Review) (vars.Reviewed, error) {
	binary, err := self()
	if err != nil {
		return vars.Reviewed{}, err
	}
	contents := map[string][]byte{review.PlanFile: seen.plan, review.PreviewFile: seen.encoded}
	for name, format := range map[string]string{
		review.PageFile: report.FormatHTML, review.MarkdownFile: report.FormatMarkdown, review.ReportFile: report.FormatJSON,
		review.JUnitFile: report.FormatJUnit, review.SARIFFile: report.FormatSARIF,
	} {
		var out bytes.Buffer
		if err := report.Render(format, &out, r); err != nil {
			return vars.Reviewed{}, fmt.Errorf("rendering %s: %w", name, err)
		}
		contents[name] = out.Bytes()
	}
	made := review.New(review.Manifest{
		Product: v.Product, Environment: v.Environment, Commit: v.Commit, Execution: v.Execution, Relay: binary, Pulumi: r.Pulumi,
		State: seen.state.Digest, Previous: seen.previous(), From: r.From, To: r.To, Summary: seen.preview.Summary(),
		Changes: len(seen.preview.Changed()), Authors: seen.authors, Created: r.Created, Expires: r.Expires,
	}, contents)
	uri, digest, err := review.Store{S3: s3.NewFromConfig(p.cfg), Bucket: v.Bucket}.Save(ctx, made)
	if err != nil {
		return vars.Reviewed{}, err
	}
	return vars.Reviewed{
		URI: uri, Digest: digest, Summary: made.Summary, Changes: strconv.Itoa(made.Changes),
		Report: p.consoleOf(v.Bucket, strings.TrimPrefix(uri, "s3://"+v.Bucket+"/")+review.PageFile),
	}, nil
}

func (p *program) consoleOf(bucket, key string) string {
	return fmt.Sprintf("https://%s.console.aws.amazon.com/s3/object/%s?prefix=%s", p.cfg.Region, bucket, key)
}

// blocked is the error of a review with findings that block.
func blocked(r report.Report) error {
	var problems []error
	for _, f := range r.Findings {
		if f.Blocks() {
			problems = append(problems, &findingError{f})
		}
	}
	return errors.Join(problems...)
}

// findingError is a finding that blocks.
type findingError struct{ lint.Finding }

func (e *findingError) Error() string {
	if e.Resource == "" {
		return fmt.Sprintf("policy %s: %s", e.Rule.ID, e.Message)
	}
	return fmt.Sprintf("policy %s: %s: %s", e.Rule.ID, e.Resource, e.Message)
}

func (e *findingError) Hint() string { return e.Rule.Fix }

// stopOlder stops the run of an older review whose approval still waits: its plan starts from what this one has seen, and only one of
// them can be deployed.
func stopOlder(ctx context.Context, approvals approval.Pipeline, v vars.Review, progress func(string, ...any)) error {
	waiting, found, err := approvals.Waiting(ctx)
	if err != nil || !found || waiting.Execution == v.Execution {
		return err
	}
	err = approvals.Stop(ctx, waiting, fmt.Sprintf("superseded by the review of commit %.12s, execution %s", v.Commit, v.Execution))
	if errors.Is(err, approval.ErrDecided) {
		return nil // whoever was faster: what was approved meanwhile is refused, for this review is newer
	}
	if err == nil {
		progress("stopped execution %s, whose older review still waited for its approval", waiting.Execution)
	}
	return err
}

// shell renders variables for a shell to read.
func shell(variables []vars.Variable) string {
	var out strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&out, "export %s='%s'\n", v.Name, strings.ReplaceAll(v.Value, "'", `'\''`))
	}
	return out.String()
}

// pipelinePage is the pipeline's page in the AWS console.
func (p *program) pipelinePage() string {
	return fmt.Sprintf("https://%[1]s.console.aws.amazon.com/codesuite/codepipeline/pipelines/%[2]s/view?region=%[1]s", p.config.Region,
		p.facts().Pipeline(pipelines.Infrastructure))
}
