// Package faults numbers and names every call that the pipelines' builds make to the outside, and does to one of them what the real
// world would: kills the build before or after the call's effect, fails the call, delays it, carries it out twice, throttles it.
//
// It stands before the simulated AWS and GitHub and around the simulated providers, and knows nothing of what the calls mean. Who
// calls, and how a build is killed, is told by those who start it.
package faults

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what is done to a call.
type Kind string

// The kinds.
const (
	// KillBefore ends the calling build's processes before the call has an effect, KillAfter after it and before the answer.
	KillBefore Kind = "kill-before"
	KillAfter  Kind = "kill-after"
	// ErrorBefore answers that the server has trouble (500), without an effect; ErrorAfter cuts the connection after the effect.
	ErrorBefore Kind = "error-before"
	ErrorAfter  Kind = "error-after"
	// Delay answers after Late.
	Delay Kind = "delay"
	// Duplicate carries the call out twice and gives the second answer, as when the network loses the first and the client asks again.
	Duplicate Kind = "duplicate"
	// Throttle refuses the call with a rate limit, which the next try passes.
	Throttle Kind = "throttle"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{KillBefore, KillAfter, ErrorBefore, ErrorAfter, Delay, Duplicate, Throttle}
}

// Fault is one kind at one call, which is named by its number or by its name. It strikes once.
type Fault struct {
	Kind Kind
	// Number is the call's number in the order of the calls, from 1; 0 when Name names it.
	Number int
	// Name is the call's name, see Call.
	Name string
}

// Parse reads a fault as it is written on the command line: KIND:NUMBER or KIND:NAME.
func Parse(text string) (Fault, error) {
	kind, call, found := strings.Cut(text, ":")
	f := Fault{Kind: Kind(kind), Name: call}
	if !slices.Contains(Kinds(), f.Kind) || !found {
		return f, fmt.Errorf("fault %q: expected KIND:CALL, with KIND one of %s", text, KindList())
	}
	if number, err := strconv.Atoi(call); err == nil && number > 0 {
		f.Number, f.Name = number, ""
	} else if !strings.Contains(call, "#") {
		return f, fmt.Errorf("fault %q: expected a call's number, from 1, or its name, such as \"dev/software/Build s3.PutObject#1\"", text)
	}
	return f, nil
}

// String is the fault as Parse reads it.
func (f Fault) String() string {
	if f.Number > 0 {
		return fmt.Sprintf("%s:%d", f.Kind, f.Number)
	}
	return string(f.Kind) + ":" + f.Name
}

// KindList is all kinds in one line.
func KindList() string {
	var words []string
	for _, k := range Kinds() {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
