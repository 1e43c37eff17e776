package artifact

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/pgzip"
)

// What a tar may unpack to at most: far more than fits a sensible image, far less than what fills any disk.
const (
	maxBytes   = 16 << 30
	maxEntries = 1 << 20
)

// Unpack writes a tar.gz that Pack made into a directory, which it creates and which must not exist. A tar that would
// write anywhere else, or holds anything but files, directories and symbolic links inside it, is refused; what was written
// until then stays, for the caller to remove.
func Unpack(r io.Reader, dir string) error {
	if err := unpack(r, dir, maxBytes, maxEntries); err != nil {
		return fmt.Errorf("unpacking into %s: %w", dir, err)
	}
	return nil
}

func unpack(r io.Reader, dir string, bytesLeft int64, entriesLeft int) error {
	zip, err := pgzip.NewReader(r)
	if err != nil {
		return err
	}
	defer zip.Close()
	if err := unpackTar(zip, dir, bytesLeft, entriesLeft); err != nil {
		return err
	}
	// The gzip checksum stands at the end of the stream.
	_, err = io.Copy(io.Discard, io.LimitReader(zip, blockSize))
	return err
}

func unpackTar(r io.Reader, dir string, bytesLeft int64, entriesLeft int) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	// A umask may have taken bits away, and the service's user is nobody in particular.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	in := tar.NewReader(r)
	for {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		entriesLeft--
		bytesLeft -= head.Size
		if entriesLeft < 0 || bytesLeft < 0 {
			return fmt.Errorf("%q: the content is larger than %d bytes or %d files", head.Name, int64(maxBytes), maxEntries)
		}
		if err := unpackEntry(root, head, in); err != nil {
			return fmt.Errorf("%q: %w", head.Name, err)
		}
	}
}

func unpackEntry(root *os.Root, head *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(head.Name, "/")
	if !filepath.IsLocal(name) || path.Clean(name) != name || name == "." {
		return errors.New("the path leads out of the directory, or is not in its shortest form")
	}
	if err := makeParents(root, path.Dir(name)); err != nil {
		return err
	}
	switch head.Typeflag {
	case tar.TypeDir:
		return makeDir(root, name)
	case tar.TypeSymlink:
		if err := checkLink(name, head.Linkname); err != nil {
			return err
		}
		return root.Symlink(head.Linkname, name)
	case tar.TypeReg:
		mode := fs.FileMode(0o644)
		if head.Mode&0o111 != 0 {
			mode = 0o755
		}
		file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Chmod(mode), file.Close())
	default:
		return fmt.Errorf("entries of type %q are not unpacked", head.Typeflag)
	}
}

func makeParents(root *os.Root, dir string) error {
	if dir == "." {
		return nil
	}
	if err := makeParents(root, path.Dir(dir)); err != nil {
		return err
	}
	return makeDir(root, dir)
}

// makeDir takes a directory that is there, and nothing else: below a symbolic link, checkLink's counting of .. would not
// hold.
func makeDir(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%q is there and is not a directory", name)
		}
		return nil
	}
	if err := root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return root.Chmod(name, 0o755)
}
