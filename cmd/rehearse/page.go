package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/relaypage"
)

// writePage writes the page of a rehearsal that ended with failed, or with nil, and opens it when that is asked for. An interrupt
// does not keep it from that.
func (o *options) writePage(ctx context.Context, r *rehearsal.Rehearsal, failed error, stderr io.Writer) error {
	if o.page == "" && !o.open {
		return nil
	}
	path, err := o.pagePath()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		failed = errors.New("interrupted")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	linksFrom := ""
	if o.keep != "" {
		linksFrom = filepath.Dir(path)
	}
	var page bytes.Buffer
	if err := relaypage.HTML(&page, r.Page(ctx, failed, linksFrom)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	fmt.Fprintf(stderr, "rehearse: the page of it is %s\n", path)
	if o.open {
		return openBrowser(path)
	}
	return nil
}

// pagePath is where the page goes: where --page says, else beside what is kept, else into a temporary file that stays.
func (o *options) pagePath() (string, error) {
	switch {
	case o.page != "":
		path, err := filepath.Abs(o.page)
		if err != nil {
			return "", err
		}
		return path, os.MkdirAll(filepath.Dir(path), 0o755)
	case o.keep != "":
		return filepath.Abs(filepath.Join(o.keep, "relay.html"))
	}
	file, err := os.CreateTemp("", "relay-*.html")
	if err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}

// openBrowser opens a page in the browser of whoever sits there. Where nothing can, the path that was printed has to do.
func openBrowser(path string) error {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if _, err := exec.LookPath(opener); err != nil {
		return nil
	}
	// It may stay for as long as the browser does.
	if err := exec.Command(opener, path).Start(); err != nil {
		return fmt.Errorf("opening the page: %w", err)
	}
	return nil
}
