package awssim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// CreateBucket makes an empty bucket; that it exists already is an error.
func (a *Account) CreateBucket(name string) error {
	if err := a.buckets.CreateBucket(name); err != nil {
		return fmt.Errorf("creating bucket %q: %w", name, err)
	}
	return nil
}

// DeleteBucket deletes a bucket. One that is not empty is refused, as S3 does, unless force is set.
func (a *Account) DeleteBucket(name string, force bool) error {
	remove := a.buckets.DeleteBucket
	if force {
		remove = a.buckets.ForceDeleteBucket
	}
	if err := remove(name); err != nil {
		return fmt.Errorf("deleting bucket %q: %w", name, err)
	}
	return nil
}

// BucketExists says whether there is a bucket of this name.
func (a *Account) BucketExists(name string) bool {
	exists, _ := a.buckets.BucketExists(name) // the memory backend has no errors here
	return exists
}

// PutObject writes an object, over an existing one if need be.
func (a *Account) PutObject(bucket, key string, content []byte) error {
	_, err := a.buckets.PutObject(bucket, key, map[string]string{}, bytes.NewReader(content), int64(len(content)), nil)
	if err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

// GetObject returns the content of an object.
func (a *Account) GetObject(bucket, key string) ([]byte, error) {
	object, err := a.buckets.GetObject(bucket, key, nil)
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", bucket, key, err)
	}
	defer object.Contents.Close()
	return io.ReadAll(object.Contents)
}

// Objects are the contents of all objects, by "<bucket>/<key>".
func (a *Account) Objects() (map[string][]byte, error) {
	all := map[string][]byte{}
	buckets, _ := a.buckets.ListBuckets() // the memory backend has no errors here
	for _, bucket := range buckets {
		objects, err := a.buckets.ListBucket(bucket.Name, nil, gofakes3.ListBucketPage{})
		if err != nil {
			return nil, err
		}
		for _, object := range objects.Contents {
			if all[bucket.Name+"/"+object.Key], err = a.GetObject(bucket.Name, object.Key); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// DumpBuckets writes every object to dir/<bucket>/<key>. A key that leads out of its bucket's folder is an error.
func (a *Account) DumpBuckets(dir string) error {
	buckets, _ := a.buckets.ListBuckets() // the memory backend has no errors here
	for _, bucket := range buckets {
		if err := a.dumpBucket(bucket.Name, filepath.Join(dir, bucket.Name)); err != nil {
			return fmt.Errorf("dumping bucket %q: %w", bucket.Name, err)
		}
	}
	return nil
}

func (a *Account) dumpBucket(bucket, dir string) error {
	objects, err := a.buckets.ListBucket(bucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, object := range objects.Contents {
		content, err := a.GetObject(bucket, object.Key)
		if err != nil {
			return err
		}
		if err := writeBelow(root, object.Key, content); err != nil {
			return err
		}
	}
	return nil
}

// writeBelow writes a file and the folders that lead to it, without leaving root.
func writeBelow(root *os.Root, name string, content []byte) error {
	if strings.HasSuffix(name, "/") { // the marker of an empty folder
		return root.MkdirAll(filepath.Clean(name), 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, content, 0o644)
}

// s3Queries are the query parameters of the requests that gofakes3 understands. It takes a request with any other (?policy,
// ?tagging) for the plain one, which would be an answer to another question.
var s3Queries = map[string]bool{
	"uploads": true, "uploadId": true, "partNumber": true, "versioning": true, "versions": true, "versionId": true,
	"location": true, "delete": true, "list-type": true, "prefix": true, "delimiter": true, "marker": true, "max-keys": true,
	"start-after": true, "continuation-token": true, "fetch-owner": true, "encoding-type": true, "key-marker": true,
	"version-id-marker": true, "upload-id-marker": true, "max-uploads": true, "max-parts": true, "part-number-marker": true,
	"x-id": true,
}

func (a *Account) serveS3(w http.ResponseWriter, r *http.Request) {
	if a.serveSettings(w, r) {
		return
	}
	for query := range r.URL.Query() {
		if !s3Queries[query] && !strings.HasPrefix(query, "X-Amz-") && !strings.HasPrefix(query, "response-") {
			writeS3Error(w, untaught("NotImplemented", "s3", r.Method+" ?"+query))
			return
		}
	}
	a.s3.ServeHTTP(&checksumWriter{ResponseWriter: w, hidden: reads(r) && r.Header.Get("X-Amz-Checksum-Mode") != "ENABLED"}, r)
}

// checksumWriter takes back checksums that do not describe the body: those without a value, and, in answer to a request for
// a range, those of the whole object, which the SDKs would hold against the part. It hides them from those who did not ask.
type checksumWriter struct {
	http.ResponseWriter
	hidden bool
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func (w *checksumWriter) WriteHeader(status int) {
	for key, values := range w.Header() {
		if strings.HasPrefix(key, checksumPrefix) && (w.hidden || values[0] == "" || status == http.StatusPartialContent) {
			w.Header().Del(key)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *checksumWriter) Write(b []byte) (int, error) {
	for key, values := range w.Header() {
		if strings.HasPrefix(key, checksumPrefix) && (w.hidden || values[0] == "") {
			w.Header().Del(key)
		}
	}
	return w.ResponseWriter.Write(b)
}

const checksumPrefix = "X-Amz-Checksum-"

// store is gofakes3's memory, with checksums that hold. The original keeps those that a client sent, without a look at
// them, also when somebody else overwrites the object with other content.
type store struct{ *s3mem.Backend }

func newStore() *store { return &store{s3mem.New()} }

// PutObject implements gofakes3.Backend.
func (s *store) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64,
	conditions *gofakes3.PutConditions,
) (gofakes3.PutObjectResult, error) {
	content, err := gofakes3.ReadAll(input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(content)))
	if claimed := meta[checksumPrefix+"Crc32"]; claimed != "" && claimed != sum {
		return gofakes3.PutObjectResult{}, gofakes3.ErrBadDigest
	}
	digest := sha256.Sum256(content)
	if claimed := meta[checksumPrefix+"Sha256"]; claimed != "" && claimed != base64.StdEncoding.EncodeToString(digest[:]) {
		return gofakes3.PutObjectResult{}, gofakes3.ErrBadDigest
	}
	meta[checksumPrefix+"Crc32"] = sum
	meta["Last-Modified"] = time.Now().UTC().Format(http.TimeFormat)
	for _, other := range []string{"Crc32c", "Crc64nvme", "Sha1", "Sha256", "Type"} {
		if _, ok := meta[checksumPrefix+other]; !ok {
			meta[checksumPrefix+other] = "" // or the overwritten object's one would be kept
		}
	}
	return s.Backend.PutObject(bucket, key, meta, bytes.NewReader(content), int64(len(content)), conditions)
}

// CopyObject implements gofakes3.Backend.
func (s *store) CopyObject(srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(s, srcBucket, srcKey, dstBucket, dstKey, meta)
}
