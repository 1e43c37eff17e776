package artifact

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tree maps paths to content; "-> x" is a symbolic link, "+x …" an executable file, "/" a directory.
type tree map[string]string

func write(t require.TestingT, dir string, tree tree) {
	for name, content := range tree {
		full := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		switch {
		case content == "/":
			require.NoError(t, os.MkdirAll(full, 0o700))
		case len(content) > 3 && content[:3] == "-> ":
			require.NoError(t, os.Symlink(content[3:], full))
		case len(content) > 2 && content[:2] == "+x":
			require.NoError(t, os.WriteFile(full, []byte(content), 0o700))
		default:
			require.NoError(t, os.WriteFile(full, []byte(content), 0o600))
		}
		if info, err := os.Lstat(full); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			require.NoError(t, os.Chtimes(full, time.Now(), time.Unix(rand.Int64N(1<<31), 0)))
		}
	}
}

func read(t require.TestingT, dir string) tree {
	out := tree{}
	paths, err := Walk(dir)
	require.NoError(t, err)
	for _, name := range paths {
		full := filepath.Join(dir, name)
		info, err := os.Lstat(full)
		require.NoError(t, err)
		switch {
		case info.IsDir():
			require.Equal(t, fs.FileMode(0o755), info.Mode().Perm(), name)
			out[name] = "/"
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(full)
			require.NoError(t, err)
			out[name] = "-> " + target
		default:
			content, err := os.ReadFile(full)
			require.NoError(t, err)
			want := fs.FileMode(0o644)
			if bytes.HasPrefix(content, []byte("+x")) {
				want = 0o755
			}
			require.Equal(t, want, info.Mode().Perm(), name)
			out[name] = string(content)
		}
	}
	return out
}

func pack(t require.TestingT, dir string) ([]byte, Digest) {
	paths, err := Walk(dir)
	require.NoError(t, err)
	var out bytes.Buffer
	digest, err := Pack(dir, paths, nil, &out)
	require.NoError(t, err)
	return out.Bytes(), digest
}

func TestSameTreeSameBytesAndBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`[a-c][a-c.-]{0,2}(/[A-C]{1,2}é?){0,2}`)
		content := rapid.SampledFrom([]string{"", "text", "+x script", "-> a", "/"})
		files := tree{}
		for range rapid.IntRange(0, 8).Draw(rt, "n") {
			n := name.Draw(rt, "name")
			fits := true
			for have := range files {
				fits = fits && have != n && !filepath.IsLocal(mustRel(have, n)) && !filepath.IsLocal(mustRel(n, have))
			}
			if fits {
				files[n] = content.Draw(rt, "content")
			}
		}
		one, two := t.TempDir(), t.TempDir()
		write(rt, one, files)
		write(rt, two, files)
		write(rt, two, tree{".git/config": "x"})
		packed, digest := pack(rt, one)
		again, other := pack(rt, two)
		require.Equal(rt, digest, other)
		require.True(rt, bytes.Equal(packed, again))
		require.Equal(rt, int64(len(packed)), digest.Size)
		require.True(rt, IsSHA256(digest.SHA256))

		out := filepath.Join(t.TempDir(), "out")
		require.NoError(rt, Unpack(bytes.NewReader(packed), out))
		require.Equal(rt, read(rt, out), unmarked(rt, one))
	})
}

// What a checkout has besides its content: times, owners, what a umask left of the modes, the order in which a file system lists it, and
// the machine's number of processors. None of it goes into the tar.
func TestOnlyContentGoesIntoTheDigest(t *testing.T) {
	files := tree{"bin/run": "+x run", "empty": "/", "a/b/c": "text", "a/l": "-> b/c", "a.txt": "", "up/l": "-> ../a", "dangling": "-> nowhere"}
	random := rand.NewChaCha8([32]byte{7})
	big := make([]byte, 3*blockSize)
	_, _ = random.Read(big)
	files["big"] = string(big)
	dir := t.TempDir()
	write(t, dir, files)
	_, want := pack(t, dir)

	processors := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(processors) })
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		write(rt, dir, files)
		mask := rapid.SampledFrom([]fs.FileMode{0, 0o022, 0o027, 0o077}).Draw(rt, "umask")
		paths, err := Walk(dir)
		require.NoError(rt, err)
		for _, name := range paths {
			full := filepath.Join(dir, name)
			info, err := os.Lstat(full)
			require.NoError(rt, err)
			// Only root may give files away; to itself anybody may.
			owner := os.Geteuid()
			if owner == 0 {
				owner = rapid.IntRange(0, 70_000).Draw(rt, "owner")
			}
			require.NoError(rt, os.Lchown(full, owner, -1))
			if info.Mode()&fs.ModeSymlink != 0 {
				continue
			}
			mode := fs.FileMode(0o666)
			if info.IsDir() || info.Mode()&0o111 != 0 {
				mode = 0o777
			}
			require.NoError(rt, os.Chmod(full, mode&^mask))
			at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(rt, "time"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nanoseconds"))
			require.NoError(rt, os.Chtimes(full, at, at))
		}
		runtime.GOMAXPROCS(rapid.IntRange(1, 8).Draw(rt, "processors"))
		var out bytes.Buffer
		got, err := Pack(dir, rapid.Permutation(paths).Draw(rt, "order"), nil, &out)
		require.NoError(rt, err)
		require.Equal(rt, want, got)

		to := filepath.Join(t.TempDir(), "out")
		require.NoError(rt, Unpack(&out, to))
		require.Equal(rt, unmarked(rt, dir), read(rt, to))
	})
}

// unmarked reads a tree whose modes are not yet those of an unpacked one.
func unmarked(t require.TestingT, dir string) tree {
	require.NoError(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			err = os.Chmod(name, 0o755)
		} else if err == nil && entry.Type().IsRegular() {
			info, _ := entry.Info()
			mode := fs.FileMode(0o644)
			if info.Mode()&0o100 != 0 {
				mode = 0o755
			}
			err = os.Chmod(name, mode)
		}
		return err
	}))
	return read(t, dir)
}

func mustRel(base, target string) string {
	relative, _ := filepath.Rel(base, target)
	return relative
}

func TestBlocksDoNotDependOnHowMuchIsWrittenAtOnce(t *testing.T) {
	dir := t.TempDir()
	random := rand.NewChaCha8([32]byte{})
	big := make([]byte, 5<<20)
	_, _ = random.Read(big)
	write(t, dir, tree{"a": string(big[:3<<20]), "b": string(big)})
	_, first := pack(t, dir)
	for range 3 {
		_, again := pack(t, dir)
		assert.Equal(t, first, again)
	}
}

// The digest of one tree, written down: a change of it is a change of the format, and every artifact's digest with it. The tree has a
// file of several blocks, so that their size counts.
func TestFormatIsPinned(t *testing.T) {
	dir := t.TempDir()
	var large strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&large, "%d\n", i*i)
	}
	write(t, dir, tree{"bin/run": "+x run", "d": "/", "link": "-> bin/run", "é": "text", "large": large.String()})
	require.Greater(t, large.Len(), 4*blockSize)
	_, digest := pack(t, dir)
	assert.Equal(t, "126cda844d37693d057e3943fd47eeb1831fd42ef140071233dcf3f51cd39bf8", digest.SHA256)
}

func TestExtraFilesReplace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, tree{"a": "old", "b": "b"})
	var out bytes.Buffer
	_, err := Pack(dir, []string{"b", "a"}, map[string][]byte{"a": []byte("new"), ".relay.yaml": []byte("port: 1")}, &out)
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), "out")
	require.NoError(t, Unpack(&out, to))
	assert.Equal(t, tree{"a": "new", "b": "b", ".relay.yaml": "port: 1"}, read(t, to))
}

func TestPackRefuses(t *testing.T) {
	for name, target := range map[string]string{"absolute": "/etc/passwd", "out": "../x", "through": "a/../../x", "hidden": "a/../b"} {
		dir := t.TempDir()
		write(t, dir, tree{"l": "-> " + target})
		_, err := Pack(dir, []string{"l"}, nil, &bytes.Buffer{})
		require.ErrorContains(t, err, "symbolic link to", name)
	}
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	_, err := Pack(dir, []string{"pipe"}, nil, &bytes.Buffer{})
	require.ErrorContains(t, err, "only files, directories and symbolic links travel")
	_, err = Pack(dir, []string{"gone"}, nil, &bytes.Buffer{})
	require.ErrorContains(t, err, "gone")
}

func archive(t require.TestingT, headers ...tar.Header) []byte {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, head := range headers {
		if head.Typeflag == tar.TypeReg {
			head.Size = 1
		}
		require.NoError(t, w.WriteHeader(&head))
		if head.Typeflag == tar.TypeReg {
			_, err := w.Write([]byte("x"))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, zip.Close())
	return out.Bytes()
}

func TestUnpackRefuses(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
	link := func(name, to string) tar.Header {
		return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
	}
	for name, entries := range map[string][]tar.Header{
		"parent":               {file("../x")},
		"parent inside":        {file("a/../../x")},
		"absolute":             {file("/x")},
		"dot":                  {file("./x")},
		"twice":                {file("x"), file("x")},
		"absolute link":        {link("l", "/etc")},
		"link out":             {link("l", "../x")},
		"link out deeper":      {link("a/l", "../../x")},
		"link through link":    {link("l", "."), link("m", "l/../x")},
		"file through link":    {link("l", "a"), file("l/x")},
		"link below link":      {{Typeflag: tar.TypeDir, Name: "r"}, link("p/q", "../r"), link("p/q/l", "../../etc")},
		"directory over link":  {link("l", "."), {Typeflag: tar.TypeDir, Name: "l"}},
		"hard link":            {file("x"), {Typeflag: tar.TypeLink, Name: "y", Linkname: "x"}},
		"device":               {{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}},
		"pipe":                 {{Typeflag: tar.TypeFifo, Name: "p"}},
		"the directory itself": {file(".")},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			require.Error(t, Unpack(bytes.NewReader(archive(t, entries...)), filepath.Join(base, "in", "out")))
			require.NoError(t, os.Mkdir(filepath.Join(base, "in"), 0o755))
			require.Error(t, Unpack(bytes.NewReader(archive(t, entries...)), filepath.Join(base, "in", "out")))
			outside, err := filepath.Glob(filepath.Join(base, "*"))
			require.NoError(t, err)
			assert.Equal(t, []string{filepath.Join(base, "in")}, outside)
		})
	}
}

func TestUnpackLimitsSizeAndChecksTheStream(t *testing.T) {
	var entries []tar.Header
	for i := range 10 {
		entries = append(entries, tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprint(i)})
	}
	data := archive(t, entries...)
	require.ErrorContains(t, unpack(bytes.NewReader(data), filepath.Join(t.TempDir(), "x"), 9, 100), "larger than")
	require.ErrorContains(t, unpack(bytes.NewReader(data), filepath.Join(t.TempDir(), "x"), 100, 9), "larger than")
	require.NoError(t, unpack(bytes.NewReader(data), filepath.Join(t.TempDir(), "x"), 10, 10))
	data[len(data)-5] ^= 1
	require.ErrorContains(t, Unpack(bytes.NewReader(data), filepath.Join(t.TempDir(), "x")), "checksum")
	there := t.TempDir()
	require.ErrorIs(t, Unpack(bytes.NewReader(archive(t)), there), fs.ErrExist)
}
