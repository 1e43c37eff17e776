package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// deps is what every command gets from outside.
type deps struct {
	ui      *ui
	environ []string
	getenv  func(string) string
}

func newRootCommand(d *deps) *cobra.Command {
	root := &cobra.Command{
		Use:   "relay",
		Short: "Carry a release from the software repository to a running environment",
		Long: "relay carries a release from the software repository to a running environment.\n\n" +
			"The pipelines run it; what it is told comes from the variables of the pipeline's actions.\n\n" + exitCodes,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("relay {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true // ours offers the shells that relay is tried with
	root.PersistentFlags().Var(&d.ui.format, "output", "what goes to standard output: text (what a command shows, else nothing) or json (the result)")
	root.PersistentFlags().BoolVar(&d.ui.quiet, "quiet", false, "tell nothing but results and errors")
	root.PersistentFlags().BoolVar(&d.ui.plain, "plain", false, "neither colour nor wrapping nor redrawing, also on a terminal")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(
		newBuildCommand(d),
		newBakeCommand(d),
		newInstallCommand(d),
		newReviewCommand(d),
		newDeployCommand(d),
		newServeCommand(d),
		newPromoteCommand(d),
		newRollbackCommand(d),
		newHoldCommand(d),
		newReleaseHoldCommand(d),
		newCheckCommand(d),
		newStatusCommand(d),
		newLogCommand(d),
		newDiffCommand(d),
		newApproveCommand(d),
		newRejectCommand(d),
		newUnlockCommand(d),
		newCompletionCommand(),
		newDoctorCommand(d),
		newGraphCommand(d),
		newPublishCommand(d),
	)
	return root
}

// run adapts a command's work to cobra. What it returns is an error of the work, everything else is one of usage.
func run(work func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		if err := work(cmd.Context()); err != nil {
			return &workError{err}
		}
		return nil
	}
}

// lookup finds variables as the C library does: the first one counts.
func lookup(environ []string) func(string) string {
	return func(name string) string {
		for _, variable := range environ {
			if value, ok := strings.CutPrefix(variable, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// version says which relay this is: the module's version, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	if commit := settings["vcs.revision"]; len(commit) >= 12 && !strings.Contains(version, commit[:12]) {
		version += fmt.Sprintf(" %.12s", commit)
	}
	return version
}
