package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/promotion"
	"github.com/tekpossible/ha-devops/internal/terminal"
	"github.com/tekpossible/ha-devops/pipelines"
)

func newDiffCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	cmd := &cobra.Command{
		Use:   "diff ENV ENV",
		Short: "Show what one environment has that another one has not: what a promotion would bring",
		Long: "diff lists the commits of the software, image and infrastructure repositories that the first environment's branch has and the\n" +
			"second's has not, the releases that both name, and the settings of environment.json in which they differ.\n\n" +
			"The repositories are those of the second environment's Pulumi.ENV.yaml. " + operatorHelp + exits("the comparison is shown, also when nothing differs"),
		Example: "  relay diff dev qa\n  relay diff qa main --output json",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runDiff(ctx, d, flags, args[0], args[1]) })(cmd, args)
		},
	}
	flags.add(cmd)
	return cmd
}

func runDiff(ctx context.Context, d *deps, flags operatorFlags, from, to string) error {
	if from == to {
		return &inputError{errors.New("an environment has all that it has; name two")}
	}
	if _, err := flags.open(d, from); err != nil {
		return err
	}
	o, err := flags.open(d, to)
	if err != nil {
		return err
	}
	hub, err := o.github(ctx)
	if err != nil {
		return err
	}
	var repositories []promotion.Repository
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure} {
		repositories = append(repositories, promotion.Repository{Role: string(role), Name: o.repository(role)})
	}
	found, err := promotion.Between(ctx, hub, repositories, o.repository(pipelines.Infrastructure), from, to)
	if err != nil {
		return err
	}
	return d.ui.show(found, func(p *terminal.Page) { diffText(p, found) })
}

func diffText(p *terminal.Page, f promotion.Difference) {
	const column = 16
	for _, side := range []struct {
		name    string
		release *history.Entry
	}{{f.From, f.FromRelease}, {f.To, f.ToRelease}} {
		text := "no release"
		if side.release != nil {
			text = fmt.Sprintf("%s, named %s by %s", side.release.Name(), terminal.Date(side.release.Time), side.release.Author)
		}
		p.Row(0, column, side.name, terminal.Text(text))
	}
	p.Gap()
	if f.Same() {
		p.Line(0, terminal.Text(f.To+" has all that "+f.From+" has"))
		return
	}
	for _, news := range f.Repositories {
		p.Line(0, terminal.As(terminal.Bold, news.Role), terminal.Text(fmt.Sprintf(": commits that %s has and %s has not: %d", f.From, f.To, news.Ahead)))
		for _, c := range news.Commits {
			p.Row(2, column, fmt.Sprintf("%.12s", c.SHA), terminal.Text(c.Subject), terminal.As(terminal.Faint, " ("+c.Author+")"))
		}
		if more := news.Ahead - len(news.Commits); more > 0 {
			p.Line(2, terminal.As(terminal.Faint, fmt.Sprintf("and %d more", more)))
		}
	}
	p.Line(0, terminal.As(terminal.Bold, "settings"), terminal.Text(fmt.Sprintf(" that differ: %d", len(f.Settings))))
	for _, s := range f.Settings {
		p.Line(2, terminal.Text(fmt.Sprintf("%s: %s in %s, %s in %s", s.Key, orUnset(s.From), f.From, orUnset(s.To), f.To)))
	}
}

func orUnset(value string) string {
	if value == "" {
		return "not set"
	}
	return value
}
