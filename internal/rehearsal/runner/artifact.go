package runner

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
)

// artifact is what one action hands to another.
type artifact interface {
	// place puts a copy of the artifact at dest, which does not exist yet.
	place(ctx context.Context, dest string) error
}

// directory is an artifact that lies in a folder.
type directory string

func (d directory) place(_ context.Context, dest string) error {
	return os.CopyFS(dest, os.DirFS(string(d)))
}

// clone is a source of format CODEBUILD_CLONE_REF: only a reference travels, and each build clones for itself.
type clone struct {
	clone                      func(ctx context.Context, repository, branch, commit, dest string) error
	repository, branch, commit string
}

func (c clone) place(ctx context.Context, dest string) error {
	if err := c.clone(ctx, c.repository, c.branch, c.commit, dest); err != nil {
		return fmt.Errorf("cloning %s at %s: %w", c.repository, c.commit, err)
	}
	return nil
}

// collect copies what a buildspec's artifacts section names from the build's source folder to dest.
func (a artifacts) collect(source, dest string) error {
	base := filepath.Join(source, a.BaseDirectory)
	var include, exclude []*glob.Pattern
	for _, list := range []struct {
		patterns []string
		globs    *[]*glob.Pattern
	}{{a.Files, &include}, {a.ExcludePaths, &exclude}} {
		for _, pattern := range list.patterns {
			pattern = strings.TrimPrefix(pattern, "./")
			// In CodeBuild "**/*" names the files at the top as well.
			globs, err := compile([]string{pattern, strings.ReplaceAll(pattern, "**/", "")})
			if err != nil {
				return err
			}
			*list.globs = append(*list.globs, globs...)
		}
	}
	var found bool
	err := filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(base, path)
		if err != nil || entry.IsDir() {
			return err
		}
		name := filepath.ToSlash(relative)
		if !matches(include, name) || matches(exclude, name) {
			return nil
		}
		found = true
		if a.DiscardPaths {
			relative = filepath.Base(relative)
		}
		return copyFile(path, filepath.Join(dest, relative), entry)
	})
	if err == nil && !found {
		err = fmt.Errorf("no matching artifact paths found for files %q in base-directory %q", a.Files, a.BaseDirectory)
	}
	return err
}

func copyFile(from, to string, entry fs.DirEntry) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}
