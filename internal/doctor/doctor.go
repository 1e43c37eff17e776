// Package doctor checks whether an environment can be provisioned and delivered to: one check for each thing that docs/bootstrap.md
// asks of people, each with what was found and what to do. It only reads. Where an environment's settings come from, and how results are
// shown, is the caller's.
package doctor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	// OK: it is as it should be.
	OK Status = "ok"
	// Note: nothing is wrong, but people should know.
	Note Status = "note"
	// Problem: it must be mended.
	Problem Status = "problem"
	// NotChecked: nothing is known, because something else is missing or may not be asked.
	NotChecked Status = "not checked"
)

// Result is what a check found.
type Result struct {
	// Check is the check's name.
	Check string `json:"check"`
	// Step is the step of docs/bootstrap.md that it belongs to.
	Step   int    `json:"step"`
	Status Status `json:"status"`
	// Found is what was found, in one line.
	Found string `json:"found"`
	// Fix is what to do, empty when there is nothing to do.
	Fix string `json:"fix,omitempty"`
}

// Check is one thing to look at.
type Check struct {
	Name string
	// Step is the step of docs/bootstrap.md that it belongs to.
	Step int
	// Needs are the names of earlier checks without whose success this one says nothing.
	Needs []string
	// Run looks. It leaves the result's name and step out.
	Run func(context.Context) Result
}

// Run carries the checks out at once, each with its own timeout, and returns their results in the order of the checks. One whose needs
// are not met is not carried out.
func Run(ctx context.Context, checks []Check, timeout time.Duration) []Result {
	results := make([]Result, len(checks))
	done := map[string]chan struct{}{}
	place := map[string]int{}
	for i, check := range checks {
		done[check.Name], place[check.Name] = make(chan struct{}), i
	}
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() {
			defer close(done[check.Name])
			var unmet []string
			for _, need := range check.Needs {
				<-done[need]
				if s := results[place[need]].Status; s != OK && s != Note {
					unmet = append(unmet, need)
				}
			}
			results[i] = check.carryOut(ctx, unmet, timeout)
		})
	}
	all.Wait()
	return results
}

func (c Check) carryOut(ctx context.Context, unmet []string, timeout time.Duration) Result {
	var result Result
	if len(unmet) > 0 {
		result = notChecked("it needs: " + strings.Join(unmet, ", "))
	} else {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		result = c.Run(ctx)
	}
	result.Check, result.Step = c.Name, c.Step
	return result
}

// Problems counts the results that must be mended.
func Problems(results []Result) int {
	n := 0
	for _, r := range results {
		if r.Status == Problem {
			n++
		}
	}
	return n
}

func ok(found string, args ...any) Result {
	return Result{Status: OK, Found: fmt.Sprintf(found, args...)}
}

func note(found string, args ...any) Result {
	return Result{Status: Note, Found: fmt.Sprintf(found, args...)}
}

func notChecked(found string) Result { return Result{Status: NotChecked, Found: found} }

// problem is a result with what to do.
func problem(found, fix string) Result { return Result{Status: Problem, Found: found, Fix: fix} }
