package publish

import (
	"archive/tar"
	"compress/gzip"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
)

// program wants a program for Linux on x86-64.
func program(r io.Reader) error {
	at, ok := r.(io.ReaderAt)
	if !ok {
		return errors.New("it cannot be read at a place")
	}
	file, err := elf.NewFile(at)
	if err != nil {
		return errors.New("it is not a program for Linux; expected one for linux/amd64")
	}
	if file.Machine != elf.EM_X86_64 {
		return fmt.Errorf("it is for %s; expected a program for linux/amd64", file.Machine)
	}
	return nil
}

// releaseName is how publishers name a plugin's tar.
var releaseName = regexp.MustCompile(`^pulumi-resource-([a-z][a-z0-9-]*)-v([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)-linux-amd64\.tar\.gz$`)

// Plugin is the kind of a provider plugin's tar, and its version, which the name of its release says:
// pulumi-resource-<name>-v<version>-linux-amd64.tar.gz.
func Plugin(name, path string) (kind Kind, version string, err error) {
	match := releaseName.FindStringSubmatch(filepath.Base(path))
	if match == nil || match[1] != name {
		return Kind{}, "", &InvalidError{path, fmt.Errorf("expected the name of a release, as pulumi-resource-%s-v1.2.3-linux-amd64.tar.gz", name)}
	}
	return Kind{"plugins/" + name + "/" + match[2], func(r io.Reader) error { return contains(r, "pulumi-resource-"+name) }}, match[2], nil
}

// contains wants a compressed tar with a program at its top.
func contains(r io.Reader, wanted string) error {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return errors.New("it is not compressed with gzip")
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("there is no %s in the tar", wanted)
		case err != nil:
			return fmt.Errorf("it is not a tar: %w", err)
		case header.Name == wanted || header.Name == "./"+wanted:
			return nil
		}
	}
}
