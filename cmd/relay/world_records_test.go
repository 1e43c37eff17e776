package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// stateBucket is where the scripts' configuration has Pulumi's state.
const stateBucket = "shop-pulumi-state"

func objects(ts *testscript.TestScript) *s3.Client {
	endpoint := ts.Getenv("AWS_ENDPOINT_URL")
	return s3.New(s3.Options{
		BaseEndpoint: &endpoint, Region: region, UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
}

func recordsOf(ts *testscript.TestScript, environment string) deployment.Records {
	return deployment.Records{S3: objects(ts), Bucket: factsOf(environment).Bucket(), Environment: environment}
}

func headOf(ts *testscript.TestScript, environment string) string {
	return must(ts, filepath.Join(of(ts).repos, "acme", "infrastructure.git"), "rev-parse", environment)
}

// reviewed has the next run of the infrastructure pipeline review something: reviewed ENV AMI TAG AUTHOR [expired]. $DIGEST becomes the
// review's digest, $SHORT its first 12 digits.
func reviewed(ts *testscript.TestScript, _ bool, args []string) {
	environment := args[0]
	f := factsOf(environment)
	contents := map[string][]byte{}
	for _, name := range []string{review.PlanFile, review.PreviewFile, review.PageFile, review.ReportFile, review.JUnitFile, review.SARIFFile} {
		contents[name] = []byte("the content of " + name)
	}
	contents[review.MarkdownFile] = []byte("# The report\n\n1 to update\n")
	expires := time.Now().Add(time.Hour)
	if len(args) > 4 {
		expires = time.Now().Add(-time.Hour)
	}
	head := headOf(ts, environment)
	made := review.New(review.Manifest{
		Product: "shop", Environment: environment, Commit: head, Execution: "e-1", State: strings.Repeat("ab", 32), Relay: strings.Repeat("cd", 32),
		Pulumi: "3.255.0", Summary: "1 to update", Changes: 1, Authors: []string{args[3]}, To: report.Release{AMI: args[1], ArtifactTag: args[2]},
		Created: time.Now(), Expires: expires,
	}, contents)
	uri, digest, err := review.Store{S3: objects(ts), Bucket: f.Bucket()}.Save(context.Background(), made)
	ts.Check(err)
	writeStep(ts, f.Project(pipelines.Infrastructure, "Review"), shell(vars.Write(vars.Reviewed{
		URI: uri, Digest: digest, Report: "https://console.example.com/" + digest, Summary: made.Summary, Changes: "1",
	})))
	ts.Setenv("DIGEST", digest)
	ts.Setenv("SHORT", digest[:12])
	ts.Setenv("REVIEW", strings.TrimPrefix(uri, "s3://"+f.Bucket()+"/"))
}

// record has a deployment recorded of the newest commit: record ENV AMI TAG OUTCOME [REASON…].
func record(ts *testscript.TestScript, _ bool, args []string) {
	at := time.Now().UTC()
	result := deployment.Result{
		Outcome: deployment.Outcome(args[3]), Review: review.Digest([]byte(fmt.Sprint(args, at))), ApprovedBy: identities()["kim"], ApprovedAt: &at,
		Comment: "seen in dev", Commit: headOf(ts, args[0]), Execution: "e-9", To: report.Release{AMI: args[1], ArtifactTag: args[2]},
		Reason: strings.Join(args[4:], " "), At: at,
	}
	if result.Outcome == deployment.RolledBack {
		result.From, result.To = result.To, report.Release{AMI: "ami-00000000"}
	}
	ts.Check(recordsOf(ts, args[0]).End(context.Background(), result))
}

// outputs writes a stack's state: outputs ENV KEY=VALUE….
func writeOutputs(ts *testscript.TestScript, _ bool, args []string) {
	values := m{"account": account}
	for _, pair := range args[1:] {
		key, value, _ := strings.Cut(pair, "=")
		values[key] = value
	}
	putState(ts, "stacks/ha-devops/"+args[0]+".json", m{"version": 3, "checkpoint": m{"latest": m{
		"resources": []any{m{"type": "pulumi:pulumi:Stack", "outputs": values}, m{"type": "aws:s3/bucket:Bucket", "outputs": m{"amiId": "no"}}},
	}}})
}

func putState(ts *testscript.TestScript, key string, value any) {
	text, err := json.Marshal(value)
	ts.Check(err)
	ts.Check(of(ts).aws.PutObject(stateBucket, ".pulumi/"+key, text))
}

// lease lets a build hold an environment: lease ENV BUILD HOST; without a build a process of HOST with PID.
func lease(ts *testscript.TestScript, _ bool, args []string) {
	build, host := args[1], args[2]
	mine := deployment.Lease{Execution: "e-7", Build: build, Hostname: host, PID: 4_000_000, Since: time.Now().UTC().Add(-time.Minute)}
	_, taken, err := recordsOf(ts, args[0]).Take(context.Background(), mine, func(context.Context, deployment.Lease) (bool, error) { return true, nil })
	ts.Check(err)
	if !taken {
		ts.Fatalf("the lease was not taken")
	}
}

// lock lets a process hold a stack: lock ENV HOST PID; "here" is this machine's name, "me" this process.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	host, pid := args[1], 4_000_000 // above what a process ID can be
	if host == "here" {
		var err error
		host, err = os.Hostname()
		ts.Check(err)
	}
	if args[2] == "me" {
		pid = os.Getpid()
	}
	putState(ts, "locks/organization/ha-devops/"+args[0]+"/0.json", m{"pid": pid, "username": "ci", "hostname": host, "timestamp": time.Now()})
}

// locked fails when a stack is locked, or with "!" when it is not.
func locked(ts *testscript.TestScript, neg bool, args []string) {
	out, err := objects(ts).ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{
		Bucket: aws.String(stateBucket), Prefix: aws.String(".pulumi/locks/organization/ha-devops/" + args[0] + "/"),
	})
	ts.Check(err)
	if neg != (len(out.Contents) == 0) {
		ts.Fatalf("%s has %d locks", args[0], len(out.Contents))
	}
}

// tamper changes a file of the review that reviewed made last.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(of(ts).aws.PutObject(factsOf("dev").Bucket(), ts.Getenv("REVIEW")+args[0], []byte("another report")))
}

// unstable is what differs from run to run, and what stands for it in goldens.
var unstable = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "EXECUTION"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{40}\b`), "COMMIT"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "SHORT"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z| \d\d:\d\d UTC)`), "TIME"},
	{regexp.MustCompile(`\b\d+[smhd] ago`), "AGE ago"},
	{regexp.MustCompile(`\b(for|waits for) (\d+[hms])+\b`), "$1 AGE"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://HOST"},
	{regexp.MustCompile(`file://[^\s"]+`), "file://LOG"},
}

// normal writes a text, or a JSON text indented, with what differs from run to run taken out: normal FILE OUT.
func normal(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(text), "", "  ") == nil {
		text = indented.String()
	}
	for _, u := range unstable {
		text = u.pattern.ReplaceAllString(text, u.stands)
	}
	keep(ts, args[1], "%s", text)
}

// await waits until a file matches: await FILE PATTERN.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	if err := eventually(func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && pattern.Match(text)
	}); err != nil {
		ts.Fatalf("%s: %v; it says %s", args[1], err, ts.ReadFile(args[0]))
	}
}
