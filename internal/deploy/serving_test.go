package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
)

// serves are the tags of what serves the release, app is its name.
var serves = map[string]string{"product": "shop", "environment": "dev", "managed-by": "ha-devops"}

const app = "shop-dev-app"

// serving is what the wanted release runs on: a launch template, a group and its policy, and a topic. They are made in the simulated
// account, by a provider to which things happen.
type serving struct {
	provider *provider.Server
	// strike is what happens the first time that a resource of this logical name is created.
	at     string
	strike func(s *serving, do func() error) error
	struck atomic.Bool
}

// serve has the wanted release make what it runs on.
func (w *world) serve() {
	w.t.Helper()
	w.serving = &serving{}
	schema := provider.AWS{
		Account: "111122223333", Region: "eu-west-1",
		LaunchTemplate: provider.Effect{
			Put: func(_ context.Context, r provider.Resource) error {
				w.account.PutLaunchTemplate(r.ID, 1, awssim.LaunchTemplate{Name: r.Name, Tags: serves, ImageID: "ami-00000002"})
				return nil
			},
			Exists: w.account.LaunchTemplateExists,
		},
		AutoScalingGroup: provider.Effect{
			Put: func(_ context.Context, r provider.Resource) error {
				id := r.Properties["launchTemplate"].(map[string]any)["id"].(string)
				return w.account.PutGroup(awssim.Group{Name: r.Name, Tags: serves, LaunchTemplateID: id, Version: 1, Max: 1, Zones: []string{"eu-west-1a"}})
			},
			Exists: w.account.GroupExists,
		},
	}.Schema()
	schema.Around = func(_, _, _, name string, do func() error) error {
		if name != w.serving.at || w.serving.struck.Swap(true) {
			return do()
		}
		return w.serving.strike(w.serving, do)
	}
	var err error
	w.serving.provider, err = provider.Serve(w.t.Context(), schema)
	require.NoError(w.t, err)
	w.t.Cleanup(w.serving.provider.Close)
}

func (*serving) program(ctx *pulumi.Context) error {
	type made struct{ pulumi.CustomResourceState }
	template, group := &made{}, &made{}
	return errors.Join(
		ctx.RegisterResource("aws:ec2/launchTemplate:LaunchTemplate", "template", pulumi.Map{"name": pulumi.String(app)}, template),
		ctx.RegisterResource("aws:autoscaling/group:Group", "group", pulumi.Map{
			"name": pulumi.String(app), "minSize": pulumi.Int(0), "maxSize": pulumi.Int(1), "launchTemplate": pulumi.Map{"id": template.ID()},
		}, group),
		ctx.RegisterResource("aws:autoscaling/policy:Policy", "policy", pulumi.Map{"name": pulumi.String("cpu"), "autoscalingGroupName": group.ID()}, &made{}),
		ctx.RegisterResource("aws:sns/topic:Topic", "topic", pulumi.Map{"name": pulumi.String("alarms")}, &made{}, pulumi.DependsOn([]pulumi.Resource{group})),
	)
}

// killedBefore and killedAfter kill the engine, before a creation has an effect and after it. lost loses the answer.
func killedBefore(s *serving, _ func() error) error {
	s.killEngine()
	return errors.New("killed")
}

func killedAfter(s *serving, do func() error) error { return errors.Join(do(), killedBefore(s, nil)) }

func lost(_ *serving, do func() error) error {
	return errors.Join(do(), errors.New("the connection was reset"))
}

// killEngine kills the Pulumi CLI that is attached to the provider.
func (s *serving) killEngine() {
	attached := fmt.Sprintf("PULUMI_DEBUG_PROVIDERS=aws:%d\x00", s.provider.Port)
	processes, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well formed
	for _, path := range processes {
		if environ, err := os.ReadFile(path); err == nil && strings.Contains(string(environ)+"\x00", attached) {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
}

// pending are the logical names of what the stack's state has notes of.
func (w *world) pending() (names []string) {
	w.t.Helper()
	var state struct {
		Checkpoint struct {
			Latest struct {
				Pending []struct{ Resource struct{ URN string } } `json:"pending_operations"`
			}
		}
	}
	require.NoError(w.t, json.Unmarshal([]byte(w.stateFile()), &state))
	for _, p := range state.Checkpoint.Latest.Pending {
		names = append(names, p.Resource.URN[strings.LastIndex(p.Resource.URN, ":")+1:])
	}
	return names
}
