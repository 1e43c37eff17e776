package artifact_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/artifact"
)

// sink is an S3 that checks what it gets and keeps none of it: objects of many gigabytes do not fit into the memory of a simulator. It
// knows PutObject with If-None-Match, and uploads in parts.
type sink struct {
	mu      sync.Mutex
	objects map[string]bool
	bytes   int64
	parts   map[string]string // by number, of the one upload
}

func (s *sink) stored() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s.mu.Lock()
	exists := s.objects[r.URL.Path]
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		s.mu.Lock()
		s.parts = map[string]string{}
		s.mu.Unlock()
		fmt.Fprint(w, `<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
	case r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" && exists:
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		etag, err := s.take(r)
		if err != nil {
			fail(w, http.StatusBadRequest, "BadDigest")
			return
		}
		s.mu.Lock()
		if number := query.Get("partNumber"); number != "" {
			s.parts[number] = etag
		} else {
			s.keep(r.URL.Path)
		}
		s.mu.Unlock()
		w.Header().Set("ETag", etag)
	case r.Method == http.MethodPost && query.Get("uploadId") == "u":
		s.mu.Lock()
		defer s.mu.Unlock()
		for number := range len(s.parts) {
			if s.parts[fmt.Sprint(number+1)] == "" {
				fail(w, http.StatusBadRequest, "InvalidPart")
				return
			}
		}
		s.keep(r.URL.Path)
		fmt.Fprint(w, `<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>`)
	default:
		fail(w, http.StatusNotImplemented, "NotImplemented")
	}
}

// keep marks an object as there. The caller holds mu.
func (s *sink) keep(path string) {
	if s.objects == nil {
		s.objects = map[string]bool{}
	}
	s.objects[path] = true
}

// take reads a body and holds it against its length and the checksum that comes with it; one must.
func (s *sink) take(r *http.Request) (etag string, err error) {
	sha, crc := sha256.New(), crc32.NewIEEE()
	n, err := io.Copy(io.MultiWriter(sha, crc), r.Body)
	if err != nil {
		return "", err
	}
	sums := map[string]string{
		"X-Amz-Content-Sha256":  hex.EncodeToString(sha.Sum(nil)),
		"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sha.Sum(nil)),
		"X-Amz-Checksum-Crc32":  base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc.Sum32())),
	}
	checked := false
	for header, sum := range sums {
		if claimed := r.Header.Get(header); claimed != "" {
			if claimed != sum {
				return "", fmt.Errorf("%s is %s, not %s", header, sum, claimed)
			}
			checked = true
		}
	}
	if !checked || n != r.ContentLength {
		return "", fmt.Errorf("%d of %d bytes, checked: %v", n, r.ContentLength, checked)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += n
	return `"` + hex.EncodeToString(sha.Sum(nil)[:16]) + `"`, nil
}

func fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
}

func TestTheBenchmarksSinkChecksWhatItGets(t *testing.T) {
	s := &sink{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := benchClient(server.URL)
	good, other := object("k", "content"), object("k2", "content")
	require.NoError(t, artifact.Upload(t.Context(), client, good))
	other.Digest = object("k", "CONTENT").Digest
	require.ErrorContains(t, artifact.Upload(t.Context(), client, other), "BadDigest")
	require.ErrorContains(t, artifact.Upload(t.Context(), client, good), "it is there")

	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	require.NoError(t, file.Truncate(20<<20))
	stdin := os.Stdin
	t.Cleanup(func() { os.Stdin = stdin })
	os.Stdin = file
	before := s.stored()
	require.NoError(t, uploadStdin(t.Context(), client))
	require.Equal(t, int64(20<<20), s.stored()-before)
	require.Len(t, s.parts, 3)
}
