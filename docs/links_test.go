// Package docs has no code: its test holds the documents' links against what is there.
package docs

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

const root = ".."

// page is what links need of a document.
type page struct {
	links   []string
	anchors map[string]bool
}

// read parses a document.
func read(source []byte) page {
	p := page{anchors: map[string]bool{}}
	_ = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.Heading:
			anchor := slug(plain(n, source))
			for i := 1; p.anchors[anchor]; i++ {
				anchor = slug(plain(n, source)) + "-" + strconv.Itoa(i)
			}
			p.anchors[anchor] = true
		}
		return ast.WalkContinue, nil
	})
	return p
}

// plain is the text of a heading without its markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			b.Write(t.Segment.Value(source))
		} else {
			b.WriteString(plain(child, source))
		}
	}
	return b.String()
}

var punctuation = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_\- ]`)

// slug is the anchor that GitHub gives a heading (GitHub Docs, "Basic writing and formatting syntax", "Section links").
func slug(heading string) string {
	return strings.ReplaceAll(punctuation.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// documents are the paths of all documents from the repository's root, without what tools have put there.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name := entry.Name()
		// The files that new repositories begin with are elsewhere when they are read.
		if entry.IsDir() && (name == ".git" || name == ".tools" || name == "bin" || name == "testdata" || name == "starter" || name == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			found = append(found, path)
		}
		return err
	}))
	return found
}

func TestLinksResolve(t *testing.T) {
	pages := documents(t)
	require.Contains(t, pages, root+"/README.md")
	require.Contains(t, pages, root+"/docs/bootstrap.md")
	links := 0
	for _, path := range pages {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, link := range read(source).links {
			links++
			assert.Empty(t, broken(path, source, link), "%s: %s", path, link)
		}
	}
	assert.Greater(t, links, 30)
}

// broken says what is wrong with a link in a document.
func broken(path string, source []byte, link string) string {
	target, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	if target.IsAbs() {
		if target.Scheme != "https" {
			return "expected https"
		}
		return ""
	}
	if target.Path != "" {
		path = filepath.Join(filepath.Dir(path), filepath.FromSlash(target.Path))
		if inside, err := filepath.Rel(root, path); err != nil || strings.HasPrefix(inside, "..") {
			return "it leads out of the repository"
		}
		if _, err := os.Stat(path); err != nil {
			return "there is no such file"
		}
	}
	if target.Fragment == "" {
		return ""
	}
	if target.Path != "" {
		if source, err = os.ReadFile(path); err != nil {
			return err.Error()
		}
	}
	if !read(source).anchors[target.Fragment] {
		return "there is no such section"
	}
	return ""
}

func TestABrokenLinkIsSeen(t *testing.T) {
	here := root + "/README.md"
	source := []byte("# One `two`: three, *four*\n\n## Same\n\n## Same\n\n[a](#x) ![b](y.png)\n")
	assert.Equal(t, []string{"#x", "y.png"}, read(source).links)
	for link, want := range map[string]string{
		"#one-two-three-four": "", "#same": "", "#same-1": "", "#same-2": "there is no such section",
		"docs/bootstrap.md": "", "docs/bootstrap.md#1-accounts": "", "docs": "", "docs/bootstrap.md#accounts": "there is no such section",
		"docs/nothing.md": "there is no such file", "../elsewhere.md": "it leads out of the repository",
		"https://pulumi.com": "", "http://pulumi.com": "expected https",
	} {
		assert.Equal(t, want, broken(here, source, link), link)
	}
}
