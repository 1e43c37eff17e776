package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/vars"
)

func newReviewCommand(d *deps) *cobra.Command {
	var dir, variables string
	cmd := &cobra.Command{
		Use:   "review",
		Short: "Preview the infrastructure repository's commit, and store plan and reports for the approver",
		Long: "review previews what the commit would change, saves the plan, and uploads both with the reports to the environment's bucket.\n" +
			"Nothing that was stored is ever overwritten. It changes nothing in the environment.\n\n" + exitCodes,
		Example: "  relay review --variables review.env && . ./review.env",
		Args:    cobra.NoArgs,
		RunE:    run(func(ctx context.Context) error { return runReview(ctx, d, dir, variables) }),
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the infrastructure repository's checkout")
	cmd.Flags().StringVar(&variables, "variables", "", "write what later actions need to this file, for the shell to read")
	return cmd
}

func runReview(ctx context.Context, d *deps, dir, variables string) error {
	var v vars.Review
	if err := vars.Read(&v, d.getenv); err != nil {
		return err
	}
	p, err := openProgram(ctx, d, v)
	if err != nil {
		return err
	}
	defer p.close()
	// The state is looked at before the preview: when it moves in between, the deployment sees another digest and refuses.
	state, err := p.stack.Settle(ctx)
	if err != nil {
		return err
	}
	changes, err := p.stack.Preview(ctx, p.planFile())
	if err != nil {
		return err
	}
	plan, err := os.ReadFile(p.planFile())
	if err != nil {
		return err
	}
	made, err := review.New(review.Manifest{
		Product: v.Product, Environment: v.Environment, Commit: v.Commit, Execution: v.Execution, Relay: version(),
		State: state, Release: releaseOf(ctx, dir), Changes: changes,
	}, plan)
	if err != nil {
		return err
	}
	uri, digest, err := review.Store{S3: s3.NewFromConfig(p.cfg), Bucket: v.Bucket}.Save(ctx, made)
	if err != nil {
		return err
	}
	d.ui.progress("%s: stored at %s, digest %s", made.Summary, uri, digest)
	reviewed := vars.Reviewed{
		URI: uri, Digest: digest, Summary: made.Summary, Changes: strconv.Itoa(len(changes)),
		Report: fmt.Sprintf("https://%s.console.aws.amazon.com/s3/object/%s?prefix=%s", p.cfg.Region, v.Bucket,
			strings.TrimPrefix(uri, "s3://"+v.Bucket+"/")+review.PageFile),
	}
	if variables != "" {
		if err := os.WriteFile(variables, []byte(shell(vars.Write(reviewed))), 0o644); err != nil {
			return fmt.Errorf("writing the variables: %w", err)
		}
	}
	return d.ui.result(reviewed)
}

// releaseOf is the release that a checkout of the infrastructure repository names: the AMI, and the artifact that the commit of its ID
// bears in its trailers.
func releaseOf(ctx context.Context, dir string) string {
	content, err := os.ReadFile(dir + "/" + release.AMIFile)
	if err != nil {
		return "none named by the branch"
	}
	message, err := git.Run(ctx, dir, "log", "-1", "--format=%B", "--", release.AMIFile)
	if err != nil {
		message = ""
	}
	return strings.TrimSpace(release.FromMessage(message).ArtifactTag + " " + strings.TrimSpace(string(content)))
}

// shell renders variables for a shell to read.
func shell(variables []vars.Variable) string {
	var out strings.Builder
	for _, v := range variables {
		fmt.Fprintf(&out, "export %s='%s'\n", v.Name, strings.ReplaceAll(v.Value, "'", `'\''`))
	}
	return out.String()
}
