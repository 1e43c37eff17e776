package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// TestMain makes the test binary also the service of the instances, see serve.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == runner.AWSArgument {
		os.Exit(runner.AWSMain(context.Background(), os.Args[2:], os.Stderr))
	}
	if mode := os.Getenv("SERVE"); mode != "" {
		os.Exit(serve(mode))
	}
	os.Exit(m.Run())
}

// needsAWS puts the rehearsal's stand-in for the aws command line on PATH where the machine has none.
func needsAWS(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("aws"); err == nil {
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, runner.InstallTools(dir, self))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// serve is a service that is well, sick (answers 503), well in the first of its instances only (once), crashing, or stubborn
// (takes no notice of SIGTERM, nor does its child).
func serve(mode string) int {
	fmt.Println("serving in mode", mode, "release", os.Getenv("RELEASE"))
	switch mode {
	case "crashing":
		fmt.Println("no database")
		return 3
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		child := exec.Command("sleep", "300")
		if err := child.Start(); err != nil { // it inherits the ignored signal
			return 1
		}
		if err := os.WriteFile(os.Getenv("DESTDIR")+"/pids", fmt.Appendf(nil, "%d %d", os.Getpid(), child.Process.Pid), 0o600); err != nil {
			return 1
		}
	}
	if mode == "once" && os.Mkdir(os.Getenv("DESTDIR")+"/first", 0o700) != nil {
		mode = "sick"
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if mode == "sick" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		here, _ := os.Getwd()
		fmt.Fprint(w, os.Getenv("RELEASE"), " ", filepath.Base(here), " ", os.Getenv("SECRET"))
	})
	http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil) // it ends with the process
	return 1
}

// world is an account behind a server, with the events that it reported.
type world struct {
	*awssim.Account
	dir    string
	url    string
	config aws.Config

	mu     sync.Mutex
	events []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.Account = awssim.New(awssim.Options{
		AccountID: "123456789012", Region: "eu-central-1", Dir: w.dir,
		Environ: func() []string {
			return []string{
				"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "AWS_ENDPOINT_URL=" + w.url, "AWS_REGION=eu-central-1",
				"AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=AKREHEARSAL", "AWS_SECRET_ACCESS_KEY=rehearsal",
			}
		},
		Log: func(e awssim.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e.Service+" "+e.Subject+" "+e.Message)
		},
	})
	server := httptest.NewServer(w.Account)
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	w.url = server.URL
	w.config = aws.Config{
		Region: "eu-central-1", BaseEndpoint: &w.url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKREHEARSAL", SecretAccessKey: "rehearsal"}, nil
		}),
	}
	return w
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

// code returns the error code that a client read from an answer.
func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	return api.ErrorCode()
}

func assertSilent(t *testing.T, url string) {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if !assert.ErrorIs(t, err, syscall.ECONNREFUSED, url) {
		connection.Close()
	}
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestCallerIdentity(t *testing.T) {
	w := newWorld(t)
	who, err := sts.NewFromConfig(w.config).GetCallerIdentity(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, "123456789012", *who.Account)
	assert.Contains(t, *who.Arn, "arn:aws:sts::123456789012:")
}

func TestWhatNobodyTaughtIsAnErrorThatNamesIt(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for name, test := range map[string]struct {
		call func() error
		code string
		says []string
	}{
		"query": {func() error {
			_, err := sts.NewFromConfig(w.config).GetSessionToken(ctx, nil)
			return err
		}, "InvalidAction", []string{"sts", "GetSessionToken"}},
		"ec2": {func() error {
			_, err := ec2.NewFromConfig(w.config).DescribeSubnets(ctx, nil)
			return err
		}, "InvalidAction", []string{"ec2", "DescribeSubnets"}},
		"ec2 parameter": {func() error {
			_, err := ec2.NewFromConfig(w.config).DescribeImages(ctx, &ec2.DescribeImagesInput{ExecutableUsers: []string{"self"}})
			return err
		}, "InvalidParameterValue", []string{"DescribeImages", "ExecutableBy"}},
		"json": {func() error {
			_, err := ssm.NewFromConfig(w.config).DescribeParameters(ctx, nil)
			return err
		}, "NotImplemented", []string{"ssm", "DescribeParameters"}},
		"rest-json": {func() error {
			_, err := imagebuilder.NewFromConfig(w.config).GetComponent(ctx, &imagebuilder.GetComponentInput{ComponentBuildVersionArn: aws.String("arn")})
			return err
		}, "NotImplemented", []string{"imagebuilder", "GetComponent"}},
		"service": {func() error {
			_, err := codepipeline.NewFromConfig(w.config).ListPipelines(ctx, nil)
			return err
		}, "NotImplemented", []string{"codepipeline", "ListPipelines"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.call()
			assert.Equal(t, test.code, code(t, err))
			for _, word := range test.says {
				assert.ErrorContains(t, err, word)
			}
		})
	}
}

func TestServiceOfARequest(t *testing.T) {
	for header, want := range map[string]string{
		"AWS4-HMAC-SHA256 Credential=AK/20260101/eu-central-1/codepipeline/aws4_request, SignedHeaders=host, Signature=x": "codepipeline",
		"AWS4-HMAC-SHA256 Credential=A/K/20260101/eu-central-1/s3/aws4_request,SignedHeaders=host":                        "s3",
		"Bearer token": "", "": "", "Credential=//": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		assert.Equal(t, want, awssim.Service(r), header)
	}
}

// application puts files of an installed service into a root: the test binary as the program and its unit.
func application(t *testing.T, root, mode, release string) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	for _, dir := range []string{"opt/shop/bin", "opt/shop/software", "etc/systemd/system"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	require.NoError(t, os.Symlink(executable, filepath.Join(root, "opt/shop/bin/relay")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/systemd/system/shop.service"), []byte(unitText(mode, release)), 0o644))
}

func unitText(mode, release string) string {
	return strings.Join([]string{
		"[Unit]", "Description=shop", "[Service]", "WorkingDirectory=/opt/shop/software", "EnvironmentFile=-/etc/shop/environment",
		"Environment=PORT=8080", "Environment=RELEASE=" + release, "Environment=SERVE=" + mode, `ExecStart=/bin/sh -c 'exec "$$DESTDIR/opt/shop/bin/relay"'`,
		"Restart=always", "DynamicUser=yes", "[Install]", "WantedBy=multi-user.target", "",
	}, "\n")
}

func pids(t *testing.T, root string) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "pids"))
	require.NoError(t, err)
	var out []int
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		out = append(out, pid)
	}
	return out
}

const patience, tick = 15 * time.Second, 20 * time.Millisecond
