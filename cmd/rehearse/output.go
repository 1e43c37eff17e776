package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// result is what --output json prints.
type result struct {
	Environments []rehearsal.Environment `json:"environments"`
	Steps        []rehearsal.Step        `json:"steps"`
	// Calls are those that --fault list asks for.
	Calls []faults.Call `json:"calls,omitempty"`
}

// The formats of what is printed at the end.
const (
	formatText = "text"
	formatJSON = "json"
)

// outputFlag adds the flag of a command that prints in either format; checkOutput refuses others.
func outputFlag(flags *pflag.FlagSet, format *string) {
	flags.StringVar(format, "output", formatText, "what is printed at the end: `text` or json")
}

func checkOutput(format string) error {
	if format != formatText && format != formatJSON {
		return fmt.Errorf("--output %q: expected text or json", format)
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

func printResult(w io.Writer, format string, r result) error {
	if format == formatJSON {
		return printJSON(w, r)
	}
	for _, c := range r.Calls {
		fmt.Fprintf(w, "%4d  %s\n", c.Number, c.Name)
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "\nENVIRONMENT\tARTIFACT\tAMI\tSOFTWARE\tIMAGE\tINSTANCES ANSWERED")
	for _, e := range r.Environments {
		fmt.Fprintf(table, "%s\t%s\t%s\t%.12s\t%.12s\t%d × %s\n", e.Name, e.ArtifactTag, e.AMI, e.SoftwareCommit, e.ImageCommit, e.Instances, e.Answered)
	}
	return table.Flush()
}

// approver decides on reviews: by itself, or by asking whoever sits at the terminal.
func approver(mode string, stdin io.Reader, stderr io.Writer) func(context.Context, runner.Approval, string) (bool, string, error) {
	if mode == "auto" {
		return func(context.Context, runner.Approval, string) (bool, string, error) {
			return true, "approved by the rehearsal", nil
		}
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdin); scanner.Scan(); {
			lines <- strings.ToLower(strings.TrimSpace(scanner.Text()))
		}
	}()
	return func(ctx context.Context, a runner.Approval, report string) (bool, string, error) {
		fmt.Fprintf(stderr, "\n%s\n%s\n", report, a.CustomData)
		for {
			fmt.Fprint(stderr, "Approve and deploy exactly this? [yes/no] ")
			select {
			case <-ctx.Done():
				return false, "", context.Cause(ctx)
			case answer, ok := <-lines:
				switch {
				case !ok:
					return false, "nobody answered", nil
				case answer == "yes" || answer == "y":
					return true, "approved at the terminal", nil
				case answer == "no" || answer == "n":
					return false, "rejected at the terminal", nil
				}
			}
		}
	}
}
