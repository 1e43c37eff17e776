package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitBad    = 2
)

type options struct {
	software, image, infrastructure string
	until, approve, keep, output    string
	page                            string
	open                            bool
	// fault is what --fault says, faults what it means, list that it asks for the list of calls.
	fault  []string
	faults []faults.Fault
	list   bool
	stays
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var o options
	var failed error
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "Run the whole delivery system on this machine, without any account",
		Long: `Run the whole delivery system on this machine, without any account.

The program is provisioned by the real Pulumi engine, and the pipelines that it provisioned carry a commit of the software to
running instances in dev, and promote it to qa and main. AWS, GitHub and the instances are simulated on loopback.`,
		Example: `  # Rehearse with the examples
  go run ./cmd/rehearse

  # Rehearse with software of your own, up to qa, and look at everything afterwards
  go run ./cmd/rehearse --software ../shop --env qa --keep /tmp/rehearsal

  # Decide on each review yourself
  go run ./cmd/rehearse --approve ask

  # Look at it in the browser: what runs where, and how long each step took
  go run ./cmd/rehearse --open

  # Keep everything running, and work with it from another terminal
  go run ./cmd/rehearse --stay tour

  # List the calls that the pipelines make to AWS, GitHub and Pulumi's providers; then kill the build that makes one of them
  go run ./cmd/rehearse --env dev --fault list
  go run ./cmd/rehearse --env dev --fault 'kill-after:dev/image/Bake github.PATCH git/refs#1'`,
		Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			if err := o.check(); err != nil {
				return err
			}
			failed = o.rehearse(ctx, stdin, stdout, stderr)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.software, "software", "", "directory or git `repository` with the software (default examples/software)")
	flags.StringVar(&o.image, "image", "", "directory or git `repository` with the image's configuration (default examples/image)")
	flags.StringVar(&o.infrastructure, "infrastructure", "", "directory or git `repository` with environment.json (default examples/infrastructure)")
	flags.StringVar(&o.until, "env", "main", "how far to promote: `environment` dev, qa or main")
	flags.StringVar(&o.approve, "approve", "auto", "who approves reviews: `auto` or ask")
	flags.StringVar(&o.keep, "keep", "", "keep repositories, buckets, images, logs and stack exports in this empty or new `directory`")
	flags.StringVar(&o.page, "page", "", "write a page of it to this `file`, also when it failed; with --keep it links to the reviews and logs")
	flags.BoolVar(&o.open, "open", false, "open that page in the browser; without --page it lies beside what is kept, or in a temporary file")
	outputFlag(flags, &o.output)
	flags.StringArrayVar(&o.fault, "fault", nil, "do a `fault` to one of the pipelines' calls, KIND:NUMBER or KIND:NAME, with KIND one of "+faults.KindList()+
		"; a stage that it fails is retried; may be repeated. \"list\" lists the calls")
	o.stays.flags(flags)
	cmd.AddCommand(newMergeCommand(), newAskCommand())
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); errors.As(err, new(*failure)) {
		fmt.Fprintf(stderr, "rehearse: error: %v\n", err)
		return exitFailed
	} else if err != nil {
		fmt.Fprintf(stderr, "rehearse: error: %v\nrehearse: hint: see rehearse --help\n", err)
		return exitBad
	}
	return o.report(ctx, stderr, failed)
}

func (o *options) report(ctx context.Context, stderr io.Writer, failed error) int {
	var bad rehearsal.InputError
	switch {
	case failed == nil:
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "rehearse: error: interrupted; everything that ran was stopped")
		return exitFailed
	case errors.As(failed, &bad):
		fmt.Fprintf(stderr, "rehearse: error: %v\n", failed)
		return exitBad
	}
	fmt.Fprintf(stderr, "rehearse: error: %v\n", failed)
	if o.keep == "" {
		fmt.Fprintln(stderr, "rehearse: hint: --keep DIR keeps all logs")
	} else {
		fmt.Fprintf(stderr, "rehearse: hint: the logs are in %s\n", o.keep)
	}
	return exitFailed
}

// check refuses bad flags, all at once.
func (o *options) check() error {
	var problems []error
	if !slices.Contains(rehearsal.Environments(), o.until) {
		problems = append(problems, fmt.Errorf("--env %q: expected %s", o.until, strings.Join(rehearsal.Environments(), ", ")))
	}
	if o.approve != "auto" && o.approve != "ask" {
		problems = append(problems, fmt.Errorf("--approve %q: expected auto or ask", o.approve))
	}
	problems = append(problems, checkOutput(o.output))
	for _, text := range o.fault {
		if o.list = o.list || text == "list"; text == "list" {
			continue
		}
		f, err := faults.Parse(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("--fault: %w", err))
		}
		o.faults = append(o.faults, f)
	}
	if o.list && len(o.fault) > 1 {
		problems = append(problems, errors.New("--fault list: lists the calls of an undisturbed rehearsal; expected no other --fault"))
	}
	if info, err := os.Stat(o.page); err == nil && info.IsDir() {
		problems = append(problems, fmt.Errorf("--page %s: is a directory; expected a file", o.page))
	}
	problems = append(problems, empty("--keep", o.keep), o.stays.check(o))
	return errors.Join(problems...)
}

// empty refuses a directory that has something in it.
func empty(flag, dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s %s: %w", flag, dir, err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s %s: is not empty; expected an empty or new directory", flag, dir)
	}
	return nil
}

// rehearse tells the story: provision, release to dev, promote as far as asked, and ask the instances.
func (o *options) rehearse(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	tools, err := rehearsal.BuildTools(ctx, stderr)
	if err != nil {
		return err
	}
	if err := rehearsal.UsePulumi(tools.Pulumi); err != nil {
		return err
	}
	for _, part := range []struct {
		dir  *string
		name string
	}{{&o.software, "software"}, {&o.image, "image"}, {&o.infrastructure, "infrastructure"}} {
		if *part.dir == "" {
			*part.dir = filepath.Join(tools.Root, "examples", part.name)
		}
	}
	dir, clean, err := o.directory()
	if err != nil {
		return err
	}
	defer clean()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	timeline := rehearsal.NewTimeline(stderr, o.approve == "auto" && isTerminal(stderr))
	defer timeline.Close()
	r, err := rehearsal.Start(ctx, rehearsal.Options{
		Software: o.software, Image: o.image, Infrastructure: o.infrastructure, Dir: dir,
		Relay: tools.Relay, Self: self, Approve: approver(o.approve, stdin, stderr), Timeline: timeline, Faults: o.faults,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	defer func() { err = errors.Join(err, o.writePage(ctx, r, err, stderr)) }()
	defer func() {
		if o.keep != "" {
			err = errors.Join(err, r.Keep())
		}
	}()
	environments, err := o.story(ctx, r)
	if err == nil && r.Struck() < len(o.faults) {
		err = fmt.Errorf("%d of %d faults happened: the other calls were not made; see --fault list", r.Struck(), len(o.faults))
	}
	if err != nil {
		return err
	}
	all := result{Environments: environments, Steps: r.Steps()}
	if o.list {
		all.Calls = r.Calls()
	}
	if err := printResult(stdout, o.output, all); err != nil || o.stay == "" {
		return err
	}
	return o.stays.until(ctx, r, stderr, filepath.Dir(self), filepath.Join(tools.Root, "bin"), filepath.Dir(tools.Pulumi))
}

func (o *options) story(ctx context.Context, r *rehearsal.Rehearsal) ([]rehearsal.Environment, error) {
	all := rehearsal.Environments()
	all = all[:slices.Index(all, o.until)+1]
	for _, environment := range all {
		if err := r.Provision(ctx, environment); err != nil {
			return nil, err
		}
	}
	for i, environment := range all {
		release := func() error { return r.Promote(ctx, environment) }
		if i == 0 {
			release = func() error { return r.FirstRelease(ctx) }
		}
		if err := release(); err != nil {
			return nil, err
		}
	}
	var answers []rehearsal.Environment
	for _, environment := range all {
		answer, err := r.Ask(ctx, environment)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
		if o.keep != "" {
			if err := r.KeepExport(ctx, environment); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// directory is where everything is kept, and what is done with it in the end.
func (o *options) directory() (string, func(), error) {
	if o.keep != "" {
		dir, err := filepath.Abs(o.keep)
		if err != nil {
			return "", nil, err
		}
		return dir, func() {}, os.MkdirAll(dir, 0o755)
	}
	dir, err := os.MkdirTemp("", "rehearsal-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
