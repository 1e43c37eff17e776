package handoff_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/git"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/release"
)

// The bench holds hand-offs against the way it is usually done, on one simulated GitHub with real git underneath: REST and git over HTTP
// on loopback, without the network's own latency, which would be the same for every call and favours the way with fewer bytes.

// maxHandOffs is how many commits the software repository has.
const maxHandOffs = 20_000

// forgery is a simulated GitHub with a software repository, and an image repository of a given history.
type forgery struct {
	server   *githubsim.Server
	web      *httptest.Server
	image    string // the bare repository
	sources  []string
	calls    atomic.Int64
	branches int
}

// newForgery makes the repositories. Each of the image repository's commits rewrites config.json, as a hand-off does, and every tenth
// adds a file of 2 KB that does not compress, so that 20,000 commits are some 2,000 files and 4 MB.
func newForgery(b *testing.B, commits int) *forgery {
	b.Helper()
	dir := b.TempDir()
	f := &forgery{}
	var err error
	f.server, err = githubsim.New(githubsim.Options{
		Dir: filepath.Join(dir, "github"), Owner: "acme", Tokens: map[string]githubsim.Actor{"t": {Login: "relay[bot]", App: 7}},
	})
	require.NoError(b, err)
	f.image = filepath.Join(dir, "github", "acme", "image.git")
	history := fastImport(b, filepath.Join(dir, "image"), commits, func(out *bytes.Buffer, i int) {
		config := content(fmt.Sprintf("%040x", i))
		fmt.Fprintf(out, "M 100644 inline config.json\ndata %d\n%s\n", len(config), config)
		if i%10 == 0 {
			noise := make([]byte, 2048)
			for j := range noise {
				noise[j] = byte(i*2654435761 ^ j*40503*(i+j) ^ j>>3)
			}
			fmt.Fprintf(out, "M 100644 inline files/%02d/%d\ndata %d\n%s\n", i/10%100, i, len(noise), noise)
		}
	})
	f.server.Import("image", filepath.Join(dir, "image"), history[len(history)-1])
	f.sources = fastImport(b, filepath.Join(dir, "software"), maxHandOffs, func(*bytes.Buffer, int) {})
	f.server.Import("software", filepath.Join(dir, "software"), f.sources[len(f.sources)-1])
	for _, name := range []string{"image", "software"} {
		require.NoError(b, f.server.CreateRepository(b.Context(), githubsim.Repository{Name: name, DefaultBranch: "dev"}))
	}
	f.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		f.server.ServeHTTP(w, r)
	}))
	b.Cleanup(f.web.Close)
	return f
}

// fastImport makes a repository of one line of commits and returns them, the oldest first.
func fastImport(b *testing.B, dir string, commits int, files func(out *bytes.Buffer, i int)) []string {
	b.Helper()
	var stream bytes.Buffer
	for i := range commits {
		message := fmt.Sprintf("software: v%d", i)
		fmt.Fprintf(&stream, "commit refs/heads/dev\nauthor a <a@example.com> %d +0000\ncommitter a <a@example.com> %d +0000\ndata %d\n%s\n",
			1_600_000_000+i, 1_600_000_000+i, len(message), message)
		files(&stream, i)
	}
	run(b, b.TempDir(), nil, "init", "-q", "--bare", dir)
	run(b, dir, &stream, "fast-import", "--quiet")
	return strings.Fields(run(b, dir, nil, "rev-list", "--reverse", "dev"))
}

func run(b *testing.B, dir string, stdin *bytes.Buffer, args ...string) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "git", args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = stdin
	}
	out, err := cmd.Output()
	require.NoError(b, err, args)
	return string(out)
}

func content(commit string) []byte {
	return fmt.Appendf(nil, "{\n  \"software\": {\n    \"tag\": \"g%.12s\",\n    \"artifact\": \"s3://shop/software/g%.12s/shop.tar.gz\",\n"+
		"    \"sha256\": \"%064d\",\n    \"commit\": \"%s\"\n  }\n}\n", commit, commit, 0, commit)
}

func softwareOf(commit string) imageconfig.Software {
	return imageconfig.Software{
		Tag: "g" + commit[:12], Artifact: "s3://shop/software/g" + commit[:12] + "/shop.tar.gz", SHA256: fmt.Sprintf("%064d", 0), Commit: commit,
	}
}

func messageOf(commit string) string {
	return handoff.Message("software: g"+commit[:12], release.Release{ArtifactTag: "g" + commit[:12], SoftwareCommit: commit})
}

// way hands one source commit off to a branch of the image repository.
type way func(ctx context.Context, f *forgery, branch, source string) error

// measure shares b.N hand-offs, in the order of their commits, among writers, and reports what became of them.
func (f *forgery) measure(b *testing.B, writers int, way way) {
	b.Helper()
	if b.N > maxHandOffs {
		b.Fatalf("%d hand-offs; there are %d commits", b.N, maxHandOffs)
	}
	f.branches++
	branch := fmt.Sprintf("bench-%d", f.branches)
	start, err := f.server.CreateBranch(b.Context(), "image", branch, "dev")
	require.NoError(b, err)
	took, failed := make([]time.Duration, b.N), make([]error, b.N)
	var next atomic.Int64
	var group sync.WaitGroup
	f.calls.Store(0)
	b.ResetTimer()
	for range writers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				failed[i] = way(b.Context(), f, branch, f.sources[i])
				took[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	b.StopTimer()
	calls := f.calls.Load()

	lost, regressed := f.damage(b, start, branch, failed)
	slices.Sort(took)
	b.ReportMetric(float64(lost), "lost")
	b.ReportMetric(float64(regressed), "regressed")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/op")
}

// damage counts the hand-offs that failed, or that said they succeeded although neither they nor a later one is on the branch, and the
// commits that put an older source in place of a newer one.
func (f *forgery) damage(b *testing.B, start, branch string, failed []error) (lost, regressed int) {
	b.Helper()
	index := map[string]int{}
	for i, source := range f.sources {
		index[source] = i
	}
	newest, last := -1, -1
	for message := range strings.SplitSeq(run(b, f.image, nil, "log", "--reverse", "-z", "--format=%B", start+".."+branch), "\x00") {
		source, ok := index[release.FromMessage(message).SoftwareCommit]
		if !ok {
			continue
		}
		if source < last {
			regressed++
		}
		newest, last = max(newest, source), source
	}
	for i, err := range failed {
		if err != nil && lost == 0 {
			b.Logf("hand-off %d: %v", i, err)
		}
		if err != nil || i > newest {
			lost++
		}
	}
	return lost, regressed
}

// viaHandOff is relay's way, with a client of its own for each run as pipelines have.
func viaHandOff(ctx context.Context, f *forgery, branch, source string) error {
	client, err := github.New(f.web.URL+"/api/v3/", "acme", "t")
	if err != nil {
		return err
	}
	_, err = handoff.Do(ctx, client, handoff.Change{
		Repository: "image", Branch: branch, Path: imageconfig.Name,
		Decide: func(ctx context.Context, current handoff.Current) (handoff.Decision, error) {
			config, err := imageconfig.Parse(current.Content)
			if err != nil {
				return handoff.Decision{}, err
			}
			backwards, err := handoff.Backwards(ctx, client, "software", config.Software.Commit, source)
			if err != nil || backwards {
				return handoff.Decision{Reason: "overtaken"}, err
			}
			content, err := imageconfig.SetSoftware(current.Content, softwareOf(source))
			return handoff.Decision{Content: content, Message: messageOf(source)}, err
		},
	})
	return err
}

// viaClone is the usual way: clone, edit, commit, push, and on a rejection rebase and push again.
func viaClone(ctx context.Context, f *forgery, branch, source string) error {
	dir, err := os.MkdirTemp("", "clone-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	run := func(args ...string) error {
		_, err := git.Run(ctx, dir, append([]string{"-c", "user.name=relay", "-c", "user.email=relay@example.com"}, args...)...)
		return err
	}
	address := strings.Replace(f.web.URL, "http://", "http://x:t@", 1) + "/acme/image.git"
	if err := run("clone", "-q", "--branch", branch, address, "."); err != nil {
		return err
	}
	file := filepath.Join(dir, imageconfig.Name)
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := imageconfig.SetSoftware(before, softwareOf(source))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, after, 0o644); err != nil {
		return err
	}
	if err := run("commit", "-q", "-a", "-m", messageOf(source)); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := run("push", "-q", "origin", branch)
		if err == nil || try == 100 {
			return err
		}
		if err := run("fetch", "-q", "origin", branch); err != nil {
			return err
		}
		// One's own change wins over what came between, as scripts have it that cannot ask anybody.
		if err := run("rebase", "-q", "-X", "theirs", "FETCH_HEAD"); err != nil {
			return err
		}
	}
}

func bench(b *testing.B, way way, writers ...int) {
	for _, commits := range []int{10, 20_000} {
		f := newForgery(b, commits)
		for _, n := range writers {
			b.Run(fmt.Sprintf("commits=%d/writers=%d", commits, n), func(b *testing.B) { f.measure(b, n, way) })
		}
	}
}

// BenchmarkHandOff is a hand-off as relay makes it.
func BenchmarkHandOff(b *testing.B) { bench(b, viaHandOff, 1, 4, 16, 64) }

// BenchmarkHandOffClone is the same through a clone. Its name makes -bench HandOff run both.
func BenchmarkHandOffClone(b *testing.B) { bench(b, viaClone, 1, 4, 16, 64) }
