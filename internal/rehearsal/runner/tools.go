package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// AWSArgument is the first argument with which the stand-in for the AWS CLI calls its program back: the program passes
// the arguments after it to AWSMain.
const AWSArgument = "__aws"

// InstallTools writes into dir, which is to stand first on the PATH of builds, an executable aws that calls the program
// self with AWSArgument. It is for machines without the AWS CLI; where there is one, leave it its place.
func InstallTools(dir, self string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("#!/bin/sh\nexec %s %s \"$@\"\n", quote(self), AWSArgument)
	return os.WriteFile(filepath.Join(dir, "aws"), []byte(text), 0o755)
}

// AWSMain is the part of the AWS CLI that buildspecs use: `aws s3 cp SOURCE DESTINATION`, one of them an s3:// address. The
// settings come from the environment as for every AWS SDK. It returns the exit status, the AWS CLI's 252 for bad usage.
func AWSMain(ctx context.Context, args []string, stderr io.Writer) int {
	var words []string
	for _, arg := range args {
		switch {
		case !strings.HasPrefix(arg, "--"):
			words = append(words, arg)
		case arg != "--no-progress" && arg != "--only-show-errors" && arg != "--quiet":
			fmt.Fprintf(stderr, "aws: the option %s is not simulated\n", arg)
			return 252
		}
	}
	if len(words) != 4 || words[0] != "s3" || words[1] != "cp" {
		fmt.Fprintf(stderr, "aws: %q is not simulated; only aws s3 cp SOURCE DESTINATION is\n", args)
		return 252
	}
	if err := copyObject(ctx, words[2], words[3]); err != nil {
		fmt.Fprintf(stderr, "aws: s3 cp %s %s: %v\n", words[2], words[3], err)
		return 1
	}
	return 0
}

func copyObject(ctx context.Context, from, to string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		// A bucket's own host name does not lead to an endpoint on loopback.
		o.UsePathStyle = os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	})
	fromBucket, fromKey, download := object(from)
	toBucket, toKey, upload := object(to)
	switch {
	case download && !upload:
		return get(ctx, client, fromBucket, fromKey, to)
	case upload && !download:
		if toKey == "" || strings.HasSuffix(toKey, "/") {
			toKey += filepath.Base(from)
		}
		file, err := os.Open(from)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: &toBucket, Key: &toKey, Body: file})
		return err
	default:
		return errors.New("exactly one of them must be an s3:// address")
	}
}

func get(ctx context.Context, client *s3.Client, bucket, key, to string) error {
	if info, err := os.Stat(to); err == nil && info.IsDir() || strings.HasSuffix(to, "/") {
		to = filepath.Join(to, filepath.Base(key))
	}
	found, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		return err
	}
	defer found.Body.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, found.Body); err != nil {
		return errors.Join(err, file.Close())
	}
	return file.Close()
}

func object(address string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(address, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	return bucket, key, ok
}
