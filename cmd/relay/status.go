package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/relaypage"
	"github.com/tekpossible/ha-devops/internal/status"
	"github.com/tekpossible/ha-devops/internal/terminal"
)

type statusOptions struct {
	operatorFlags
	watch    bool
	interval time.Duration
}

func newStatusCommand(d *deps) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [ENV...]",
		Short: "Show what each environment runs, what is going on in its pipelines, and what waits for whom",
		Long: "status shows, for each environment or those that are named: the release that its branch of the infrastructure repository names\n" +
			"and where it came from; what its stack deployed last, when that is another one; where each pipeline is, or why it failed, in\n" +
			"relay's own words where it left any; the review that waits for its approval; how the release stands to upstream's; holds.\n\n" +
			"What cannot be found out is said in its place, and the rest is shown.\n\n" + operatorHelp + cloudHelp +
			exits("all of it could be found out; with --watch, once it is interrupted"),
		Example: "  relay status\n  relay status main --output json\n  relay status dev --watch --interval 5s\n  relay status --output html >relay.html",
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runStatus(ctx, d, o, args) })(cmd, args)
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.watch, "watch", false, "go on until interrupted: draw it again on a terminal, print what changes elsewhere")
	cmd.Flags().Var(statusFormat{&d.ui.format}, "output", "what goes to standard output: text, json or html (a page that needs nothing else)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "html"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().DurationVar(&o.interval, "interval", 10*time.Second, "the time between two looks, with --watch")
	return cmd
}

func runStatus(ctx context.Context, d *deps, o statusOptions, names []string) error {
	if o.interval <= 0 {
		return &inputError{fmt.Errorf("--interval %s: expected more than nothing", o.interval)}
	}
	if o.watch && d.ui.format == formatHTML {
		return &inputError{errors.New("--watch with --output html: a page is of one moment; expected --output text or json")}
	}
	operators, err := o.openAll(d, names)
	if err != nil {
		return err
	}
	if o.watch {
		return watch(ctx, d.ui, o.interval, func(ctx context.Context) (status.Status, error) { return gather(ctx, operators, names) })
	}
	found, err := gather(ctx, operators, names)
	if err != nil {
		return err
	}
	if err := d.ui.showStatus(found, operators); err != nil {
		return err
	}
	if !found.Complete() {
		return errors.New("not everything could be found out; what is missing stands in its place")
	}
	return nil
}

// formatHTML is a page for the browser.
const formatHTML format = "html"

// statusFormat is the value of --output of status, which has a page besides what all commands have.
type statusFormat struct{ *format }

// Set refuses formats that status does not have.
func (f statusFormat) Set(s string) error {
	if s == string(formatHTML) {
		*f.format = formatHTML
		return nil
	}
	if f.format.Set(s) != nil {
		return errors.New("must be text, json or html")
	}
	return nil
}

func (u *ui) showStatus(s status.Status, operators map[string]*operator) error {
	if u.format != formatHTML {
		return u.show(s, func(p *terminal.Page) { status.Text(p, s) })
	}
	product := ""
	for _, o := range operators {
		product = o.config.Product
	}
	if err := relaypage.HTML(u.stdout, status.Page(product, s)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// openAll opens the environments that are named, all without any, and with them those that they are promoted from.
func (f operatorFlags) openAll(d *deps, names []string) (map[string]*operator, error) {
	if len(names) == 0 {
		names = environmentNames()
	}
	opened := map[string]*operator{}
	var problems []error
	for _, name := range names {
		for name != "" && opened[name] == nil {
			o, err := f.open(d, name)
			if err != nil {
				problems = append(problems, err)
				break
			}
			opened[name], name = o, o.profile.Upstream
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, &inputError{err}
	}
	return opened, nil
}

// gather takes one look, in the order of promotion.
func gather(ctx context.Context, operators map[string]*operator, names []string) (status.Status, error) {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	places := map[string]*place{}
	var sources []status.Source
	for _, profile := range environments.Profiles() {
		o := operators[profile.Environment]
		if o == nil {
			continue
		}
		p, err := look(ctx, o)
		if err != nil {
			return status.Status{}, err
		}
		places[profile.Environment] = p
		if len(names) == 0 || wanted[profile.Environment] {
			sources = append(sources, p.source(places[profile.Upstream]))
		}
	}
	return status.Gather(ctx, sources), nil
}

// watch shows the state again and again. A look that fails is told and the next one may succeed.
func watch(ctx context.Context, u *ui, interval time.Duration, look func(context.Context) (status.Status, error)) error {
	var before status.Status
	screen := u.screen()
	for {
		now, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := u.turn(screen, before, now, interval); err != nil {
			return err
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(interval):
		}
	}
}

// turn shows one look of many.
func (u *ui) turn(screen terminal.Screen, before, now status.Status, interval time.Duration) error {
	changes := status.Changes(before, now)
	text := ""
	switch {
	case u.format == formatJSON && len(changes) > 0:
		return u.result(now)
	case u.format == formatJSON:
	case screen.Live:
		page := &terminal.Page{Screen: screen}
		page.Line(0, terminal.As(terminal.Faint, fmt.Sprintf("%s, every %s; Ctrl-C ends it", terminal.Date(now.At), interval)))
		status.Text(page, now)
		text = terminal.Redraw + page.String()
	default:
		page := &terminal.Page{Screen: screen}
		for _, line := range changes {
			page.Line(0, terminal.Text(now.At.Format(time.RFC3339)+" "+line))
		}
		text = page.String()
	}
	_, err := io.WriteString(u.stdout, text)
	return err
}
