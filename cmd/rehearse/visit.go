package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
)

// failure is an error that is none of usage.
type failure struct{ error }

func newMergeCommand() *cobra.Command {
	var into, format string
	cmd := &cobra.Command{
		Use:   "merge URL | ROLE BRANCH",
		Short: "In a rehearsal that stays up: have a pull request checked, approved and merged",
		Long: "merge does what GitHub Actions, a reviewer and you would do: it has a pull request checked and approved, merges it, and waits until\n" +
			"no pipeline runs but those that wait for a person. The pull request is an open one, by its address, or one that is opened for a\n" +
			"branch of the software, image or infrastructure repository. It fails when it cannot be merged, and when a pipeline fails.\n\n" +
			"Exit status: 0 merged, 1 failed, 2 bad usage. What became of it is printed also when a pipeline failed.",
		Example: "  rehearse merge software warmer-greeting\n  rehearse merge http://127.0.0.1:39031/example/demo-infrastructure/pull/1\n" +
			"  rehearse merge software warmer-greeting --output json",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(format); err != nil {
				return err
			}
			m := rehearsal.Merge{Pull: args[0]}
			if len(args) == 2 {
				m = rehearsal.Merge{Role: args[0], Branch: args[1], Into: into}
			}
			var merged rehearsal.Merged
			if err := visit(cmd.Context(), http.MethodPost, "/merge", m, &merged); err != nil {
				return err
			}
			return printMerged(cmd.OutOrStdout(), format, merged)
		},
	}
	cmd.Flags().StringVar(&into, "into", "dev", "the `environment` whose branch takes the BRANCH")
	outputFlag(cmd.Flags(), &format)
	return cmd
}

func printMerged(w io.Writer, format string, m rehearsal.Merged) error {
	if format == formatJSON {
		if err := printJSON(w, m); err != nil {
			return &failure{err}
		}
	} else {
		fmt.Fprintf(w, "pull request %d of %s: checked, approved, merged into %s\n", m.Number, m.Repository, m.Into)
		for _, run := range m.Runs {
			fmt.Fprintf(w, "%-26s %s\n", run.Pipeline, strings.ToLower(string(run.Status)))
		}
	}
	var failed []error
	for _, run := range m.Runs {
		if run.Failed() {
			failed = append(failed, errors.New(run.Reason))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return &failure{err}
	}
	return nil
}

// asked is what ask --output json prints.
type asked struct {
	Environment string             `json:"environment"`
	Instances   []rehearsal.Answer `json:"instances"`
}

func newAskCommand() *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use:   "ask ENV",
		Short: "In a rehearsal that stays up: ask each instance of an environment",
		Long: "ask waits until no pipeline runs but those that wait for a person, and then asks each instance over HTTP.\n\n" +
			"Exit status: 0 asked, 1 failed, 2 bad usage.",
		Example: "  rehearse ask dev\n  rehearse ask main --path /version --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(format); err != nil {
				return err
			}
			var answers []rehearsal.Answer
			if err := visit(cmd.Context(), http.MethodGet, "/instances/"+url.PathEscape(args[0])+"?path="+url.QueryEscape(path), nil, &answers); err != nil {
				return err
			}
			if format == formatJSON {
				if err := printJSON(cmd.OutOrStdout(), asked{args[0], answers}); err != nil {
					return &failure{err}
				}
				return nil
			}
			for _, answer := range answers {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", answer.URL, answer.Text)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&path, "path", "/", "what to ask for")
	outputFlag(cmd.Flags(), &format)
	return cmd
}

// visit asks the rehearsal that runs in another process.
func visit(ctx context.Context, method, path string, in, out any) error {
	base := os.Getenv(rehearsal.VisitVariable)
	if base == "" {
		return errors.New(rehearsal.VisitVariable + ": not set; source env.sh, which rehearse --stay DIR writes to DIR")
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	// It takes as long as the pipelines do, which have deadlines of their own.
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return &failure{fmt.Errorf("asking the rehearsal, which must be running still: %w", err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return &failure{fmt.Errorf("asking the rehearsal: %w", err)}
	case response.StatusCode != http.StatusOK:
		return &failure{errors.New(strings.TrimSpace(string(text)))}
	}
	return json.Unmarshal(text, out)
}
