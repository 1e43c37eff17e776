package stack

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// ErrLocked says that another update holds the stack's lock.
var ErrLocked = errors.New("another update of the stack is running or was killed; wait for it, or run pulumi cancel when it is gone")

// ErrPlan says that an update did something else than its plan allows.
var ErrPlan = errors.New("the update differs from its plan")

// violation says when it was the plan that an update failed on. A resource that differs is named by the engine; outputs that differ
// fail the update without any message (pulumi/pulumi#16670), and take the outputs out of the state.
func violation(planFile string, err error) error {
	text := err.Error()
	switch {
	case planFile == "" || errors.Is(err, ErrLocked):
		return err
	case strings.Contains(text, violates):
		return fmt.Errorf("%w: %s", ErrPlan, redact(text))
	case strings.HasSuffix(strings.TrimSpace(text), "stderr:"):
		return fmt.Errorf("%w: Pulumi ended without a message, as it does when only stack outputs differ (pulumi/pulumi#16670)", ErrPlan)
	}
	return err
}

const violates = "violates plan"

// redact cuts a message off where Pulumi begins to show how a resource violates its plan: with the values on both sides, in the clear
// even where they are secret.
func redact(text string) string {
	if head, _, found := strings.Cut(text, violates); found {
		return head + violates + " (values are not shown, they may be secret)"
	}
	return text
}

var colours = regexp.MustCompile(`<\{%[^%]*%\}>|\x1b\[[0-9;]*m`)

// noise is what the CLI, the Automation API and the Go SDK put around the message that matters, at the beginning of a line.
var noise = []string{
	"error: ", "an unhandled error occurred: ", "program exited with non-zero exit code: 1", "program failed: ", "1 error occurred:", "* ",
	"update failed", "preview failed",
}

func plain(message string) string {
	return strings.TrimSpace(colours.ReplaceAllString(message, ""))
}

// cause reduces an error of the Automation API, which carries the whole output of the CLI, to what went wrong: the engine's own
// error messages where there are any, else what the CLI printed to stderr.
func cause(err error, problems []string) error {
	// The predicates of the Automation API look at the error itself and not at what it wraps.
	if auto.IsConcurrentUpdateError(err) {
		return ErrLocked
	}
	if len(problems) == 0 {
		problems = stderr(err.Error())
	}
	var lines []string
	for _, problem := range problems {
		for line := range strings.Lines(problem) {
			if line = quiet(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		return err
	}
	return errors.New(strings.Join(lines, "\n"))
}

// stderr cuts the CLI's error output out of an error of the Automation API.
func stderr(text string) []string {
	_, after, ok := strings.Cut(plain(text), "\nstderr: ")
	if !ok {
		return nil
	}
	return []string{strings.TrimSpace(after)}
}

// quiet takes the noise off a line.
func quiet(line string) string {
	line = strings.TrimSpace(line)
	for _, n := range noise {
		line = strings.TrimSpace(strings.TrimPrefix(line+" ", n))
	}
	return line
}
