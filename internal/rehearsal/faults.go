package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/faults"
	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
	"github.com/tekpossible/ha-devops/pipelines"
)

// Calls are the calls that the pipelines made to AWS, GitHub and the providers, in their order.
func (r *Rehearsal) Calls() []faults.Call { return r.faults.Calls() }

// Struck is how many of the planned faults have happened.
func (r *Rehearsal) Struck() int { return r.faults.Struck() }

// Plan begins to count calls anew, and plans faults, as Options.Faults does.
func (r *Rehearsal) Plan(list ...faults.Fault) { r.faults.Plan(list...) }

// amiID is the name under which the instance that bakes an AMI makes its calls.
var amiID = regexp.MustCompile(`ami-[0-9a-f]{17}`)

// caller finds the build that a request's User-Agent names, or the bake. The SDKs write a dash for a colon there.
func (r *Rehearsal) caller(agent string) (faults.Caller, bool) {
	dashed := func(text string) string { return strings.ReplaceAll(text, ":", "-") }
	if agent = dashed(agent); !strings.Contains(agent, "-") {
		return faults.Caller{}, false
	}
	if ami := amiID.FindString(agent); ami != "" {
		pipeline, ok := r.aws.Baking(ami)
		return faults.Caller{Build: ami, Action: action(pipeline, "install")}, ok
	}
	return r.running(func(b runner.Build) bool { return strings.Contains(agent, dashed(b.ID)) })
}

// running finds the one build among those that run.
func (r *Rehearsal) running(is func(runner.Build) bool) (found faults.Caller, ok bool) {
	for _, b := range r.runner.Builds() {
		if !b.Running() || !is(b) {
			continue
		}
		if ok {
			return faults.Caller{}, false // of two it is not known whose call it is
		}
		found, ok = faults.Caller{Build: b.ID, Action: action(b.Pipeline, b.Action)}, true
	}
	return found, ok
}

// action names what a pipeline does by its environment, its role and the name of what is done.
func action(pipeline, name string) string {
	parts := strings.Split(pipeline, "-") // product, environment, role
	return strings.Join(append(parts[max(0, len(parts)-2):], name), "/")
}

// provides carries out what the engine asks of a provider. Pipelines change stacks in their deploying action; what people provision is
// no call of theirs.
func (r *Rehearsal) provides(stack, verb, typ, name string, do func() error) error {
	by, deploys := r.running(func(b runner.Build) bool {
		return b.Action == pipelines.DeployAction && strings.HasSuffix(b.Pipeline, "-"+stack+"-"+string(pipelines.Infrastructure))
	})
	if !deploys {
		return do()
	}
	return r.faults.Effect(by, fmt.Sprintf("pulumi.%s %s %s", verb, typ[strings.LastIndex(typ, ":")+1:], name), do)
}

// kill ends the processes of a build or of a bake.
func (r *Rehearsal) kill(build string) {
	if amiID.MatchString(build) {
		r.aws.KillBake(build)
		return
	}
	if err := r.runner.Kill(build); err != nil {
		r.options.Timeline.Warn("killing " + build + ": " + err.Error())
	}
}

// awsCalls are the calls to the account.
var awsCalls = faults.Service{
	Operation: func(r *http.Request, body []byte) (string, bool) { return faults.AWS(r, body, awssim.Service(r)) },
	Fail: func(w http.ResponseWriter, r *http.Request) {
		code := "InternalFailure"
		if service := awssim.Service(r); service == "s3" || service == "ec2" {
			code = "InternalError"
		}
		awssim.Fail(w, r, http.StatusInternalServerError, code, "we encountered an internal error; please try again")
	},
	// The codes are those of "Throttling exceptions" in https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
	Throttle: func(w http.ResponseWriter, r *http.Request) {
		status, code := http.StatusBadRequest, "ThrottlingException"
		switch awssim.Service(r) {
		case "s3":
			status, code = http.StatusServiceUnavailable, "SlowDown"
		case "ec2":
			status, code = http.StatusServiceUnavailable, "RequestLimitExceeded"
		}
		awssim.Fail(w, r, status, code, "please reduce your request rate")
	},
}

// githubCalls are the calls to GitHub.
var githubCalls = faults.Service{
	Operation: faults.GitHub,
	Fail: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	},
	// GitHub Docs, "Rate limits for the REST API": about secondary rate limits.
	Throttle: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(githubsim.Error{ // the caller has left when this fails
			Message:       "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
			Documentation: "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
		})
	},
}

// again does what an operator does about a step that failed: retry its stage. One that was overtaken meanwhile has nothing left to do.
func (r *Rehearsal) again(ctx context.Context) error {
	r.mu.Lock()
	seen := r.seen
	r.mu.Unlock()
	for _, e := range r.Executions()[seen:] {
		if e.Status != runner.Failed || len(e.Stages) == 0 {
			continue
		}
		stage := e.Stages[len(e.Stages)-1].Name
		r.options.Timeline.Warn(fmt.Sprintf("%s failed at stage %s after a fault; the stage is retried", e.Pipeline, stage))
		if err := r.runner.Retry(e.Pipeline, stage, e.ID, false); err != nil {
			return err
		}
	}
	return r.Wait(ctx)
}
