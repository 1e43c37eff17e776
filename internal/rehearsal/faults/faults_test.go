package faults_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]faults.Fault{
		"kill-after:12":                        {Kind: faults.KillAfter, Number: 12},
		"throttle:dev/image/Bake github.GET#1": {Kind: faults.Throttle, Name: "dev/image/Bake github.GET#1"},
		"delay:dev/a/B pulumi.update X a:b#2":  {Kind: faults.Delay, Name: "dev/a/B pulumi.update X a:b#2"},
	} {
		got, err := faults.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	for text, want := range map[string]string{
		"":             "expected KIND:CALL, with KIND one of kill-before, kill-after, error-before, error-after, delay, duplicate, throttle",
		"kill-after":   "expected KIND:CALL",
		"explode:1":    "expected KIND:CALL",
		"delay:0":      "expected a call's number, from 1, or its name",
		"delay:-3":     "expected a call's number",
		"delay:nobody": "expected a call's number",
	} {
		_, err := faults.Parse(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

// world is a server that counts, behind an injector that knows one build.
type world struct {
	*faults.Injector
	t       *testing.T
	url     string
	effects atomic.Int32
	killed  atomic.Int32
}

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	w.Injector = faults.New(faults.Options{
		Caller: func(agent string) (faults.Caller, bool) {
			return faults.Caller{Build: "b1", Action: "dev/software/Build"}, strings.Contains(agent, "b1")
		},
		Kill: func(build string) {
			assert.Equal(t, "b1", build)
			w.killed.Add(1)
		},
	})
	server := httptest.NewServer(w.Before(faults.Service{
		Operation: func(r *http.Request, _ []byte) (string, bool) { return "x." + r.Method, r.Method == http.MethodGet },
		Fail:      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		Throttle:  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
	}, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.effects.Add(1)
		_, _ = out.Write(append([]byte("got "), body...))
	})))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// do makes a request and returns the answer's status, 0 when the connection was cut.
func (w *world) do(method, path, agent string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader("body of "+path))
	require.NoError(w.t, err)
	request.Header.Set("User-Agent", agent)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return response.StatusCode, string(body)
}

func (w *world) names() (names []string) {
	for i, call := range w.Calls() {
		assert.Equal(w.t, i+1, call.Number)
		names = append(names, call.Name)
	}
	return names
}

func TestCallsAreCountedAndNamed(t *testing.T) {
	w := newWorld(t)
	w.do("GET", "/a", "somebody")
	for _, c := range []string{"GET /a", "GET /a", "GET /b", "GET /a", "PUT /a", "GET /a", "PUT /a"} {
		method, path, _ := strings.Cut(c, " ")
		status, body := w.do(method, path, "agent b1")
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "got body of "+path, body)
	}
	assert.Equal(t, []string{
		"dev/software/Build x.GET#1", "dev/software/Build x.GET#2", "dev/software/Build x.PUT#1", "dev/software/Build x.GET#3",
		"dev/software/Build x.PUT#2",
	}, w.names(), "a read that repeats since the last write is the same call; another's calls are not counted")
	w.Plan()
	assert.Empty(t, w.Calls())
}

func TestEachKindDoesWhatItSays(t *testing.T) {
	for kind, want := range map[faults.Kind]struct {
		status, effects int
		killed          bool
	}{
		faults.KillBefore:  {0, 0, true},
		faults.KillAfter:   {0, 1, true},
		faults.ErrorBefore: {http.StatusInternalServerError, 0, false},
		faults.ErrorAfter:  {0, 1, false},
		faults.Delay:       {http.StatusOK, 1, false},
		faults.Duplicate:   {http.StatusOK, 2, false},
		faults.Throttle:    {http.StatusTooManyRequests, 0, false},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			for _, f := range []faults.Fault{{Kind: kind, Number: 2}, {Kind: kind, Name: "dev/software/Build x.PUT#2"}} {
				w := newWorld(t)
				w.Plan(f)
				status, _ := w.do("PUT", "/a", "b1")
				require.Equal(t, http.StatusOK, status)
				require.Zero(t, w.Struck())
				began := time.Now()
				status, _ = w.do("PUT", "/a", "b1")
				assert.Equal(t, want.status, status)
				assert.EqualValues(t, want.effects, w.effects.Load()-1)
				assert.Equal(t, want.killed, w.killed.Load() == 1)
				assert.Equal(t, 1, w.Struck())
				assert.Equal(t, kind == faults.Delay, time.Since(began) >= faults.Late)
				status, _ = w.do("PUT", "/a", "b1")
				assert.Equal(t, http.StatusOK, status, "it strikes once")
			}
		})
	}
	assert.Len(t, faults.Kinds(), 7)
}

func TestEffects(t *testing.T) {
	broken := errors.New("broken")
	for kind, want := range map[faults.Kind]struct {
		effects        int
		killed, failed bool
	}{
		faults.KillBefore: {0, true, true}, faults.KillAfter: {1, true, true}, faults.ErrorBefore: {0, false, true},
		faults.ErrorAfter: {1, false, true}, faults.Duplicate: {2, false, false}, faults.Throttle: {0, false, true},
	} {
		w := newWorld(t)
		w.Plan(faults.Fault{Kind: kind, Number: 1})
		effects := 0
		by := faults.Caller{Build: "b1", Action: "dev/infrastructure/Deploy"}
		err := w.Effect(by, "pulumi.update Group app", func() error { effects++; return nil })
		assert.Equal(t, want.failed, err != nil, kind)
		assert.Equal(t, want.effects, effects, kind)
		assert.Equal(t, want.killed, w.killed.Load() == 1, kind)
		assert.Equal(t, []string{"dev/infrastructure/Deploy pulumi.update Group app#1"}, w.names())
		assert.ErrorIs(t, w.Effect(faults.Caller{}, "x", func() error { return broken }), broken)
	}
}

func TestOperations(t *testing.T) {
	for _, c := range []struct {
		method, url, body, target, service, want string
		read                                     bool
	}{
		{"PUT", "/bucket/a/key?x-id=PutObject", "", "", "s3", "s3.PutObject", false},
		{"GET", "/bucket/a/key", "", "", "s3", "s3.GetObject", true},
		{"GET", "/bucket?list-type=2&prefix=x", "", "", "s3", "s3.ListObjects", true},
		{"HEAD", "/bucket/a", "", "", "s3", "s3.HeadObject", true},
		{"POST", "/bucket/a?uploads", "", "", "s3", "s3.CreateMultipartUpload", false},
		{"PUT", "/bucket/a?partNumber=1&uploadId=u", "", "", "s3", "s3.UploadPart", false},
		{"POST", "/bucket/a?uploadId=u", "", "", "s3", "s3.CompleteMultipartUpload", false},
		{"DELETE", "/bucket/a?uploadId=u", "", "", "s3", "s3.AbortMultipartUpload", false},
		{"DELETE", "/bucket/a", "", "", "s3", "s3.DeleteObject", false},
		{"POST", "/", "{}", "AmazonSSM.PutParameter", "ssm", "ssm.PutParameter", false},
		{"POST", "/", "{}", "secretsmanager.GetSecretValue", "secretsmanager", "secretsmanager.GetSecretValue", true},
		{"POST", "/", "Action=DescribeImages&Version=1", "", "ec2", "ec2.DescribeImages", true},
		{"POST", "/", "Action=CreateTags&Version=1", "", "ec2", "ec2.CreateTags", false},
		{"PUT", "/StartImagePipelineExecution", "{}", "", "imagebuilder", "imagebuilder.StartImagePipelineExecution", false},
		{"GET", "/GetImage?imageBuildVersionArn=a", "", "", "imagebuilder", "imagebuilder.GetImage", true},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		}
		got, read := faults.AWS(r, []byte(c.body), c.service)
		assert.Equal(t, c.want, got)
		assert.Equal(t, c.read, read, c.want)
	}
	for request, want := range map[string]string{
		"GET /api/v3/repos/o/r/contents/a/b.json?ref=dev": "github.GET contents",
		"PATCH /api/v3/repos/o/r/git/refs/heads/dev":      "github.PATCH git/refs",
		"POST /api/v3/repos/o/r/git/trees":                "github.POST git/trees",
		"GET /api/v3/repos/o/r/compare/a...b":             "github.GET compare",
		"GET /api/v3/repos/o/r":                           "github.GET repos",
		"GET /api/v3/user":                                "github.GET user",
		"POST /api/v3/app/installations/7/access_tokens":  "github.POST app/installations",
	} {
		method, url, _ := strings.Cut(request, " ")
		got, read := faults.GitHub(httptest.NewRequest(method, url, nil), nil)
		assert.Equal(t, want, got)
		assert.Equal(t, method == "GET", read, request)
	}
}
