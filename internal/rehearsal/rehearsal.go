// Package rehearsal runs the whole delivery system on one machine: the real program on the real Pulumi engine, real git, the real
// relay binary, and the pipelines that were provisioned. Simulated are AWS, GitHub and the instances, each in a package below this
// one; here they are connected, and the story is told: provision, release, promote. Production code never imports it.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// The simulated world's names.
const (
	// Product is the product that is rehearsed.
	Product = "demo"
	Owner   = "example"
	account = "111122223333"
	region  = "eu-west-1"
	tools   = "demo-tools"
	appID   = 1001
	// actionsID is another than github.com's: the rulesets must name the one that they are given.
	actionsID = 1002
)

// Options say what is rehearsed.
type Options struct {
	// Software, Image and Infrastructure are the directories or git repositories that become the repositories' content.
	Software, Image, Infrastructure string
	// Dir is an empty directory that everything is kept in.
	Dir string
	// Relay is the path of the relay binary, Self that of a program that answers runner.AWSArgument.
	Relay, Self string
	// Approve decides on a review that waits, as Approver. Nil: reviews wait for a decision through the API of CodePipeline.
	Approve func(context.Context, runner.Approval, string) (approved bool, comment string, err error)
	// Timeline shows what happens.
	Timeline *Timeline
	// Faults happen to calls that the pipelines make to AWS, GitHub and the cloud's providers; a stage that one fails is retried.
	Faults []faults.Fault
	// Apps are GitHub Apps that get tokens with their keys. The pipelines' App has a fixed token, and none of these.
	Apps []githubsim.App
	// Damage, for tests only, changes what the simulated cloud is told of a resource: see provider.Schema.
	Damage func(typ, name string, in resource.PropertyMap) resource.PropertyMap
	// Rewrite, for tests only, changes what the program asks for: see provider.Schema.
	Rewrite func(typ, name string, in resource.PropertyMap) resource.PropertyMap
}

// Rehearsal is a running world. Close ends it.
type Rehearsal struct {
	options Options
	product string
	content content
	aws     *awssim.Account
	github  *githubsim.Server
	runner  *runner.Runner
	faults  *faults.Injector
	plugins []*provider.Server
	servers []*server
	relay   publishedRelay
	people  people
	secret  string
	// tmp is for the temporary files of everything that runs.
	tmp string

	mu sync.Mutex
	// seen is how many executions earlier releases started.
	seen  int
	steps []Step
	// byHand are the environments whose reviews the rehearsal decides on no more.
	byHand []string
}

// Step is one thing that was done.
type Step struct {
	Name        string  `json:"name"`
	Environment string  `json:"environment"`
	Seconds     float64 `json:"seconds"`
}

// InputError is an error in what the rehearsal was given, before it started.
type InputError struct{ error }

// Unwrap returns the error itself.
func (e InputError) Unwrap() error { return e.error }

// Start checks the input, and starts the simulated world, in which nothing is provisioned yet.
func Start(ctx context.Context, o Options) (*Rehearsal, error) {
	r := &Rehearsal{options: o, product: Product}
	r.faults = faults.New(faults.Options{Caller: r.caller, Kill: r.kill})
	r.faults.Plan(o.Faults...)
	var err error
	if r.content, err = readContent(ctx, o); err != nil {
		return nil, InputError{err}
	}
	for _, warning := range r.content.warnings {
		o.Timeline.Warn(warning)
	}
	for _, start := range []func(context.Context) error{r.startGitHub, r.startAWS, r.startRunner, r.startPlugins, r.publishRelay} {
		if err := start(ctx); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// Close stops everything that runs: builds, instances, servers.
func (r *Rehearsal) Close() error {
	if r.runner != nil {
		r.runner.Close()
	}
	if r.aws != nil {
		r.aws.Close()
	}
	for _, plugin := range r.plugins {
		plugin.Close()
	}
	var errs []error
	for _, server := range r.servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}

// Beside returns a rehearsal of another product in the same world: the same account, the same organization, repositories, stacks and
// state of its own. It ends with the first one.
func (r *Rehearsal) Beside(product string) *Rehearsal {
	other := &Rehearsal{
		options: r.options, product: product, content: r.content, aws: r.aws, github: r.github, runner: r.runner, faults: r.faults, plugins: r.plugins,
		relay: r.relay, people: r.people, secret: r.secret, tmp: r.tmp,
	}
	other.importContent()
	return other
}

// Steps are the steps done so far.
func (r *Rehearsal) Steps() []Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Step(nil), r.steps...)
}

// step does one thing, shows it in the timeline and notes how long it took.
func (r *Rehearsal) step(environment, name string, do func() (string, error)) error {
	began := time.Now()
	done := r.options.Timeline.Begin(environment, name)
	detail, err := do()
	done(detail, err)
	r.note(environment, name, time.Since(began))
	return err
}

func (r *Rehearsal) note(environment, name string, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, Step{Name: name, Environment: environment, Seconds: float64(took.Milliseconds()) / 1000})
}

// dir returns a directory of the rehearsal, which it makes.
func (r *Rehearsal) dir(parts ...string) (string, error) {
	path := filepath.Join(append([]string{r.options.Dir}, parts...)...)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", fmt.Errorf("making %s: %w", path, err)
	}
	return path, nil
}
