package runner

import (
	"fmt"
	"slices"
)

// condition is what a stage demands before it is entered, see
// https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html.
type condition struct {
	Condition struct {
		Result string `json:"result"`
		Rules  []rule `json:"rules"`
	} `json:"condition"`
}

// rule is one demand; https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html.
type rule struct {
	Name       string `json:"name"`
	RuleTypeID struct {
		Category string `json:"category"`
		Owner    string `json:"owner"`
		Provider string `json:"provider"`
		Version  string `json:"version"`
	} `json:"ruleTypeId"`
	Configuration struct {
		Variable string `json:"Variable"`
		Value    string `json:"Value"`
		Operator string `json:"Operator"`
	} `json:"configuration"`

	Region, InputArtifacts ignored
}

// The operators of a VariableCheck that are simulated.
const (
	operatorEqual   = "EQ"
	operatorUnequal = "NE"
)

// check refuses what is not simulated.
func (c *condition) check(first bool) error {
	if c == nil {
		return nil
	}
	if first {
		return fmt.Errorf("the source stage has no conditions before its entry")
	}
	if !slices.Contains([]string{"SKIP", "FAIL"}, c.Condition.Result) {
		return fmt.Errorf("beforeEntry: result %q is not SKIP or FAIL", c.Condition.Result)
	}
	if len(c.Condition.Rules) == 0 {
		return fmt.Errorf("beforeEntry: there are no rules")
	}
	for _, r := range c.Condition.Rules {
		if kind := r.RuleTypeID; kind.Category != "Rule" || kind.Owner != "AWS" || kind.Provider != "VariableCheck" || kind.Version != "1" {
			return fmt.Errorf("beforeEntry: rule %q: type %+v is not simulated; only Rule/AWS/VariableCheck/1 is", r.Name, kind)
		}
		if !slices.Contains([]string{operatorEqual, operatorUnequal}, r.Configuration.Operator) {
			return fmt.Errorf("beforeEntry: rule %q: operator %q is not simulated; EQ and NE are", r.Name, r.Configuration.Operator)
		}
	}
	return nil
}

// admits says whether the execution may enter: every rule holds. Else the rule that does not is named.
func (c *condition) admits(e *execution) (bool, string, error) {
	if c == nil {
		return true, "", nil
	}
	for _, r := range c.Condition.Rules {
		value, err := e.resolve(r.Configuration.Variable)
		if err != nil {
			return false, "", fmt.Errorf("rule %q: %w", r.Name, err)
		}
		if equal := value == r.Configuration.Value; equal != (r.Configuration.Operator == operatorEqual) {
			return false, fmt.Sprintf("rule %q: %s is %q", r.Name, r.Configuration.Variable, value), nil
		}
	}
	return true, "", nil
}

// gate decides before a stage whether it runs. It returns Succeeded for a stage that does; a stage that does not is recorded with
// the status that it ends with.
func (r *Runner) gate(e *execution, definition stageDefinition) Status {
	enters, reason, err := definition.BeforeEntry.admits(e)
	status := Skipped
	switch {
	case err != nil:
		status, reason = Failed, fmt.Sprintf("pipeline %q, stage %q: %s", e.Pipeline, definition.Name, err)
	case enters:
		return Succeeded
	case definition.BeforeEntry.Condition.Result == "FAIL":
		status = Failed
	}
	r.mu.Lock()
	e.Stages = append(e.Stages, Stage{Name: definition.Name, Status: status})
	if status == Failed {
		e.Reason = reason
	}
	r.mu.Unlock()
	event := Event{Pipeline: e.Pipeline, Execution: e.ID, Stage: definition.Name, Status: status, Summary: reason}
	if status == Failed {
		event.Error = reason
	}
	r.log(event)
	return status
}
