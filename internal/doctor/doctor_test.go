package doctor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/doctor"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
)

func TestAGoodWorldHasNoProblem(t *testing.T) {
	for _, r := range newWorld(t, nil).examine() {
		assert.Equal(t, doctor.OK, r.Status, "%s: %s", r.Check, r.Found)
		assert.NotEmpty(t, r.Found, r.Check)
		assert.Empty(t, r.Fix, r.Check)
	}
}

// fault is something that is wrong, and what doctor must say of it.
type fault struct {
	// before damages what the world is made of, damage the world.
	before, damage func(*world)
	check          string
	status         doctor.Status // Problem by default
	found, fix     string
}

var faults = map[string]fault{
	"no Pulumi CLI": {
		damage: func(w *world) { w.subject.Pulumi = "no-such-pulumi" },
		check:  "Pulumi CLI", found: "there is no no-such-pulumi on PATH", fix: "install the Pulumi CLI 3.200 or later",
	},
	"an old Pulumi CLI": {
		damage: func(w *world) { w.subject.Pulumi = w.pulumi("v3.199.9") },
		check:  "Pulumi CLI", found: "is version 3.199.9", fix: "install the Pulumi CLI 3.200 or later",
	},
	"a Pulumi CLI that is none": {
		damage: func(w *world) { w.subject.Pulumi = w.pulumi("hello") },
		check:  "Pulumi CLI", found: `"hello", which is no version`, fix: "install",
	},
	"no AWS credentials": {
		damage: func(w *world) { w.subject.State.Credentials = credentials.NewStaticCredentialsProvider("", "", "") },
		check:  "AWS credentials", found: "there are no AWS credentials", fix: "aws sso login",
	},
	"expired AWS credentials": {
		damage: func(w *world) { w.aws.Expire() },
		check:  "AWS credentials", found: "the AWS credentials have expired", fix: "sign in again",
	},
	"the wrong account": {
		damage: func(w *world) { w.subject.Account = "999999999999" },
		check:  "AWS account", found: "the credentials are of account 123456789012, qa is in 999999999999", fix: "use credentials of account 999999999999",
	},
	"no region": {
		damage: func(w *world) { w.subject.Machine = "" },
		check:  "AWS region", found: "no region is set", fix: "export AWS_REGION=eu-central-1",
	},
	"another region": {
		damage: func(w *world) { w.subject.Machine = "us-east-1" },
		check:  "AWS region", found: "the region is us-east-1, qa is in eu-central-1", fix: "export AWS_REGION=eu-central-1",
	},
	"a region that is not enabled": {
		damage: func(w *world) { w.aws.SetRegion(region, "not-opted-in") },
		check:  "AWS region", found: "region eu-central-1 is not enabled", fix: "aws account enable-region --region-name eu-central-1",
	},
	"a region that does not exist": {
		damage: func(w *world) {
			w.subject.Region, w.subject.Machine, w.subject.SecretsKey = "eu-moon-1", "eu-moon-1", ""
		},
		check: "AWS region", found: "there is no region eu-moon-1", fix: "mend region in Pulumi.qa.yaml",
	},
	"no state bucket": {
		damage: func(w *world) { w.subject.Backend = "s3://elsewhere" },
		check:  "state bucket", found: "there is no bucket elsewhere", fix: "step 2 of docs/bootstrap.md",
	},
	"a state without versions": {
		damage: func(w *world) { w.versions(types.BucketVersioningStatusSuspended) },
		check:  "state versions", found: "bucket shop-state keeps no versions", fix: "put-bucket-versioning --bucket shop-state",
	},
	"a state that is not encrypted": {
		damage: func(w *world) { w.aws.SetBucket(state, awssim.BucketSettings{Unencrypted: true}) },
		check:  "state encryption", found: "encrypts nothing", fix: "put-bucket-encryption --bucket shop-state",
	},
	"a state with a key that pipelines may not use": {
		damage: func(w *world) { w.aws.SetBucket(state, awssim.BucketSettings{Key: "arn:aws:kms:x:y:key/z"}) },
		check:  "state encryption", found: "arn:aws:kms:x:y:key/z, which the pipelines' roles may not use", fix: "AES256",
	},
	"a public state": {
		damage: func(w *world) { w.aws.SetBucket(state, awssim.BucketSettings{Open: true}) },
		check:  "state access", found: "may be made public", fix: "put-public-access-block --bucket shop-state",
	},
	"no secrets key": {
		damage: func(w *world) { w.aws.DeleteKey(secretsKey) },
		check:  "secrets key", found: "there is no key " + secretsKey, fix: "make it as step 2 of docs/bootstrap.md says, or mend secretsKey in Pulumi.qa.yaml",
	},
	"a disabled secrets key": {
		damage: func(w *world) { w.aws.PutKey(secretsKey, awssim.Key{State: "Disabled"}) },
		check:  "secrets key", found: "is Disabled", fix: "aws kms enable-key --key-id " + secretsKey,
	},
	"a secrets key that will be deleted": {
		damage: func(w *world) { w.aws.PutKey(secretsKey, awssim.Key{State: "PendingDeletion"}) },
		check:  "secrets key", found: "is PendingDeletion", fix: "aws kms cancel-key-deletion --key-id " + secretsKey + ", then aws kms enable-key --key-id " + secretsKey,
	},
	"a secrets key without material": {
		damage: func(w *world) { w.aws.PutKey(secretsKey, awssim.Key{State: "PendingImport"}) },
		check:  "secrets key", found: "is PendingImport", fix: "https://eu-central-1.console.aws.amazon.com/kms/home",
	},
	"a secrets key of another region": {
		damage: func(w *world) { w.subject.SecretsKey = "arn:aws:kms:eu-west-1:123456789012:key/1" },
		check:  "secrets key", found: "is in account 123456789012 and region eu-west-1, qa is in 123456789012 and eu-central-1", fix: "make a key there",
	},
	"a secrets key of another account": {
		damage: func(w *world) { w.subject.SecretsKey = "arn:aws:kms:eu-central-1:999999999999:key/1" },
		check:  "secrets key", found: "is in account 999999999999", fix: "mend secretsKey",
	},
	"a secrets key that is none": {
		damage: func(w *world) { w.subject.SecretsKey = "key/1" },
		check:  "secrets key", found: "key/1 is no ARN", fix: "mend secretsKey",
	},
	"a secrets key that may not be looked at": {
		damage: func(w *world) { w.aws.Deny("kms:DescribeKey") },
		check:  "secrets key", status: doctor.NotChecked, found: "DescribeKey may not be called", fix: "let your credentials call DescribeKey of KMS",
	},
	"secrets with a passphrase": {
		damage: func(w *world) { w.subject.SecretsKey = "" },
		check:  "secrets key", status: doctor.Note, found: "none is configured: a passphrase encrypts", fix: "pulumi stack change-secrets-provider awskms:///",
	},
	"no GitHub token": {
		damage: func(w *world) { w.subject.Hub.Token = "" },
		check:  "GitHub token", found: "GITHUB_TOKEN is not set", fix: "set GITHUB_TOKEN",
	},
	"an invalid GitHub token": {
		damage: func(w *world) { w.subject.Hub.Token = "wr0ng" },
		check:  "GitHub token", found: "GitHub refuses the token", fix: "set GITHUB_TOKEN",
	},
	"no App secret": {
		damage: func(w *world) { w.aws.DeleteSecret("shop/github") },
		check:  "GitHub App secret", found: "the secret is missing", fix: "put-secret-value --secret-id arn:aws:secretsmanager",
	},
	"an App secret that is no token": {
		damage: func(w *world) { w.aws.SetSecret("shop/github", `{"appId": "x"}`) },
		check:  "GitHub App secret", found: "it is not JSON with these keys alone", fix: "put-secret-value",
	},
	"an App secret that may not be read": {
		damage: func(w *world) { w.aws.Deny("secretsmanager:GetSecretValue") },
		check:  "GitHub App secret", status: doctor.NotChecked, found: "GetSecretValue may not be called", fix: "let your credentials call GetSecretValue",
	},
	"a key that is not the App's": {
		before: func(w *world) { w.app.ID = 5 },
		check:  "GitHub App", found: "401", fix: "compare appId, installationId and privateKey",
	},
	"another App than the rulesets let past": {
		damage: func(w *world) { w.subject.Hub.App = 70 },
		check:  "GitHub App", found: "the secret is App 7's, the rulesets let App 70 past", fix: "mend github.app",
	},
	"an App without a permission": {
		before: func(w *world) { w.app.Permissions = map[string]string{"contents": "read", "metadata": "read"} },
		check:  "GitHub App", found: "the App lacks contents: write, pull_requests: write", fix: "grant it in the App's settings, then accept it for acme",
	},
	"an App that is not installed on a repository": {
		before: func(w *world) { w.app.Repositories = []string{"software", "image"} },
		check:  "GitHub App", found: "it is not installed on infrastructure", fix: "select them for the App",
	},
	"a suspended App": {
		before: func(w *world) { w.app.Suspended = true },
		check:  "GitHub App", found: "suspended", fix: "unsuspend it",
	},
	"a plain token that GitHub does not know": {
		damage: func(w *world) { w.aws.SetSecret("shop/github", "gone") },
		check:  "GitHub App", found: "GitHub refuses the token in the secret", fix: "put a new one",
	},
	"a missing repository": {
		damage: func(w *world) { require.NoError(w, w.forge.DeleteRepository("devops")) },
		check:  "repositories", found: "missing, or not the token's to read: devops", fix: "pulumi up makes them (dev)",
	},
	"a missing branch": {
		damage: func(w *world) { w.subject.Hub.Repositories[1].Branch = "main2" },
		check:  "repositories", found: "there is no branch main2 of image", fix: "pulumi up --stack qa makes it",
	},
	"an archived repository": {
		damage: func(w *world) { require.NoError(w, w.forge.ArchiveRepository("software")) },
		check:  "repositories", found: "archived", fix: "unarchive",
	},
	"a missing tool": {
		damage: func(w *world) { w.subject.Tools[0].URI = "s3://tools/relay2" },
		check:  "tool relay", found: "there is nothing at s3://tools/relay2", fix: "relay publish",
	},
	"a tool with another digest": {
		damage: func(w *world) { require.NoError(w, w.aws.PutObject("tools", "relay", []byte("evil"))) },
		check:  "tool relay", found: "has the SHA-256 b5c1fb2e", fix: "relay publish",
	},
	"a pending connection": {
		damage: func(w *world) { w.aws.PutConnection(arn, awssim.Connection{Name: "shop-qa", Status: "PENDING"}) },
		check:  "connection", found: "connection shop-qa is PENDING", fix: "https://eu-central-1.console.aws.amazon.com/codesuite/settings/connections",
	},
	"no connection yet": {
		damage: func(w *world) { w.aws.DeleteConnection(arn) },
		check:  "connection", status: doctor.Note, found: "not there yet", fix: "pulumi up --stack qa",
	},
	"a certificate that waits for its DNS record": {
		damage: func(w *world) {
			w.aws.PutCertificate("arn:aws:acm:1", awssim.Certificate{Domain: "qa.shop.example.com", Status: "PENDING_VALIDATION"})
		},
		check: "certificate", found: "is PENDING_VALIDATION", fix: "make the DNS record _1a2b.qa.shop.example.com. CNAME _3c4d.acm-validations.aws.",
	},
	"a certificate that failed": {
		damage: func(w *world) {
			w.aws.PutCertificate("arn:aws:acm:1", awssim.Certificate{Domain: "qa.shop.example.com", Status: "FAILED"})
		},
		check: "certificate", found: "is FAILED", fix: "ask for a new one",
	},
	"a certificate that is not there": {
		damage: func(w *world) { w.subject.Domain, w.subject.Certificate = "", "arn:aws:acm:2" },
		check:  "certificate", found: "there is no certificate arn:aws:acm:2", fix: "mend certificate",
	},
	"no certificate yet": {
		damage: func(w *world) { w.aws.DeleteCertificate("arn:aws:acm:1") },
		check:  "certificate", status: doctor.Note, found: "nobody asked", fix: "waits for its DNS record",
	},
	"a lock of a process that is gone": {
		damage: func(w *world) { w.lock(ended(w.T)) },
		check:  "state lock", found: "which has ended", fix: "relay unlock qa",
	},
	"an update under way": {
		damage: func(w *world) { w.lock(os.Getpid()) },
		check:  "state lock", status: doctor.Note, found: "an update is under way: kim@",
	},
	"a hold": {
		damage: func(w *world) { w.commit("infrastructure", "hold", "v3 loses carts\n") },
		check:  "release", status: doctor.Note, found: "infrastructure is held: v3 loses carts", fix: "relay release-hold qa",
	},
	"too few VPCs": {
		damage: func(w *world) { w.aws.PutNetwork("vpc-1", nil); w.aws.SetQuota("L-F678F1CE", 1) },
		check:  "quotas", found: "qa needs 1 more VPCs, 1 of 1 are used", fix: "servicequotas",
	},
	"too few addresses": {
		damage: func(w *world) { w.addresses(4) },
		check:  "quotas", found: "2 more Elastic IP addresses, 4 of 5 are used (quota L-0263D0A3)", fix: "servicequotas",
	},
	"credentials that may not provision": {
		damage: func(w *world) { w.aws.Deny("ec2:CreateVpc") },
		check:  "permissions", found: "ec2:CreateVpc", fix: "administrator credentials",
	},
	"upstream is not provisioned": {
		damage: func(w *world) { w.subject.Upstream = "staging" },
		check:  "stacks", found: "stack staging is not provisioned, and qa reads it", fix: "pulumi up --stack staging, then --stack qa",
	},
}

func TestFaultsAreNamedWithTheirRemedy(t *testing.T) {
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, f.before)
			if f.damage != nil {
				f.damage(w)
			}
			want := f.status
			if want == "" {
				want = doctor.Problem
			}
			results := w.examine()
			var found *doctor.Result
			for i, r := range results {
				if r.Check == f.check {
					found = &results[i]
				}
				assert.NotContains(t, r.Found+r.Fix, "kims")
				assert.NotContains(t, r.Found+r.Fix, "wr0ng")
			}
			require.NotNil(t, found)
			assert.Equal(t, want, found.Status, found.Found)
			assert.Contains(t, found.Found, f.found)
			assert.Contains(t, found.Fix, f.fix)
			if want == doctor.Problem {
				assert.NotEmpty(t, found.Fix)
				assert.Equal(t, 1, doctor.Problems(results), "one fault is one problem: %+v", results)
			}
		})
	}
}

func TestWithItsNetworkAnEnvironmentNeedsNoQuota(t *testing.T) {
	w := newWorld(t, nil)
	w.aws.PutNetwork("vpc-1", map[string]string{"product": "shop", "environment": "qa"})
	w.aws.SetQuota("L-F678F1CE", 1)
	w.addresses(5)
	assert.Zero(t, doctor.Problems(w.examine()))
}

// TestAToolWithoutAChecksumIsHashed is for what was uploaded by other means than relay publish.
func TestAToolWithoutAChecksumIsHashed(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.aws.PutObject("tools", "relay", binary))
	assert.Zero(t, doctor.Problems(w.examine()))
}

func TestAStateOnThisMachine(t *testing.T) {
	w := newWorld(t, nil)
	dir := t.TempDir()
	w.subject.Backend = "file://" + dir
	status := func(check string) (doctor.Status, string) {
		for _, r := range w.examine() {
			if r.Check == check {
				return r.Status, r.Found
			}
		}
		return "", ""
	}
	got, found := status("stacks")
	assert.Equal(t, doctor.Problem, got, found)
	require.NoError(t, os.MkdirAll(dir+"/.pulumi/stacks/ha-devops", 0o755))
	for _, stack := range []string{"dev.json", "qa.json.gz"} {
		require.NoError(t, os.WriteFile(dir+"/.pulumi/stacks/ha-devops/"+stack, nil, 0o600))
	}
	got, found = status("stacks")
	assert.Equal(t, doctor.OK, got, found)
	got, _ = status("state versions")
	assert.Equal(t, doctor.NotChecked, got)
}

func TestACheckThatHangsIsNotChecked(t *testing.T) {
	results := doctor.Run(t.Context(), []doctor.Check{
		{Name: "slow", Run: func(ctx context.Context) doctor.Result {
			<-ctx.Done()
			return doctor.Result{Status: doctor.NotChecked, Found: ctx.Err().Error()}
		}},
		{Name: "next", Needs: []string{"slow"}},
	}, time.Millisecond)
	assert.Equal(t, "context deadline exceeded", results[0].Found)
	assert.Equal(t, doctor.Result{Check: "next", Status: doctor.NotChecked, Found: "it needs: slow"}, results[1])
}

// addresses uses so many Elastic IP addresses.
func (w *world) addresses(n int) {
	for i := range n {
		w.aws.PutAddress(fmt.Sprintf("eipalloc-%d", i))
	}
}

// lock takes the stack's lock as Pulumi does.
func (w *world) lock(pid int) {
	host, err := os.Hostname()
	require.NoError(w, err)
	text, err := json.Marshal(map[string]any{"pid": pid, "username": "kim", "hostname": host, "timestamp": time.Now()})
	require.NoError(w, err)
	require.NoError(w, w.aws.PutObject(state, ".pulumi/locks/organization/ha-devops/qa/1.json", text))
}

// ended is the ID of a process that has ended.
func ended(t *testing.T) int {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	return cmd.Process.Pid
}
