package review

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Objects is the part of S3 that reviews need.
type Objects interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Store is the folder of a bucket in which reviews lie.
type Store struct {
	S3     Objects
	Bucket string
}

// attempts is how often one pipeline execution may be reviewed again before something must be wrong.
const attempts = 20

// Save uploads a review and returns the s3:// address of its folder and the manifest's digest. Nothing is ever overwritten: when a
// stage is retried, its review lies beside the earlier one. The manifest comes last, so that a folder with a manifest is complete.
func (s Store) Save(ctx context.Context, r Review) (uri, digest string, err error) {
	manifest, err := r.Encode()
	if err != nil {
		return "", "", err
	}
	for attempt := 1; attempt <= attempts; attempt++ {
		folder := fmt.Sprintf("reviews/%s/%s/%s/", r.Environment, r.Commit, r.Execution)
		if attempt > 1 {
			folder = fmt.Sprintf("%s-%d/", strings.TrimSuffix(folder, "/"), attempt)
		}
		// The plan claims the folder.
		err := s.put(ctx, folder+PlanFile, r.Contents[PlanFile])
		if isTaken(err) {
			continue
		}
		if err != nil {
			return "", "", err
		}
		for _, name := range slices.Sorted(maps.Keys(r.Contents)) {
			if name == PlanFile {
				continue
			}
			if err := s.add(ctx, folder+name, r.Contents[name]); err != nil {
				return "", "", err
			}
		}
		return "s3://" + s.Bucket + "/" + folder, Digest(manifest), s.add(ctx, folder+ManifestFile, manifest)
	}
	return "", "", fmt.Errorf("s3://%s: execution %s has %d reviews already; release the pipeline again", s.Bucket, r.Execution, attempts)
}

// Load reads the review in a folder back: its manifest, which must have the approved digest, and all files that the manifest names,
// which must have theirs. Its error wraps a *Refusal for each that has not.
func (s Store) Load(ctx context.Context, uri, digest string) (Review, error) {
	m, err := s.Manifest(ctx, uri, digest)
	if err != nil {
		return Review{}, err
	}
	r := Review{Manifest: m, Contents: map[string][]byte{}}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		content, err := s.File(ctx, uri, m, name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		r.Contents[name] = content
	}
	return r, errors.Join(problems...)
}

// Manifest reads the manifest of the review in a folder, which must have the given digest.
func (s Store) Manifest(ctx context.Context, uri, digest string) (Manifest, error) {
	folder, ok := strings.CutPrefix(uri, "s3://"+s.Bucket+"/")
	if !ok || !strings.HasSuffix(folder, "/") {
		return Manifest{}, fmt.Errorf("review %s: expected a folder of s3://%s/", uri, s.Bucket)
	}
	content, err := s.get(ctx, folder+ManifestFile)
	if err != nil {
		return Manifest{}, err
	}
	m, err := ParseManifest(content, digest)
	if err != nil {
		return m, fmt.Errorf("review %s: %w", uri, err)
	}
	return m, nil
}

// File reads one of the files that the manifest of the review in a folder names, which must have the manifest's digest.
func (s Store) File(ctx context.Context, uri string, m Manifest, name string) ([]byte, error) {
	content, err := s.get(ctx, strings.TrimPrefix(uri, "s3://"+s.Bucket+"/")+name)
	if err != nil {
		return nil, err
	}
	if found := Digest(content); found != m.Files[name] {
		return nil, &Refusal{What: "digest of " + uri + name, Expected: m.Files[name] + ", as reviewed", Found: found, Remedy: again}
	}
	return content, nil
}

var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".json": "application/json",
	".xml": "application/xml", ".sarif": "application/sarif+json",
}

func (s Store) put(ctx context.Context, key string, content []byte) error {
	sum := sha256.Sum256(content)
	_, err := s.S3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(content), IfNoneMatch: aws.String("*"),
		ContentType:    aws.String(contentTypes[key[strings.LastIndex(key, "."):]]),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", s.Bucket, key, err)
	}
	return nil
}

// add writes a file into a folder that is claimed. When S3 refuses, because the answer to an earlier try was lost, the file is there.
func (s Store) add(ctx context.Context, key string, content []byte) error {
	err := s.put(ctx, key, content)
	if !isTaken(err) {
		return err
	}
	if there, problem := s.get(ctx, key); problem != nil || !bytes.Equal(there, content) {
		return errors.Join(err, problem)
	}
	return nil
}

func (s Store) get(ctx context.Context, key string) ([]byte, error) {
	out, err := s.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: &key})
	var missing *types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, &Refusal{What: "s3://" + s.Bucket + "/" + key, Expected: "a file of the review", Found: "nothing", Remedy: again}
	}
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", s.Bucket, key, err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", s.Bucket, key, err)
	}
	return content, nil
}

// isTaken says that S3 refused to overwrite an object (Amazon S3 User Guide, "Conditional writes").
func isTaken(err error) bool {
	var problem smithy.APIError
	return errors.As(err, &problem) && problem.ErrorCode() == "PreconditionFailed"
}
