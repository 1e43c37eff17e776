package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/diagram"
)

// picture is the value of graph's --output.
type picture string

// String, Set and Type make it a flag.
func (p *picture) String() string { return string(*p) }

// Set refuses formats that graph does not have.
func (p *picture) Set(s string) error {
	if s != "mermaid" && s != "svg" && s != "json" {
		return errors.New("must be mermaid, svg or json")
	}
	*p = picture(s)
	return nil
}

// Type names the value in the help.
func (p *picture) Type() string { return "format" }

func newGraphCommand(d *deps) *cobra.Command {
	var flags operatorFlags
	output := picture("mermaid")
	cmd := &cobra.Command{
		Use:   "graph [ENV]",
		Short: "Draw the relay, or one environment's stack",
		Long: "graph draws how a release goes through the environments; with ENV what that environment's stack consists of: repositories, pipelines\n" +
			"with their stages, image factory, systems. It is drawn from the program's definitions and the names in Pulumi.ENV.yaml; AWS is not\n" +
			"asked. The drawing goes to standard output.\n\nExit status: 0 done, 1 failed, 2 bad usage or bad input.",
		Example: "  relay graph > relay.mmd\n  relay graph qa --output svg > qa.svg\n  relay graph main --output json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(context.Context) error { return runGraph(d, flags.dir, output, args) })(cmd, args)
		},
	}
	flags.folder(cmd)
	// It stands before the flag of all commands.
	cmd.Flags().Var(&output, "output", "what is drawn: mermaid, svg or json (the boxes and arrows)")
	return cmd
}

func runGraph(d *deps, dir string, output picture, args []string) error {
	drawn, err := draw(dir, args)
	if err != nil {
		return err
	}
	var text string
	switch output {
	case "svg":
		text, err = drawn.SVG()
	case "json":
		d.ui.format = formatJSON
		return d.ui.result(drawn)
	default:
		text, err = drawn.Mermaid()
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(d.ui.stdout, text)
	return err
}

func draw(dir string, args []string) (diagram.Diagram, error) {
	profiles := environments.Profiles()
	if len(args) == 1 {
		profile, err := environments.ProfileOf(args[0])
		if err != nil {
			return diagram.Diagram{}, &inputError{err}
		}
		profiles = []environments.Profile{profile}
	}
	var configs []environments.Config
	for _, profile := range profiles {
		config, err := environments.ReadFile(dir, profile)
		if err != nil {
			return diagram.Diagram{}, &inputError{err}
		}
		configs = append(configs, config)
	}
	if len(args) == 1 {
		return environments.StackDiagram(profiles[0], configs[0]), nil
	}
	return environments.RelayDiagram(configs), nil
}
