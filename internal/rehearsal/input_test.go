package rehearsal_test

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

func TestBadInputIsRefusedBeforeAnythingStarts(t *testing.T) {
	empty := t.TempDir()
	bare := t.TempDir()
	git(t, bare, "init", "--quiet")
	for name, c := range map[string]struct {
		world world
		want  []string
	}{
		"a missing directory":           {world{software: "/does/not/exist"}, []string{"--software /does/not/exist: no such directory"}},
		"an empty directory":            {world{image: empty}, []string{"--image " + empty + ": is empty"}},
		"a repository without commits":  {world{infrastructure: bare}, []string{"--infrastructure " + bare + ": is a git repository without commits"}},
		"a broken .relay.yaml":          {world{software: files(t, map[string]string{".relay.yaml": "prot: 8080\n"})}, []string{".relay.yaml: prot"}},
		"a broken config.json":          {world{image: files(t, map[string]string{"config.json": "{"})}, []string{"config.json"}},
		"a broken environment.json":     {world{infrastructure: files(t, map[string]string{"environment.json": `{"port": 80}`})}, []string{"environment.json: port: 80"}},
		"everything is broken, at once": {world{software: "/does/not/exist", image: empty}, []string{"--software", "--image"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rehearsal.Start(t.Context(), c.world.options(t))
			var bad rehearsal.InputError
			require.ErrorAs(t, err, &bad)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestRunsThatFailSayWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	for name, c := range map[string]struct {
		software map[string]string
		want     []string
	}{
		"a build command fails": {
			map[string]string{".relay.yaml": "build: echo compiling; echo 'shop.go:7 syntax error' >&2; exit 3\n"},
			[]string{"pipeline demo-dev-software, stage Build", ".relay.yaml: build", "shop.go:7 syntax error"},
		},
		"a start command exits": {
			map[string]string{".relay.yaml": "start: echo 'no database' >&2; exit 7\n"},
			[]string{"pipeline demo-dev-infrastructure, stage Deploy", "no database"},
		},
		"a start command never gets healthy": {
			map[string]string{".relay.yaml": "start: echo waiting for godot; sleep 600\n"},
			[]string{"pipeline demo-dev-infrastructure, stage Deploy", "waiting for godot"},
		},
		"a port is taken": {
			map[string]string{
				".relay.yaml": "start: ./listen\n",
				"listen":      "#!/usr/bin/env bash\nexec 3<>/dev/tcp/127.0.0.1/" + port + " && echo 'port " + port + " is taken' && exit 1\n",
			},
			[]string{"pipeline demo-dev-infrastructure, stage Deploy", "port " + port + " is taken"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := world{
				software:       files(t, c.software),
				image:          files(t, map[string]string{"motd": "hello\n"}),
				infrastructure: files(t, map[string]string{"environment.json": `{"health": {"path": "/healthz", "graceSeconds": 3}}`}),
			}.start(t, "dev")
			err := r.FirstRelease(soon(t))
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestARejectedReviewDeploysNothing(t *testing.T) {
	r := world{approve: func(context.Context, runner.Approval, string) (bool, string, error) { return false, "not today", nil }}.start(t, "dev")
	assert.ErrorContains(t, r.FirstRelease(soon(t)), "not today")
	_, err := r.Ask(t.Context(), "dev")
	assert.ErrorContains(t, err, "no instance runs in dev")
}

func TestAPortThatOnlyWorksHereIsWarnedOf(t *testing.T) {
	for port, want := range map[string]string{"8080": "", "9000": "warning: .relay.yaml: port: the software listens on 9000, and on AWS the load balancer would ask 8080"} {
		o := world{software: files(t, map[string]string{".relay.yaml": "port: " + port + "\n"})}.options(t)
		var shown bytes.Buffer
		o.Timeline = rehearsal.NewTimeline(&shown, false)
		r, err := rehearsal.Start(t.Context(), o)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		o.Timeline.Close()
		assert.Contains(t, shown.String(), want)
		assert.Equal(t, want != "", strings.Contains(shown.String(), "warning"))
	}
}
