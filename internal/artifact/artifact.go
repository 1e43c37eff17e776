// Package artifact makes what travels: the tag of a checkout, the deterministic tar of a tree, its digest, its provenance,
// and its place on S3; and on the machine that is baked, the way back. It does not know what is inside a tar, and no
// repository but the local checkout.
package artifact

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/pgzip"
)

// blockSize is how much pgzip compresses at a time, blocks how many of them at once. Where blocks end shows in the compressed bytes, so
// that their size is part of the format: another value gives another digest for the same tree. Their number is not. Memory grows with
// the product of both; the blocks of pgzip's default, four times as large, compress no better, for each begins with the window of the one
// before it.
const (
	blockSize = 256 << 10
	blocks    = 4
)

// epoch is the modification time of everything in a tar. A commit's time would give two commits of one tree two digests; zip
// and some tools refuse times before 1980.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Digest identifies the bytes of a tar.
type Digest struct {
	// SHA256 is in lower case hex.
	SHA256 string
	// Size is in bytes.
	Size int64
}

// Walk lists what is below a directory, without anything called .git, as slash-separated paths for Pack.
func Walk(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		if entry.Name() == ".git" {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(dir, name)
		paths = append(paths, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", dir, err)
	}
	return paths, nil
}

// Pack writes a tar.gz of the paths below dir, and of the extra files, which replace paths of the same name. The same
// content gives the same bytes on every machine: paths are sorted, owners, names and times left out, modes are 0755 or 0644.
// It refuses what Unpack would refuse.
func Pack(dir string, paths []string, extra map[string][]byte, w io.Writer) (Digest, error) {
	all := slices.Concat(paths, slices.Collect(maps.Keys(extra)))
	slices.Sort(all)
	hash, counter := sha256.New(), new(counter)
	// The header's time and name stay empty (RFC 1952: zero is "no time stamp").
	zip := pgzip.NewWriter(io.MultiWriter(w, hash, counter))
	zip.ModTime = time.Unix(0, 0)
	if err := zip.SetConcurrency(blockSize, blocks); err != nil {
		return Digest{}, err
	}
	out := &writer{Writer: tar.NewWriter(zip), buffer: make([]byte, 256<<10)}
	var err error
	for _, name := range slices.Compact(all) {
		if content, ok := extra[name]; ok {
			err = out.file(name, 0o644, int64(len(content)), bytes.NewReader(content))
		} else {
			err = out.path(dir, name)
		}
		if err != nil {
			// pgzip ends its goroutines only when closed.
			_ = zip.Close()
			return Digest{}, fmt.Errorf("packing %s: %w", filepath.Join(dir, name), err)
		}
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		return Digest{}, fmt.Errorf("packing %s: %w", dir, err)
	}
	return Digest{SHA256: hex.EncodeToString(hash.Sum(nil)), Size: int64(*counter)}, nil
}

// writer writes entries, all files through one buffer: one for each would be most of the memory that packing takes.
type writer struct {
	*tar.Writer
	buffer []byte
}

func (out *writer) path(dir, name string) error {
	full := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Lstat(full)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return out.WriteHeader(header(tar.TypeDir, name+"/", 0o755))
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(full)
		if err != nil {
			return err
		}
		if err := checkLink(name, target); err != nil {
			return err
		}
		link := header(tar.TypeSymlink, name, 0o777)
		link.Linkname = target
		return out.WriteHeader(link)
	case !info.Mode().IsRegular():
		return fmt.Errorf("is a %s; only files, directories and symbolic links travel, remove it before packing", info.Mode().Type())
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	file, err := os.Open(full)
	if err != nil {
		return err
	}
	defer file.Close()
	return out.file(name, mode, info.Size(), file)
}

func (out *writer) file(name string, mode, size int64, content io.Reader) error {
	head := header(tar.TypeReg, name, mode)
	head.Size = size
	if err := out.WriteHeader(head); err != nil {
		return err
	}
	n, err := io.CopyBuffer(out, io.LimitReader(content, size), out.buffer)
	if err == nil && n < size {
		return errors.New("the file became shorter while it was read; let nothing write while packing")
	}
	return err
}

func header(kind byte, name string, mode int64) *tar.Header {
	return &tar.Header{Typeflag: kind, Name: name, Mode: mode, ModTime: epoch}
}

// checkLink refuses symbolic links that lead out of the tree, on the machine that packs and on the one that unpacks. A ".."
// is allowed only at the target's beginning: behind a name it would be taken from wherever that name leads.
func checkLink(name, target string) error {
	climbing := true
	for part := range strings.SplitSeq(target, "/") {
		if part == ".." && !climbing {
			return fmt.Errorf("symbolic link to %q: .. is allowed only at the beginning", target)
		}
		climbing = climbing && (part == ".." || part == "." || part == "")
	}
	if target == "" || path.IsAbs(target) || !filepath.IsLocal(path.Join(path.Dir(name), target)) {
		return fmt.Errorf("symbolic link to %q leads out of the tree; make it relative, or put the file itself there", target)
	}
	return nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
