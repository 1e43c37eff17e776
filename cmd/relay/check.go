package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/relayfile"
	"github.com/tekpossible/ha-devops/internal/release"
)

func newCheckCommand(d *deps) *cobra.Command {
	var owners string
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Check the files of a repository that the relay reads",
		Long: "check reads those of " + strings.Join(checkedNames(), ", ") + "\n" +
			"that are in the directory, and names everything that is wrong with them at once. It needs neither an account nor a network.\n\n" + exits("every file that is there is as it should be"),
		Example: "  relay check\n  relay check ../shop-infrastructure --owners owners.keys",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return run(func(context.Context) error { return runCheck(d, dir, owners) })(cmd, args)
		},
	}
	cmd.Flags().StringVar(&owners, "owners", "", "the keys, as in authorized_keys, of those who may sign "+lint.ExceptionsFile+"; without it that file is left alone")
	return cmd
}

// checked is what check does with each file, by its name.
var checked = []struct {
	name  string
	check func(dir string, content []byte) error
}{
	{relayfile.Name, func(_ string, content []byte) error { return second(relayfile.Parse(content)) }},
	{imageconfig.Name, checkImage},
	{envspec.File, func(_ string, content []byte) error { return second(envspec.Parse(content)) }},
	{release.AMIFile, func(_ string, content []byte) error { return second(release.ParseAMI(string(content))) }},
}

func second[T any](_ T, err error) error { return err }

func checkedNames() []string {
	var names []string
	for _, file := range checked {
		names = append(names, file.name)
	}
	return append(names, lint.ExceptionsFile)
}

func runCheck(d *deps, dir, owners string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &inputError{fmt.Errorf("%s: expected the directory of a repository", dir)}
	}
	found := []string{}
	var problems []error
	for _, file := range checked {
		content, err := os.ReadFile(filepath.Join(dir, file.name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = file.check(dir, content)
		}
		found, problems = append(found, file.name), append(problems, err)
	}
	if owners != "" {
		found, problems = append(found, lint.ExceptionsFile), append(problems, checkExceptions(dir, owners))
	}
	if err := errors.Join(problems...); err != nil {
		return &inputError{err}
	}
	if len(found) == 0 {
		d.ui.progress("nothing to check in %s: none of %s is there", dir, strings.Join(checkedNames(), ", "))
	} else {
		d.ui.progress("%s: as they should be", strings.Join(found, ", "))
	}
	return d.ui.result(map[string][]string{"checked": found})
}

// checkImage looks for the scripts that config.json names, too.
func checkImage(dir string, content []byte) error {
	config, err := imageconfig.Parse(content)
	if err != nil {
		return err
	}
	var problems []error
	for _, script := range []struct{ key, file string }{{"setup", config.Image.Setup}, {"test", config.Image.Test}} {
		if script.file == "" {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(script.file))); err != nil || !info.Mode().IsRegular() {
			problems = append(problems, fmt.Errorf("%s: image.%s: %s: expected a script of the repository", imageconfig.Name, script.key, script.file))
		}
	}
	return errors.Join(problems...)
}

// checkExceptions reads the exceptions as a review does.
func checkExceptions(dir, ownersFile string) error {
	keys, err := os.ReadFile(ownersFile)
	if err != nil {
		return fmt.Errorf("--owners: %w", err)
	}
	var files [2][]byte
	for i, name := range []string{lint.ExceptionsFile, lint.SignatureFile} {
		if files[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	var owners []string
	for line := range strings.Lines(string(keys)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			owners = append(owners, line)
		}
	}
	_, err = lint.ParseExceptions(files[0], files[1], owners, time.Now())
	return err
}
