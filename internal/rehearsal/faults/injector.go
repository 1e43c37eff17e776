package faults

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Late is how long Delay delays a call.
const Late = 3 * time.Second

// Caller is a build of a pipeline's action.
type Caller struct {
	// Build is the build's ID, Action what it runs for: "dev/software/Build".
	Build, Action string
}

// Call is one call to the outside. A read that the same action has made before, and nothing but reads since then, is the same call
// again: so a wait that looks many times is one call.
type Call struct {
	// Number counts from 1 in the order of the calls. Builds that run at the same time make it differ from run to run.
	Number int `json:"number"`
	// Name is the action, the operation, and which of the action's calls of that operation it is: "dev/software/Build s3.PutObject#2".
	Name string `json:"name"`
}

// Options say how builds are known and killed.
type Options struct {
	// Caller tells from a request's User-Agent which build makes it; those of nobody are passed on, and not counted.
	Caller func(agent string) (Caller, bool)
	// Kill ends a build's processes at once, and returns when they have ended.
	Kill func(build string)
}

// Injector counts calls and does to some of them what was planned. Its methods may be called from several goroutines.
type Injector struct {
	options Options

	mu     sync.Mutex
	plan   []Fault // those that have not struck
	struck int
	calls  []Call
	counts map[string]int               // by action and operation
	reads  map[string]map[[32]byte]bool // by action and request, since the action's last call that is no read
}

// New returns an injector with no plan.
func New(o Options) *Injector {
	i := &Injector{options: o}
	i.Plan()
	return i
}

// Plan begins to count anew, and plans faults.
func (i *Injector) Plan(list ...Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.plan, i.struck, i.calls = slices.Clone(list), 0, nil
	i.counts, i.reads = map[string]int{}, map[string]map[[32]byte]bool{}
}

// Calls are the calls since the last Plan.
func (i *Injector) Calls() []Call {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls)
}

// Struck is how many of the planned faults have happened.
func (i *Injector) Struck() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.struck
}

// Effect is a call that is no HTTP request, such as one to a provider: do carries it out, and may be called twice.
func (i *Injector) Effect(by Caller, operation string, do func() error) error {
	switch kind := i.note(by, operation, nil); kind {
	case KillBefore:
		i.options.Kill(by.Build)
		return fmt.Errorf("%s: killed before its effect", operation)
	case KillAfter:
		_ = do() // nobody is left to be told
		i.options.Kill(by.Build)
		return fmt.Errorf("%s: killed after its effect", operation)
	case ErrorBefore, Throttle:
		return fmt.Errorf("%s: the rehearsal's fault %s", operation, kind)
	case ErrorAfter:
		_ = do() // its answer is lost
		return fmt.Errorf("%s: the rehearsal's fault %s", operation, kind)
	case Delay:
		time.Sleep(Late)
	case Duplicate:
		_ = do() // the second answer counts
	}
	return do()
}

// note counts a call and returns what is to be done to it, "" for nothing. request is what makes a read the same again, nil for a call
// with an effect.
func (i *Injector) note(by Caller, operation string, request []byte) Kind {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := sha256.Sum256(request)
	switch known := i.reads[by.Action]; {
	case request == nil:
		delete(i.reads, by.Action)
	case known[key]:
		return ""
	case known == nil:
		i.reads[by.Action] = map[[32]byte]bool{key: true}
	default:
		known[key] = true
	}
	count := by.Action + " " + operation
	i.counts[count]++
	call := Call{Number: len(i.calls) + 1, Name: fmt.Sprintf("%s#%d", count, i.counts[count])}
	i.calls = append(i.calls, call)
	due := slices.IndexFunc(i.plan, func(f Fault) bool { return f.Number == call.Number || f.Name == call.Name })
	if due < 0 {
		return ""
	}
	kind := i.plan[due].Kind
	i.plan = slices.Delete(i.plan, due, due+1)
	i.struck++
	return kind
}
