package lint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tekpossible/ha-devops/policy"
)

// rules are compiled rules. They may be evaluated by several goroutines.
type rules struct {
	query rego.PreparedEvalQuery
	// packages are the rules' names in Rego, sorted; about says what each says about itself.
	packages []string
	about    map[string]Rule
}

// compiled are the rules in policy/. They are compiled when they are first needed, and once.
var compiled = sync.OnceValues(func() (*rules, error) { return compile(context.Background(), policy.Files) })

// Rules returns what the rules say about themselves, sorted by ID, with those of this package itself.
func Rules() ([]Rule, error) {
	r, err := compiled()
	if err != nil {
		return nil, err
	}
	return r.all(), nil
}

func (r *rules) all() []Rule {
	all := []Rule{exceptions}
	for _, name := range r.packages {
		all = append(all, r.about[name])
	}
	slices.SortFunc(all, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// everything asks for each rule's two documents, and for nothing that rules keep for themselves.
const everything = `x := {name: found |
	about := data.policy[name].rule
	found := {"rule": about, "findings": data.policy[name].findings}
}`

// compile reads the modules at the top of files, without their tests, and asks each rule what it is.
func compile(ctx context.Context, files fs.FS) (*rules, error) {
	names, err := fs.Glob(files, "*.rego")
	if err != nil {
		return nil, err
	}
	r := &rules{about: map[string]Rule{}}
	options := []func(*rego.Rego){
		rego.Query(everything), rego.Strict(true),
		// A built-in function that fails would otherwise make its rule find nothing.
		rego.StrictBuiltinErrors(true),
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		module, err := ast.ParseModuleWithOpts(path.Join("policy", name), string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, fmt.Errorf("policy/%s: %w", name, err)
		}
		options = append(options, rego.ParsedModule(module))
		if rule, ok := strings.CutPrefix(module.Package.Path.String(), "data.policy."); ok {
			r.packages = append(r.packages, rule)
		}
	}
	if len(r.packages) == 0 {
		return nil, errors.New("policy: it holds no rules; expected modules below the package policy")
	}
	slices.Sort(r.packages)
	if r.query, err = rego.New(options...).PrepareForEval(ctx); err != nil {
		return nil, fmt.Errorf("compiling policy: %w", err)
	}
	empty, err := ast.InterfaceToValue(map[string]any{"environment": "", "pipeline": false, "promotion": "", "resources": []any{}})
	if err != nil {
		return nil, err
	}
	results, err := r.evaluate(ctx, empty)
	if err != nil {
		return nil, err
	}
	seen := map[string]string{exceptions.ID: "package lint"}
	for _, name := range r.packages {
		about := results[name].Rule
		if about.ID == "" || about.Title == "" || about.Why == "" || about.Fix == "" || !about.Severity.known() {
			return nil, fmt.Errorf("policy.%s: rule is %+v; expected id, title, why, fix, and severity error, warning or note", name, about)
		}
		if other, ok := seen[about.ID]; ok {
			return nil, fmt.Errorf("policy.%s: the id %q is that of %s, too", name, about.ID, other)
		}
		seen[about.ID], r.about[name] = name, about
	}
	return r, nil
}

// result is what a rule says about itself, and what it found.
type result struct {
	Rule     Rule `json:"rule"`
	Findings []struct {
		Resource string   `json:"resource"`
		Message  string   `json:"message"`
		Severity Severity `json:"severity"`
	} `json:"findings"`
}

// evaluate holds all rules against an input, and returns what each found by its name in Rego. A rule that has no result is an error:
// nobody knows what it would have found.
func (r *rules) evaluate(ctx context.Context, input ast.Value) (map[string]result, error) {
	set, err := r.query.Eval(ctx, rego.EvalParsedInput(input))
	if err != nil {
		return nil, fmt.Errorf("evaluating policy: %w", err)
	}
	if len(set) != 1 {
		return nil, fmt.Errorf("evaluating policy: it has %d results; expected one", len(set))
	}
	var results map[string]result
	if err := decode(set[0].Bindings["x"], &results); err != nil {
		return nil, fmt.Errorf("evaluating policy: %w", err)
	}
	for _, name := range r.packages {
		if results[name].Findings == nil {
			return nil, fmt.Errorf("policy.%s: it has no result; expected the documents rule and findings", name)
		}
		for _, f := range results[name].Findings {
			if f.Message == "" || f.Severity != "" && !f.Severity.known() {
				return nil, fmt.Errorf("policy.%s: it found %+v; expected a message, and no severity or one of error, warning, note", name, f)
			}
		}
	}
	return results, nil
}
