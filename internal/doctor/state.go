package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

// backend takes the backend's URL apart: the bucket is empty when it is not on S3.
func (s Subject) backend() (scheme, bucket, prefix string) {
	parsed, err := url.Parse(s.Backend)
	if err != nil {
		return "", "", ""
	}
	if parsed.Scheme != "s3" {
		return parsed.Scheme, "", parsed.Path
	}
	return parsed.Scheme, parsed.Host, strings.Trim(parsed.Path, "/")
}

func (s Subject) states() *s3.Client { return s3.NewFromConfig(s.State) }

func (s Subject) stateBucket(ctx context.Context) Result {
	scheme, bucket, folder := s.backend()
	switch {
	case scheme == "file":
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return problem(fmt.Sprintf("there is no folder %s", folder), "make it, or mend backend in Pulumi."+s.Environment+".yaml")
		}
		return ok("%s, on this machine", folder)
	case bucket == "":
		return notChecked("the state is at " + s.Backend)
	}
	_, err := s.states().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket})
	switch {
	case err == nil:
		return ok("s3://%s", bucket)
	case code(err) == "NotFound" || code(err) == "NoSuchBucket":
		return problem(fmt.Sprintf("there is no bucket %s", bucket), "make it as step 2 of docs/bootstrap.md says, or mend backend in Pulumi."+s.Environment+".yaml")
	case denied(err):
		return problem(fmt.Sprintf("bucket %s lets your credentials not in, or is another account's", bucket),
			"let them read and write below .pulumi/ in the bucket's policy, or choose another name for the bucket")
	case code(err) == "MovedPermanently" || code(err) == "PermanentRedirect":
		return problem(fmt.Sprintf("bucket %s is in another region than %s", bucket, s.State.Region), "add ?region=<its region> to backend in Pulumi."+s.Environment+".yaml")
	}
	return asked(err)
}

// onS3 carries a check out that only a bucket can pass.
func (s Subject) onS3(check func(bucket string) Result) Result {
	_, bucket, _ := s.backend()
	if bucket == "" {
		return notChecked("the state is not on S3")
	}
	return check(bucket)
}

func (s Subject) stateVersions(ctx context.Context) Result {
	return s.onS3(func(bucket string) Result {
		out, err := s.states().GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket})
		if err != nil {
			return asked(err)
		}
		if out.Status != types.BucketVersioningStatusEnabled {
			return problem(fmt.Sprintf("bucket %s keeps no versions: a lost state could not be restored", bucket),
				fmt.Sprintf("aws s3api put-bucket-versioning --bucket %s --versioning-configuration Status=Enabled", bucket))
		}
		return ok("kept")
	})
}

// stateEncryption wants S3's own key: the pipelines' roles may not use another (docs/bootstrap.md).
func (s Subject) stateEncryption(ctx context.Context) Result {
	return s.onS3(func(bucket string) Result {
		mend := fmt.Sprintf("aws s3api put-bucket-encryption --bucket %s --server-side-encryption-configuration "+
			`'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'`, bucket)
		out, err := s.states().GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &bucket})
		if code(err) == "ServerSideEncryptionConfigurationNotFoundError" {
			return problem(fmt.Sprintf("bucket %s encrypts nothing by default", bucket), mend)
		}
		if err != nil {
			return asked(err)
		}
		for _, rule := range out.ServerSideEncryptionConfiguration.Rules {
			if by := rule.ApplyServerSideEncryptionByDefault; by != nil && by.KMSMasterKeyID != nil {
				return problem(fmt.Sprintf("bucket %s encrypts with %s, which the pipelines' roles may not use", bucket, *by.KMSMasterKeyID), mend)
			}
		}
		return ok("by default")
	})
}

func (s Subject) stateAccess(ctx context.Context) Result {
	return s.onS3(func(bucket string) Result {
		mend := fmt.Sprintf("aws s3api put-public-access-block --bucket %s --public-access-block-configuration "+
			"BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true", bucket)
		out, err := s.states().GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &bucket})
		if code(err) == "NoSuchPublicAccessBlockConfiguration" {
			return problem(fmt.Sprintf("bucket %s may be made public", bucket), mend)
		}
		if err != nil {
			return asked(err)
		}
		b := out.PublicAccessBlockConfiguration
		if !aws.ToBool(b.BlockPublicAcls) || !aws.ToBool(b.IgnorePublicAcls) || !aws.ToBool(b.BlockPublicPolicy) || !aws.ToBool(b.RestrictPublicBuckets) {
			return problem(fmt.Sprintf("bucket %s blocks only some public access", bucket), mend)
		}
		return ok("nothing public")
	})
}

// stateLock looks for a lock whose owner has ended. Of a process on another machine only a deployment's lease tells.
func (s Subject) stateLock(ctx context.Context) Result {
	locks, err := statelock.Of(s.Backend, s.Project, s.Environment, s.states())
	if err != nil {
		return notChecked(err.Error())
	}
	held, err := locks.List(ctx)
	if err != nil {
		return asked(err)
	}
	if len(held) == 0 {
		return ok("free")
	}
	lock := held[0]
	gone := owner.Ended(lock.Hostname, lock.PID)
	if !gone {
		gone = s.deploymentOver(ctx, lock)
	}
	if gone {
		return problem(fmt.Sprintf("the lock is held by %s, which has ended", lock), "relay unlock "+s.Environment)
	}
	return note("an update is under way: %s", lock)
}

// deploymentOver says that the lock is of a deployment whose build is over. What cannot be asked is not over.
func (s Subject) deploymentOver(ctx context.Context, lock statelock.Lock) bool {
	records := deployment.Records{S3: s3.NewFromConfig(s.Cloud), Bucket: s.Bucket, Environment: s.Environment}
	lease, found, err := records.Holder(ctx)
	if err != nil || !found || lease.Hostname != lock.Hostname || lock.Timestamp.Before(lease.Since) {
		return false
	}
	gone, err := owner.Owners{Builds: codebuild.NewFromConfig(s.Cloud)}.Gone(ctx, lease)
	return err == nil && gone
}

// stacks says whether the environment and the one before it are provisioned.
func (s Subject) stacks(ctx context.Context) Result {
	if s.Upstream != "" {
		switch there, err := s.provisioned(ctx, s.Upstream); {
		case err != nil:
			return asked(err)
		case !there:
			return problem(fmt.Sprintf("stack %s is not provisioned, and %s reads it", s.Upstream, s.Environment),
				fmt.Sprintf("pulumi up --stack %s, then --stack %s", s.Upstream, s.Environment))
		}
	}
	there, err := s.provisioned(ctx, s.Environment)
	if err != nil {
		return asked(err)
	}
	if !there {
		return Result{Status: Note, Found: fmt.Sprintf("stack %s is not provisioned yet", s.Environment), Fix: "pulumi up --stack " + s.Environment}
	}
	return ok("%s is provisioned", s.Environment)
}

// provisioned says whether a stack has a state. Pulumi keeps it at .pulumi/stacks/<project>/<stack>.json, which it compresses on demand
// (pulumi/pulumi, pkg/backend/diy/store.go).
func (s Subject) provisioned(ctx context.Context, stack string) (bool, error) {
	scheme, bucket, folder := s.backend()
	for _, ending := range []string{".json", ".json.gz", ".json.zst"} {
		name := path.Join(folder, ".pulumi/stacks", s.Project, stack) + ending
		var err error
		switch {
		case bucket != "":
			_, err = s.states().HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &name})
			if code(err) == "NotFound" || code(err) == "NoSuchKey" {
				err = fs.ErrNotExist
			}
		case scheme == "file":
			_, err = os.Stat(filepath.FromSlash(name))
		default:
			return false, fmt.Errorf("the state is at %s", s.Backend)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}
