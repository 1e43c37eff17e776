package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/awsconfig"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/install"
)

func newInstallCommand(d *deps) *cobra.Command {
	var manifestName, product string
	var test bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install what the bake manifest says on the machine that is baked",
		Long: "install reads the bake manifest and makes sure that it is the one of the bake that is under way, fetches and verifies software\n" +
			"and image content, unpacks them, writes release.json and the systemd unit, and runs the image repository's setup script. With\n" +
			"--test it checks the result on a machine that was started from the image. $DESTDIR prefixes every absolute path.\n\n" + exits("all that the manifest names is installed, or with --test works"),
		Example: "  relay install --manifest /shop/dev/manifest --product shop",
		Args:    cobra.NoArgs,
		RunE: run(func(ctx context.Context) error {
			if !manifest.IsName(product) {
				return &inputError{fmt.Errorf("--product: %q: must be lower case letters, digits and hyphens", product)}
			}
			return runInstall(ctx, d, manifestName, product, test)
		}),
	}
	cmd.Flags().StringVar(&manifestName, "manifest", "", "the SSM parameter that holds the bake manifest")
	cmd.Flags().StringVar(&product, "product", "", "the product that this machine is for")
	cmd.Flags().BoolVar(&test, "test", false, "check the installation and run the image repository's test script")
	// The flags are there; MarkFlagRequired fails only for others.
	_ = errors.Join(cmd.MarkFlagRequired("manifest"), cmd.MarkFlagRequired("product"))
	return cmd
}

func runInstall(ctx context.Context, d *deps, manifestName, product string, test bool) error {
	// The service's user is nobody in particular and must be able to read everything, whatever mask this machine has.
	syscall.Umask(0o022)
	cfg, err := awsconfig.Load(ctx)
	if err != nil {
		return err
	}
	m, err := install.Manifest(ctx, ssm.NewFromConfig(cfg), manifestName, product)
	if err != nil {
		return err
	}
	if m, err = install.Confirm(ctx, imagebuilder.NewFromConfig(cfg), m); err != nil {
		return err
	}
	machine := install.Machine{DestDir: d.getenv("DESTDIR"), Environ: d.environ, Log: d.ui.stderr, Progress: d.ui.progress}
	if test {
		err = install.Check(ctx, machine, m)
	} else {
		err = install.Run(ctx, s3.NewFromConfig(cfg), machine, m)
	}
	if err != nil {
		return err
	}
	return d.ui.result(m.Release)
}
