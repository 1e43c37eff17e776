package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/publish"
	"github.com/tekpossible/ha-devops/internal/terminal"
)

// publishFlags say what is published and where.
type publishFlags struct {
	bucket, binary, pulumi, dir string
	plugins                     map[string]string
	write                       []string
}

func newPublishCommand(d *deps) *cobra.Command {
	var flags publishFlags
	cmd := &cobra.Command{
		Use:   "publish --bucket BUCKET",
		Short: "Put relay and the tools that pipelines run on S3, and pin them",
		Long: "publish uploads the relay binary, and the Pulumi CLI and provider plugins that are given, each under its SHA-256, and prints the\n" +
			"configuration that pins them; --write sets it in Pulumi.ENV.yaml, where nothing else changes. What is there already is not uploaded\n" +
			"again. Plugins are the tars that their publishers release, with their names.\n\n" +
			"Exit status: 0 done, 1 failed, 2 bad usage or bad input.",
		Example: "  relay publish --bucket shop-tools --write dev\n" +
			"  relay publish --bucket shop-tools --binary bin/relay --pulumi ~/.pulumi/bin/pulumi \\\n" +
			"    --plugin aws=pulumi-resource-aws-v6.83.2-linux-amd64.tar.gz --plugin github=pulumi-resource-github-v6.7.2-linux-amd64.tar.gz",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(func(ctx context.Context) error { return runPublish(ctx, d, flags) })(cmd, args)
		},
	}
	cmd.Flags().StringVar(&flags.bucket, "bucket", "", "the bucket, which pipelines may read")
	cmd.Flags().StringVar(&flags.binary, "binary", "", "the relay binary for linux/amd64; by default this one")
	cmd.Flags().StringVar(&flags.pulumi, "pulumi", "", "the Pulumi CLI for linux/amd64")
	cmd.Flags().StringToStringVar(&flags.plugins, "plugin", nil, "a provider plugin: NAME=FILE, again for each")
	cmd.Flags().StringSliceVar(&flags.write, "write", nil, "pin them in Pulumi.ENV.yaml: ENV, again for each")
	cmd.Flags().StringVar(&flags.dir, "config", ".", "the folder with Pulumi.ENV.yaml")
	_ = cmd.MarkFlagRequired("bucket") // it is there
	_ = cmd.RegisterFlagCompletionFunc("write", completeEnvironments)
	return cmd
}

// published is everything that was published, as the configuration has it.
type published struct {
	Relay     publish.Published  `json:"relay"`
	PulumiCLI *publish.Published `json:"pulumiCLI,omitempty"`
	Plugins   []publishedPlugin  `json:"plugins,omitempty"`
	// Written are the files that pin it now.
	Written []string `json:"written"`
}

type publishedPlugin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	publish.Published
}

func runPublish(ctx context.Context, d *deps, flags publishFlags) error {
	if err := flags.complete(); err != nil {
		return &inputError{err}
	}
	for _, environment := range flags.write {
		if _, err := environments.ProfileOf(environment); err != nil {
			return &inputError{fmt.Errorf("--write: %w", err)}
		}
	}
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return err
	}
	result, err := flags.put(ctx, d, s3.NewFromConfig(cfg))
	if err != nil {
		return err
	}
	for _, environment := range flags.write {
		file, changed, err := result.pin(flags.dir, environment)
		if err != nil {
			return &inputError{err}
		}
		result.Written = append(result.Written, file)
		if !changed {
			d.ui.progress("%s pins them already", file)
		} else {
			d.ui.progress("%s pins them now", file)
		}
	}
	return d.ui.show(result, func(p *terminal.Page) {
		p.Width = 0 // it is copied as it stands
		for line := range strings.Lines(result.yaml()) {
			p.Line(0, terminal.Text(strings.TrimSuffix(line, "\n")))
		}
	})
}

// complete finds this binary where no other is given.
func (f *publishFlags) complete() error {
	if f.binary != "" {
		return nil
	}
	if runtime.GOOS+"-"+runtime.GOARCH != publish.Platform {
		return fmt.Errorf("--binary: this relay is for %s/%s; give one that was built with GOOS=linux GOARCH=amd64 CGO_ENABLED=0 make build", runtime.GOOS, runtime.GOARCH)
	}
	var err error
	f.binary, err = os.Executable()
	return err
}

func (f publishFlags) put(ctx context.Context, d *deps, store *s3.Client) (published, error) {
	result := published{Written: []string{}}
	put := func(kind publish.Kind, file string) (publish.Published, error) {
		done, err := publish.Put(ctx, store, f.bucket, kind, file)
		switch {
		case is[*publish.InvalidError](err):
			return done, &inputError{err}
		case err != nil:
			return done, err
		case done.Uploaded:
			d.ui.progress("uploaded %s", done.URI)
		default:
			d.ui.progress("%s is there already", done.URI)
		}
		return done, nil
	}
	var err error
	if result.Relay, err = put(publish.Relay, f.binary); err != nil {
		return result, err
	}
	if f.pulumi != "" {
		cli, err := put(publish.Pulumi, f.pulumi)
		if err != nil {
			return result, err
		}
		result.PulumiCLI = &cli
	}
	for name, file := range f.plugins {
		kind, version, err := publish.Plugin(name, file)
		if err != nil {
			return result, &inputError{fmt.Errorf("--plugin %s: %w", name, err)}
		}
		done, err := put(kind, file)
		if err != nil {
			return result, err
		}
		result.Plugins = append(result.Plugins, publishedPlugin{name, version, done})
	}
	slices.SortFunc(result.Plugins, func(a, b publishedPlugin) int { return strings.Compare(a.Name, b.Name) })
	return result, nil
}
