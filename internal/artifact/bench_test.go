package artifact_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

// The variables that make this test binary a process that packs or uploads, so that its memory can be measured by itself.
const (
	childRole     = "ARTIFACT_BENCH_ROLE"
	childTree     = "ARTIFACT_BENCH_TREE"
	childEndpoint = "ARTIFACT_BENCH_ENDPOINT"
)

func TestMain(m *testing.M) {
	children := map[string]func(context.Context, *s3.Client) error{"relay": packAndUpload, "plain": uploadStdin}
	child, ok := children[os.Getenv(childRole)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), benchClient(os.Getenv(childEndpoint))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func benchClient(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: "eu-central-1", UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
}

// packAndUpload does what relay build does: pack into a file, which gives the digest that S3 is told beforehand, and upload that.
func packAndUpload(ctx context.Context, client *s3.Client) error {
	tree := os.Getenv(childTree)
	file, err := os.CreateTemp(filepath.Dir(tree), "relay-*.tar.gz")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	paths, err := artifact.Walk(tree)
	if err != nil {
		return err
	}
	digest, err := artifact.Pack(tree, paths, nil, file)
	if err != nil {
		return err
	}
	return artifact.Upload(ctx, client, artifact.Object{
		Bucket: "shop-dev", Key: "software/relay.tar.gz", ContentType: "application/gzip", Digest: digest, Body: file,
	})
}

// uploadStdin is the plain way for a stream of unknown length: parts of 8 MiB, which is what the aws command line takes, too.
func uploadStdin(ctx context.Context, client *s3.Client) error {
	bucket, key := aws.String("shop-dev"), aws.String("software/plain.tar.gz")
	upload, err := client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	buffer := make([]byte, 8<<20)
	for number := int32(1); ; number++ {
		n, err := io.ReadFull(os.Stdin, buffer)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		part, err := client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: &number, Body: bytes.NewReader(buffer[:n]),
		})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{ETag: part.ETag, PartNumber: &number})
	}
	_, err = client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

// BenchmarkPack packs and uploads a tree of $PACK_MB megabytes (1024 if unset): half of it in files of 1 to 32 KiB, half in files of 16
// to 64 MiB, three quarters of either text and one quarter bytes that do not compress. MB/s are those of the tree; peak-MB is the
// largest resident set of the process that packs or uploads. tar-czf is `tar -czf -` piped to a plain upload in parts, tar-czf-aws the
// same piped to the aws command line, where there is one; their peak-MB does not count tar and gzip.
func BenchmarkPack(b *testing.B) {
	megabytes, err := strconv.Atoi(envOr("PACK_MB", "1024"))
	require.NoError(b, err, "PACK_MB")
	tree := filepath.Join(b.TempDir(), "tree")
	size := grow(b, tree, int64(megabytes)<<20)
	self, err := os.Executable()
	require.NoError(b, err)

	bench := func(name string, command []string, role string, source func() *exec.Cmd) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			var peak, stored int64
			for b.Loop() {
				sink := &sink{}
				server := httptest.NewServer(sink)
				cmd := exec.Command(command[0], command[1:]...)
				cmd.Env = append(os.Environ(), childRole+"="+role, childTree+"="+tree, childEndpoint+"="+server.URL, "AWS_ENDPOINT_URL="+server.URL,
					"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_REGION=eu-central-1")
				cmd.Stderr = os.Stderr
				peak = max(peak, carryOut(b, cmd, source))
				server.Close()
				stored = sink.stored()
			}
			if role == "relay" && peak > 64e6 {
				b.Errorf("packing took %d bytes of memory, more than 64 MB", peak)
			}
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
			b.ReportMetric(float64(stored)/1e6, "packed-MB")
		})
	}
	tarball := func() *exec.Cmd { return exec.Command("tar", "-czf", "-", "-C", tree, ".") }
	bench("relay", []string{self}, "relay", nil)
	bench("tar-czf", []string{self}, "plain", tarball)
	if cli, err := exec.LookPath("aws"); err == nil {
		bench("tar-czf-aws", []string{cli, "s3", "cp", "--only-show-errors", "-", "s3://shop-dev/software/aws.tar.gz"}, "", tarball)
	}
}

// carryOut runs a command, with the output of the source, if there is one, as its input, and returns its peak memory in bytes.
func carryOut(b *testing.B, cmd *exec.Cmd, source func() *exec.Cmd) int64 {
	var from *exec.Cmd
	if source != nil {
		from = source()
		var err error
		cmd.Stdin, err = from.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, from.Start())
	}
	require.NoError(b, cmd.Start())
	done, peak := make(chan struct{}), make(chan int64)
	go watch(cmd.Process.Pid, done, peak)
	err := cmd.Wait()
	close(done)
	require.NoError(b, err)
	if from != nil {
		require.NoError(b, from.Wait())
	}
	return <-peak
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watch reads a process's high-water mark of resident memory until it has ended. The one that wait4 reports is no measure: it begins
// with that of the process which forked (getrusage(2), ru_maxrss is kept over execve).
func watch(pid int, done <-chan struct{}, peak chan<- int64) {
	var most int64
	for tick := time.Tick(10 * time.Millisecond); ; {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if match := highWater.FindSubmatch(status); match != nil {
			kilobytes, _ := strconv.ParseInt(string(match[1]), 10, 64)
			most = max(most, kilobytes<<10)
		}
		select {
		case <-done:
			peak <- most
			return
		case <-tick:
		}
	}
}

func envOr(name, value string) string {
	if set := os.Getenv(name); set != "" {
		return set
	}
	return value
}

// grow writes the tree and returns the bytes in it.
func grow(b *testing.B, dir string, size int64) int64 {
	b.Helper()
	random := rand.New(rand.NewChaCha8([32]byte{}))
	words := make([]string, 4096)
	for i := range words {
		words[i] = strings.Repeat(string(rune('a'+random.IntN(26))), 1+random.IntN(2)) + strconv.FormatUint(random.Uint64(), 36)[:2+random.IntN(8)]
	}
	text := make([]byte, 0, 8<<20)
	for len(text) < cap(text)-32 {
		text = append(append(text, words[int(random.ExpFloat64()*400)%len(words)]...), " \n"[random.IntN(12)/11])
	}
	noise := make([]byte, 8<<20)
	chacha := rand.NewChaCha8([32]byte{1})
	_, _ = chacha.Read(noise)
	fill := func(n int64) []byte {
		pool := text
		if random.IntN(4) == 0 {
			pool = noise
		}
		content := make([]byte, 0, n)
		for int64(len(content)) < n {
			from := random.IntN(len(pool) / 2)
			content = append(content, pool[from:from+int(min(n-int64(len(content)), int64(1+random.IntN(1<<20))))]...)
		}
		return content
	}
	var written int64
	for i := 0; written < size; i++ {
		n, name := int64(1<<10+random.IntN(31<<10)), fmt.Sprintf("src/%03d/file-%06d", i%500, i)
		if written >= size/2 {
			n, name = int64(16<<20+random.IntN(48<<20)), fmt.Sprintf("assets/large-%03d", i)
		}
		n = min(n, size-written)
		full := filepath.Join(dir, name)
		require.NoError(b, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(b, os.WriteFile(full, fill(n), 0o644))
		written += n
	}
	return written
}
