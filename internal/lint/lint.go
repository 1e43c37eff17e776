// Package lint holds a preview and its plan against the rules in policy/, which it evaluates in process with Open Policy Agent, and
// sorts out which findings an owner of the environment has excepted. What is done about findings is for its callers.
package lint

// Severity says what a finding does. The words are those of SARIF's levels.
type Severity string

// The severities.
const (
	// Error fails the review.
	Error Severity = "error"
	// Warning and Note are shown to the approver.
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Rule is what a rule says about itself.
type Rule struct {
	// ID is the rule's short name, such as "open-ingress".
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	// Why says what goes wrong otherwise, Fix what to do.
	Why string `json:"why"`
	Fix string `json:"fix"`
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule Rule `json:"rule"`
	// Resource is the URN of the resource, empty when the finding is about the whole plan.
	Resource string `json:"resource,omitempty"`
	// Message says what was found, on which property, with which value.
	Message string `json:"message"`
	// Exception is why it does not count, nil when it does.
	Exception *Exception `json:"exception,omitempty"`
}

// Blocks says that the finding fails the review.
func (f Finding) Blocks() bool { return f.Rule.Severity == Error && f.Exception == nil }

// Exception lets one finding of a rule on a resource pass for a time.
type Exception struct {
	// Rule is the rule's ID, Resource a URN or the end of one after "::", such as "aws:lb/listener:Listener::app-https".
	Rule     string `json:"rule"`
	Resource string `json:"resource"`
	// Reason says why, Owner who answers for it.
	Reason string `json:"reason"`
	Owner  string `json:"owner"`
	// Expires is the last day on which it counts, as 2006-01-02 in UTC.
	Expires string `json:"expires"`
}
