// Package install puts the software and the image repository's content onto the machine that is baked: fetch and verify,
// unpack, release.json, systemd unit, setup script. It starts nothing; the machine that boots from the image does. Everything
// lies below DESTDIR, which is empty on a real machine.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/relayfile"
)

// Parameters is what Manifest needs of SSM.
type Parameters interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Manifest reads the bake manifest from its SSM parameter and checks that it is for this product.
func Manifest(ctx context.Context, parameters Parameters, name, product string) (manifest.Manifest, error) {
	out, err := parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("reading the bake manifest from the parameter %s: %w", name, err)
	}
	if out.Parameter == nil {
		return manifest.Manifest{}, fmt.Errorf("reading the bake manifest from the parameter %s: %w", name, errors.New("the answer has no parameter"))
	}
	m, err := manifest.Parse(aws.ToString(out.Parameter.Value))
	if err != nil {
		return manifest.Manifest{}, fmt.Errorf("reading the bake manifest from the parameter %s: %w", name, err)
	}
	if m.Product != product {
		return manifest.Manifest{}, fmt.Errorf("the bake manifest in the parameter %s is for product %q, this machine is for %q", name, m.Product, product)
	}
	return m, nil
}

// Machine is the machine that is installed.
type Machine struct {
	// DestDir prefixes every absolute path; empty on a real machine.
	DestDir string
	// Environ is the environment of the scripts, before what Run adds.
	Environ []string
	// Log gets what the scripts print.
	Log io.Writer
	// Progress gets lines for people.
	Progress func(format string, args ...any)
}

// Run installs what the manifest says. It may be run again; content that does not have its digest is an
// *artifact.DigestError, and nothing of it is unpacked.
func Run(ctx context.Context, store artifact.Store, machine Machine, m manifest.Manifest) error {
	at := PathsOf(machine.DestDir, m.Product)
	if err := os.MkdirAll(at.Home, 0o755); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	software, err := fetch(ctx, store, at.Home, m.Software)
	if err != nil {
		return err
	}
	defer discard(software)
	image, err := fetch(ctx, store, at.Home, m.Image)
	if err != nil {
		return err
	}
	defer discard(image)
	machine.Progress("software %s and image content are verified", m.Release.ArtifactTag)
	if err := errors.Join(replace(at.Software, software), replace(at.Image, image)); err != nil {
		return err
	}
	file, _, err := relayfile.Read(at.Software)
	if err != nil {
		return err
	}
	if err := writeRecord(at.Release, recordOf(m)); err != nil {
		return err
	}
	if err := writeFile(at.Unit, []byte(Unit(m, file))); err != nil {
		return err
	}
	if m.Setup != "" {
		machine.Progress("running image.setup: %s", m.Setup)
		if err := machine.script(ctx, at, m, "setup", m.Setup); err != nil {
			return err
		}
	}
	return machine.enable(ctx, m)
}

// fetch downloads a content into a file beside its destination and verifies it.
func fetch(ctx context.Context, store artifact.Store, dir string, content manifest.Content) (*os.File, error) {
	file, err := os.CreateTemp(dir, ".fetch-*")
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", content.URI, err)
	}
	err = artifact.Fetch(ctx, store, content.URI, content.SHA256, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		discard(file)
		return nil, err
	}
	return file, nil
}

func discard(file *os.File) {
	_ = file.Close()
	_ = os.Remove(file.Name())
}

// replace puts a tar's content in the place of a directory. It unpacks beside it first, so that a run that is killed leaves
// no mixture of two releases.
func replace(dir string, tar io.Reader) error {
	fresh := dir + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("replacing %s: %w", dir, err)
	}
	if err := artifact.Unpack(tar, fresh); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("replacing %s: %w", dir, err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fmt.Errorf("replacing %s: %w", dir, err)
	}
	return nil
}

// writeFile replaces a file that everybody may read.
func writeFile(name string, content []byte) error {
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name+".new", content, 0o644)
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
