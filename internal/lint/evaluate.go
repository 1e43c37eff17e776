package lint

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// Input is what is held against the rules.
type Input struct {
	// Environment is the environment's name.
	Environment string
	// Pipeline says that the preview is an infrastructure pipeline's. The platform team's own may change everything.
	Pipeline bool
	// Preview is what the program would do, and Plan what Pulumi saved with the same preview.
	Preview preview.Preview
	Plan    []byte
	// Exceptions are those of ParseExceptions. Now is when they count or no longer do.
	Exceptions []Exception
	Now        time.Time
}

// Result is what came of it.
type Result struct {
	// Rules are all that were evaluated, sorted by ID; a rule without findings has passed.
	Rules []Rule
	// Findings are those that block first, then by severity, rule, resource and message.
	Findings []Finding
}

// Lint holds a preview and its plan against the rules in policy/. It fails, rather than to find nothing, when preview or plan are empty
// or cannot be read, when one is not the other's, and when a rule has no result.
func Lint(ctx context.Context, in Input) (Result, error) {
	r, err := compiled()
	if err != nil {
		return Result{}, err
	}
	return r.lint(ctx, in)
}

func (r *rules) lint(ctx context.Context, in Input) (Result, error) {
	if in.Environment == "" || in.Now.IsZero() {
		return Result{}, errors.New("lint: environment and time must not be empty")
	}
	plan, err := parsePlan(in.Plan)
	if err != nil {
		return Result{}, err
	}
	if err := plan.matches(in.Preview); err != nil {
		return Result{}, err
	}
	value, err := in.value(plan)
	if err != nil {
		return Result{}, err
	}
	results, err := r.evaluate(ctx, value)
	if err != nil {
		return Result{}, err
	}
	var findings []Finding
	for _, name := range r.packages {
		for _, f := range results[name].Findings {
			about := r.about[name]
			about.Severity = cmp.Or(f.Severity, about.Severity)
			findings = append(findings, Finding{Rule: about, Resource: f.Resource, Message: f.Message})
		}
	}
	findings = except(findings, in.Exceptions, in.Now)
	slices.SortFunc(findings, order)
	return Result{Rules: r.all(), Findings: findings}, nil
}

var severities = []Severity{Error, Warning, Note}

func (s Severity) known() bool { return slices.Contains(severities, s) }

func order(a, b Finding) int {
	blocks := func(f Finding) int {
		if f.Blocks() {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(blocks(a), blocks(b)),
		cmp.Compare(slices.Index(severities, a.Rule.Severity), slices.Index(severities, b.Rule.Severity)),
		strings.Compare(a.Rule.ID, b.Rule.ID), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Message, b.Message),
	)
}

// decode turns what OPA returns into our own types.
func decode(from, into any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
