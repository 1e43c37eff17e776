package bake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/internal/artifact"
	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/release"
)

// content is what the image repository's checkout puts into an image.
type content struct {
	dir    string
	config imageconfig.Config
	// paths are the files that git tracks, without those that relay reads itself.
	paths []string
	// others is config.json without the key software, in canonical form: what people set there goes into the image and its
	// key, what relay writes there does so by the artifact itself.
	others []byte
}

func readContent(ctx context.Context, dir string) (content, error) {
	data, err := os.ReadFile(filepath.Join(dir, imageconfig.Name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return content{}, fmt.Errorf("reading the image repository: %w", err)
	}
	c := content{dir: dir}
	if c.config, err = imageconfig.Parse(data); err != nil {
		return content{}, err
	}
	if c.others, err = imageconfig.Others(data); err != nil {
		return content{}, err
	}
	tracked, err := git.Run(ctx, dir, "ls-files", "-z")
	if err != nil {
		return content{}, fmt.Errorf("reading the image repository: %w", err)
	}
	for _, name := range strings.FieldsFunc(tracked, func(r rune) bool { return r == 0 }) {
		if name != imageconfig.Name && name != release.HoldFile {
			c.paths = append(c.paths, name)
		}
	}
	var problems []string
	for _, script := range []struct{ key, file string }{{"setup", c.config.Image.Setup}, {"test", c.config.Image.Test}} {
		if script.file != "" && !slices.Contains(c.paths, path.Clean(script.file)) {
			problems = append(problems, fmt.Sprintf("%s: image.%s: %q: no such file in the repository; commit it, or leave the key out",
				imageconfig.Name, script.key, script.file))
		}
	}
	if problems != nil {
		return content{}, &imageconfig.InvalidError{Problems: problems}
	}
	return c, nil
}

func (c content) pack(w io.Writer) (artifact.Digest, error) {
	return artifact.Pack(c.dir, c.paths, map[string][]byte{imageconfig.Name: c.others}, w)
}

// Key returns the image key: the digest of all that makes one image differ from another. Two bakes with one key would give
// the same image, so the second is not done.
func Key(softwareSHA256, imageSHA256, recipe, base string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "software %s\nimage %s\nrecipe %s\nbase %s\n", softwareSHA256, imageSHA256, recipe, base))
	return hex.EncodeToString(sum[:])
}
