package awssim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Group is an Auto Scaling group.
type Group struct {
	Name string
	Tags map[string]string
	// LaunchTemplateID and Version say what new instances are made from. Version is a number, never $Latest.
	LaunchTemplateID string
	Version          int
	// Min, Max and Desired are the capacity; nothing but PutGroup changes Desired.
	Min, Max, Desired int
	TargetGroupARNs   []string
	// Zones are the availability zones over which instances are spread.
	Zones []string
	// HealthCheckGrace is how long a new instance may take to become healthy. It is cut to 20 s; zero is 20 s.
	HealthCheckGrace time.Duration
	// RefreshOnChange starts an instance refresh when another launch template version is put. Without it only instances that
	// are launched later have that version.
	RefreshOnChange bool
	// AutoRollback returns to the version before when a refresh fails.
	AutoRollback bool
	// MinHealthyPercentage is described only: a refresh launches each new instance before it ends an old one, so that the
	// percentage is never below 100.
	MinHealthyPercentage int
}

type group struct {
	Group
	ops        sync.Mutex // serializes PutGroup, DeleteGroup and the start of a refresh; taken before Account.mu
	created    time.Time
	deleting   bool
	instances  []*instance // oldest first
	refreshes  []*refresh  // oldest first
	activities []*activity // oldest first
}

// activity is a scaling activity. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html
type activity struct {
	id, description, cause, code, message string
	start, end                            time.Time
}

// PutGroup creates a group and launches its instances, or updates it: scales it, and starts an instance refresh if the launch
// template version is another. It does not wait for instances to become healthy. A refresh that is under way is cancelled
// when the version changes once more.
func (a *Account) PutGroup(g Group) error {
	if len(g.Zones) == 0 || g.Min > g.Desired || g.Desired > g.Max || g.Min < 0 {
		return fmt.Errorf("group %s: %d zones, capacity %d ≤ %d ≤ %d; expected a zone, and 0 ≤ min ≤ desired ≤ max",
			g.Name, len(g.Zones), g.Min, g.Desired, g.Max)
	}
	a.mu.Lock()
	if _, ok := a.templates[templateVersion{g.LaunchTemplateID, g.Version}]; !ok {
		a.mu.Unlock()
		return fmt.Errorf("group %s: launch template %s has no version %d", g.Name, g.LaunchTemplateID, g.Version)
	}
	state := a.groups[g.Name]
	if state == nil {
		state = &group{Group: g, created: time.Now()}
		a.groups[g.Name] = state
	}
	a.mu.Unlock()

	state.ops.Lock()
	defer state.ops.Unlock()
	a.mu.Lock()
	if a.groups[g.Name] != state {
		a.mu.Unlock()
		return fmt.Errorf("group %s: it was deleted meanwhile; put it again", g.Name)
	}
	changed := state.template() != templateVersion{g.LaunchTemplateID, g.Version}
	a.mu.Unlock()
	if changed {
		a.cancelRefresh(state)
	}
	a.mu.Lock()
	before := state.template() // a rollback may have changed it until it was cancelled
	state.Group = g
	a.mu.Unlock()
	a.scale(state)
	if changed && g.RefreshOnChange {
		_, err := a.startRefresh(state, before, g.AutoRollback, g.MinHealthyPercentage)
		return err
	}
	return nil
}

func (g *group) template() templateVersion { return templateVersion{g.LaunchTemplateID, g.Version} }

// GroupExists says that there is a group of a name.
func (a *Account) GroupExists(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.groups[name] != nil
}

// DeleteGroup stops a group's instances and deletes it.
func (a *Account) DeleteGroup(name string) error {
	a.mu.Lock()
	g := a.groups[name]
	a.mu.Unlock()
	if g == nil {
		return fmt.Errorf("deleting group %q: there is none", name)
	}
	g.ops.Lock()
	defer g.ops.Unlock()
	a.cancelRefresh(g)
	a.mu.Lock()
	g.Desired = 0
	a.mu.Unlock()
	a.scale(g)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.groups, name)
	return nil
}

// Instances returns a group's instances, the oldest first; those of an unknown group are none.
func (a *Account) Instances(groupName string) []Instance {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Instance
	if g := a.groups[groupName]; g != nil {
		for _, in := range g.instances {
			out = append(out, in.Instance)
		}
	}
	return out
}

// scale brings a group to its desired capacity.
func (a *Account) scale(g *group) {
	a.mu.Lock()
	template, missing := g.template(), g.Desired-len(g.instances)
	a.mu.Unlock()
	for range missing {
		a.launch(g, template, "a change of the desired capacity")
	}
	a.trim(g)
}

// trim ends the oldest instances of a group that has more than it wants.
func (a *Account) trim(g *group) {
	a.mu.Lock()
	surplus := slices.Clone(g.instances[:max(0, len(g.instances)-g.Desired)])
	a.mu.Unlock()
	var ending sync.WaitGroup
	for _, in := range surplus {
		ending.Go(func() { a.terminate(in, "a change of the desired capacity") })
	}
	ending.Wait()
}

// launch starts an instance. One that cannot be started is unhealthy from the beginning, with the reason.
func (a *Account) launch(g *group, template templateVersion, cause string) *instance {
	ctx, cancel := context.WithCancel(a.ctx)
	id := newID("i")
	in := &instance{
		Instance: Instance{ID: id, Health: Starting, ConsoleLog: a.dir("instances", id, "console.log")},
		group:    g, template: template, launched: time.Now(),
		cancel: cancel, settled: make(chan struct{}), done: make(chan struct{}),
	}
	a.mu.Lock()
	content := a.templates[template]
	in.ImageID, in.instanceType, in.Zone = content.ImageID, content.InstanceType, g.emptiestZone()
	grace := min(cmp.Or(g.HealthCheckGrace, longestGrace), longestGrace)
	g.instances = append(g.instances, in)
	started := g.record("Launching a new EC2 instance: "+in.ID, cause)
	a.mu.Unlock()
	a.log("autoscaling", in.ID, "launching from %s in %s for %s", in.ImageID, in.Zone, g.Name)

	newCommand, err := a.prepareInstance(in)
	if err == nil && !a.spawn(func() { a.run(ctx, in, newCommand, grace) }) {
		err = errors.New("the account is closed")
	}
	if err != nil {
		close(in.done)
		a.judge(in, fmt.Sprintf("launching from %s: %s", in.ImageID, err))
	}
	a.spawn(func() {
		select {
		case <-in.settled:
		case <-ctx.Done():
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		switch in.Health {
		case Healthy:
			started.finish("Successful", "")
		case Unhealthy:
			started.finish("Failed", in.Reason)
		case Starting:
			started.finish("Cancelled", "it was terminated before it was healthy")
		}
	})
	return in
}

// prepareInstance gives an instance what it needs to run and returns how to make its command.
func (a *Account) prepareInstance(in *instance) (func() (*exec.Cmd, error), error) {
	image, ok := a.Image(in.ImageID)
	switch {
	case !ok:
		return nil, errors.New("the image does not exist")
	case image.State != "available":
		return nil, fmt.Errorf("the image is %s, not available", image.State)
	}
	service, err := loadUnit(image.Root)
	if err != nil {
		return nil, err
	}
	home := a.dir("instances", in.ID)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	port, err := a.freePort()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	in.port, in.URL = port, fmt.Sprintf("http://127.0.0.1:%d", port)
	a.mu.Unlock()
	path := a.path()
	return func() (*exec.Cmd, error) { return command(image.Root, service, port, path, home) }, nil
}

// terminate takes an instance out of its group and stops it, in this order, so that an instance that is listed answers.
func (a *Account) terminate(in *instance, cause string) {
	g := in.group
	a.mu.Lock()
	i := slices.Index(g.instances, in)
	if i < 0 { // another change of the group came first
		a.mu.Unlock()
		<-in.done
		return
	}
	g.instances = slices.Delete(g.instances, i, i+1)
	ended := g.record("Terminating EC2 instance: "+in.ID, cause)
	a.mu.Unlock()
	in.cancel()
	<-in.done
	a.mu.Lock()
	delete(a.ports, in.port)
	ended.finish("Successful", "")
	a.mu.Unlock()
	a.log("autoscaling", in.ID, "terminated: %s", cause)
}

// emptiestZone returns the first of the zones with the fewest instances. The caller holds mu.
func (g *group) emptiestZone() string {
	count := map[string]int{}
	for _, in := range g.instances {
		count[in.Zone]++
	}
	return slices.MinFunc(g.Zones, func(x, y string) int { return cmp.Compare(count[x], count[y]) })
}

// record adds an activity that begins now. The caller holds mu.
func (g *group) record(description, cause string) *activity {
	started := &activity{
		id: newID("activity"), description: description, cause: strings.ToUpper(cause[:1]) + cause[1:], code: "InProgress", start: time.Now(),
	}
	g.activities = append(g.activities, started)
	return started
}

func (t *activity) finish(code, message string) {
	t.code, t.message, t.end = code, message, time.Now()
}
