package rehearsal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// KeepExport writes an environment's stack to exports/<environment>.json, as pulumi stack export does.
func (r *Rehearsal) KeepExport(ctx context.Context, environment string) error {
	dir, err := r.dir("exports")
	if err != nil {
		return err
	}
	export, err := r.Export(ctx, environment)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, environment+".json"), export, 0o644)
}

// bucketsDir is where Keep writes the content of the buckets.
const bucketsDir = "buckets"

// Keep writes what lies only in memory, the buckets' content, to buckets/, and removes what is of use to nobody.
func (r *Rehearsal) Keep() error {
	dir, err := r.dir(bucketsDir)
	if err != nil {
		return err
	}
	return errors.Join(r.aws.DumpBuckets(dir), os.RemoveAll(r.tmp), os.RemoveAll(filepath.Join(r.options.Dir, "workspaces")))
}
