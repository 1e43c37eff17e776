// Package policy holds the rules that a review is held against, in Rego, one to a file with its tests beside it. Package lint
// evaluates them.
//
// A rule is a package below policy with two documents: rule, what it says about itself (id, title, severity, why, fix), and findings,
// a set of objects with message and, unless it is about the whole plan, resource, the URN; severity where it differs from the
// rule's. The input is what lint.Input says, as JSON: environment, pipeline, promotion, and resources, each as in preview.Resource with
// its component (name and type) and its dependencies, the URNs that each property depends on, from the plan.
//
// A value that is known only after the update is "[unknown]", and one that is secret "[secret]". A rule counts such a value as bad
// where only a constant is good (who is let in, whether something is encrypted), and as good where any value is (a key, a version).
package policy

import "embed"

// Files are the rules, the helpers they share (lib.rego), and their tests (*_test.rego).
//
//go:embed *.rego
var Files embed.FS
