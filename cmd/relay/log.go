package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/releaselog"
	"github.com/tekpossible/ha-devops/internal/terminal"
	"github.com/tekpossible/ha-devops/pipelines"
)

// logged is the result of relay log.
type logged struct {
	Environment string `json:"environment"`
	// Releases are the newest first; More says that there are earlier ones.
	Releases []releaselog.Entry `json:"releases"`
	More     bool               `json:"more"`
}

func newLogCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	var limit int
	cmd := &cobra.Command{
		Use:   "log ENV",
		Short: "Show the releases of an environment: what came when, who approved it, what was rolled back",
		Long: "log lists the releases that the environment's branch of the infrastructure repository named, the newest first, with who approved\n" +
			"their review and what became of their deployment, as relay deploy recorded it in the environment's bucket. What the platform team\n" +
			"deployed with pulumi up has no record.\n\n" + operatorHelp + cloudHelp + exits("the releases are shown"),
		Example: "  relay log main\n  relay log qa --limit 5 --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runLog(ctx, d, flags, args[0], limit) })(cmd, args)
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "how many releases are shown")
	return cmd
}

func runLog(ctx context.Context, d *deps, flags operatorFlags, environment string, limit int) error {
	if limit < 1 {
		return &inputError{fmt.Errorf("--limit %d: expected 1 or more", limit)}
	}
	o, err := flags.open(d, environment)
	if err != nil {
		return err
	}
	hub, err := o.github(ctx)
	if err != nil {
		return err
	}
	c, err := o.cloud(ctx)
	if err != nil {
		return err
	}
	out := logged{Environment: environment}
	var releases []history.Entry
	for entry, err := range history.Releases(ctx, hub, o.repository(pipelines.Infrastructure), environment) {
		if err != nil {
			return err
		}
		if len(releases) == limit {
			out.More = true
			break
		}
		releases = append(releases, entry)
	}
	var results []deployment.Result
	for result, err := range c.records().Results(ctx, c.s3()) {
		if err != nil {
			return err
		}
		if len(releases) == 0 || result.At.Before(releases[len(releases)-1].Time) {
			break // of a release before those that are shown
		}
		results = append(results, result)
	}
	out.Releases = releaselog.Of(releases, results)
	return d.ui.show(out, func(p *terminal.Page) { logText(p, out) })
}

var stateStyles = map[releaselog.State]string{
	releaselog.Deployed: terminal.Green, releaselog.RolledBack: terminal.Red, releaselog.NotDeployed: terminal.Faint,
}

func logText(p *terminal.Page, l logged) {
	const column = 14
	if len(l.Releases) == 0 {
		p.Line(0, terminal.Text(l.Environment+" has no release yet"))
	}
	for _, e := range l.Releases {
		p.Gap()
		p.Line(0, terminal.As(terminal.Bold, e.Name()), terminal.Text("  "), terminal.As(stateStyles[e.State], strings.ReplaceAll(string(e.State), "-", " ")))
		named := "named"
		if e.Rollback {
			named = "rolled back to"
		}
		p.Row(2, column, "commit", terminal.Text(fmt.Sprintf("%.12s, %s %s by %s", e.Commit, named, terminal.Date(e.Time), e.Author)))
		p.Row(2, column, "from", terminal.Text(fmt.Sprintf("software %s, image %s", abbreviated(e.Release.SoftwareCommit), abbreviated(e.Release.ImageCommit))))
		if r := e.Deployment; r != nil {
			p.Row(2, column, "approved", terminal.Text(approvedText(r)))
			p.Row(2, column, "deployed", terminal.Text(fmt.Sprintf("%s, review %.12s, execution %s", terminal.Date(r.At), r.Review, r.Execution)))
		}
		if e.State == releaselog.RolledBack {
			p.Row(2, column, "rolled back", terminal.As(terminal.Red, fmt.Sprintf("%s by %s: %s", terminal.Date(*e.At), e.By, e.Reason)))
		}
	}
	if l.More {
		p.Gap()
		p.Line(0, terminal.As(terminal.Faint, "there are earlier ones; --limit shows more"))
	}
}

func approvedText(r *deployment.Result) string {
	if r.ApprovedBy == "" {
		return "nobody was asked: it changed nothing"
	}
	at := time.Time{}
	if r.ApprovedAt != nil {
		at = *r.ApprovedAt
	}
	text := fmt.Sprintf("%s by %s", terminal.Date(at), r.ApprovedBy)
	if r.Comment != "" {
		text += ": " + r.Comment
	}
	return text
}

func abbreviated(commit string) string {
	if commit == "" {
		return "unknown"
	}
	return fmt.Sprintf("%.12s", commit)
}
