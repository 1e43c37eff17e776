package install

import (
	"context"
	"fmt"
	"os"

	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/relayfile"
)

// Check is the image's test, on a machine that was started from it: release.json and the unit are those of the manifest, the
// software and relay are there, and the image repository's test script passes.
func Check(ctx context.Context, machine Machine, m manifest.Manifest) error {
	at := PathsOf(machine.DestDir, m.Product)
	record, err := ReadRecord(at.Release)
	if err != nil {
		return err
	}
	if want := recordOf(m); record != want {
		return fmt.Errorf("%s: the image is release %s (image key %.12s), the bake manifest says %s (%.12s)",
			at.Release, record.ArtifactTag, record.ImageKey, want.ArtifactTag, want.ImageKey)
	}
	file, _, err := relayfile.Read(at.Software)
	if err != nil {
		return err
	}
	unit, err := os.ReadFile(at.Unit)
	if err != nil {
		return fmt.Errorf("checking the unit: %w", err)
	}
	if string(unit) != Unit(m, file) {
		return fmt.Errorf("%s: it was changed after the installation; put changes into a drop-in, %s.d/*.conf", at.Unit, at.Unit)
	}
	for _, name := range []string{at.Software, at.Binary} {
		if _, err := os.Stat(name); err != nil {
			return fmt.Errorf("checking the installation: %w", err)
		}
	}
	machine.Progress("release %s is installed", record.ArtifactTag)
	if m.Test == "" {
		return nil
	}
	machine.Progress("running image.test: %s", m.Test)
	return machine.script(ctx, at, m, "test", m.Test)
}
