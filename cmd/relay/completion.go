package main

import (
	"github.com/spf13/cobra"
)

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a script that completes relay's commands, flags and environments in a shell",
		Long:  "completion prints a script for the shell to read.\n\n" + exits("the script is printed"),
		Example: "  source <(relay completion bash)\n  relay completion zsh > \"${fpath[1]}/_relay\"\n" +
			"  relay completion fish > ~/.config/fish/completions/relay.fish",
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			var err error
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(out, true)
			case "zsh":
				err = root.GenZshCompletion(out)
			default:
				err = root.GenFishCompletion(out, true)
			}
			if err != nil {
				return &workError{err}
			}
			return nil
		},
	}
}
