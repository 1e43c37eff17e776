package artifact

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The limits under which tars from strangers are unpacked here.
const (
	fuzzBytes   = 64 << 10
	fuzzEntries = 100
)

// unpackHere unpacks a tar into base/out and requires that nothing is anywhere else, that the limits hold and that no link leads out.
func unpackHere(t *testing.T, data []byte, unpack func(r io.Reader, dir string, bytesLeft int64, entriesLeft int) error) (dir string, err error) {
	base := t.TempDir()
	dir = filepath.Join(base, "out")
	err = unpack(bytes.NewReader(data), dir, fuzzBytes, fuzzEntries)
	entries, readErr := os.ReadDir(base)
	require.NoError(t, readErr)
	require.LessOrEqual(t, len(entries), 1)
	if len(entries) == 0 {
		return dir, err
	}
	root, rootErr := filepath.EvalSymlinks(dir)
	require.NoError(t, rootErr)
	var size int64
	require.NoError(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeDevice|fs.ModeNamedPipe), name)
		if info.Mode().IsRegular() {
			size += info.Size()
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			// A link may dangle inside; what it leads to is inside.
			if to, err := filepath.EvalSymlinks(name); err == nil {
				require.True(t, to == root || strings.HasPrefix(to, root+"/"), "%s leads to %s", name, to)
			}
		}
		return nil
	}))
	require.LessOrEqual(t, size, int64(fuzzBytes))
	return dir, err
}

func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, tar.Header{Typeflag: tar.TypeReg, Name: "a/b"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "a"}))
	f.Add([]byte("not gzip"))
	f.Fuzz(func(t *testing.T, data []byte) { _, _ = unpackHere(t, data, unpack) })
}

// plain is a tar without compression, whose headers a fuzzer can change.
func plain(f *testing.F, headers ...tar.Header) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, head := range headers {
		require.NoError(f, w.WriteHeader(&head))
		_, err := w.Write(make([]byte, head.Size))
		require.NoError(f, err)
	}
	require.NoError(f, w.Close())
	return out.Bytes()
}

func FuzzUnpackTar(f *testing.F) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o4755}
	}
	link := func(name, to string) tar.Header {
		return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
	}
	f.Add(plain(f, file("a/b", 3), link("l", "a"), tar.Header{Typeflag: tar.TypeDir, Name: "d/"}))
	f.Add(plain(f, file("../x", 1)))
	f.Add(plain(f, link("l", "."), link("m", "l/../x"), file("l/x", 1)))
	f.Add(plain(f, tar.Header{Typeflag: tar.TypeDir, Name: "r"}, link("p", "r"), file("p/x", 1)))
	f.Add(plain(f, file("x", 1), tar.Header{Typeflag: tar.TypeLink, Name: "y", Linkname: "x"}))
	f.Add(plain(f, tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("é/", 100) + "x", ModTime: time.Unix(1<<40, 0), Format: tar.FormatPAX}))
	f.Add(plain(f, file("bomb", fuzzBytes/2), file("bomb2", fuzzBytes/2+1)))
	f.Add(plain(f, tar.Header{Typeflag: tar.TypeReg, Name: "s", PAXRecords: map[string]string{"comment": "x"}, Format: tar.FormatPAX}))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, err := unpackHere(t, data, unpackTar)
		if err != nil {
			return
		}
		paths, err := Walk(dir)
		require.NoError(t, err)
		_, err = Pack(dir, paths, nil, io.Discard)
		require.NoError(t, err, "what is unpacked can be packed")
	})
}

func FuzzParseURI(f *testing.F) {
	for _, uri := range []string{"s3://shop-dev/software/v1/shop-v1.tar.gz", "s3://a/../b", "s3:///k", "s3://b/k?versionId=1", "S3://b/k", "s3://shop/\x00"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		bucket, key, err := ParseURI(uri)
		if err != nil {
			return
		}
		require.Equal(t, uri, URI(bucket, key))
		require.NotContains(t, bucket, "/")
		require.Equal(t, strings.TrimSuffix(key, ".tar.gz")+".provenance.json", ProvenanceKey(key))
	})
}

func FuzzTag(f *testing.F) {
	for _, tag := range []string{"v1.4.0", "release/2026 01", "..", "é", strings.Repeat("x", 300), "a\nb"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		made := Safe(tag)
		require.Equal(t, made, Safe(made))
		if !IsTag(made) {
			return
		}
		_, key, err := ParseURI(URI("shop-dev", SoftwareKey("shop", made)))
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(key), key)
		require.Equal(t, filepath.Clean(key), key, "no other tag has this key")
	})
}

func FuzzParseStatement(f *testing.F) {
	statement, err := Provenance(Build{Name: "s3://b/k", Digest: Digest{SHA256: "abc"}, Commit: "c0ffee", Command: "make", Package: "."})
	require.NoError(f, err)
	f.Add(statement)
	f.Add([]byte(`{"_type": null, "subject": [{}], "predicate": {"buildDefinition": null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		one, err := parseStatement(text)
		if err != nil {
			return
		}
		_ = one.String()
		again, err := json.Marshal(one)
		require.NoError(t, err)
		two, err := parseStatement(again)
		require.NoError(t, err)
		require.Equal(t, one.String(), two.String())
	})
}
