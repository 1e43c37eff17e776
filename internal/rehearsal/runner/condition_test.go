package runner

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// conditional provisions a pipeline that builds, asks for an approval under a condition, and builds again.
func (w *world) conditional(result string, rules ...any) error {
	w.t.Helper()
	w.project("Review", "export CHANGES=$(cat changes)\n", "env: {exported-variables: [CHANGES]}\n")
	w.project("Deploy", "true\n", "")
	return w.PutPipeline("p", m{
		"name": "p", "pipelineType": "V2", "executionMode": "SUPERSEDED", "roleArn": "arn:role",
		"artifactStores": []any{m{"type": "S3", "location": "b"}},
		"stages": []any{
			m{"name": "Source", "actions": []any{sourceAction()}},
			m{"name": "Review", "actions": []any{buildAction("Review", nil)}},
			m{"name": "Approve", "actions": []any{approvalAction("")}, "beforeEntry": m{"condition": m{"result": result, "rules": rules}}},
			m{"name": "Deploy", "actions": []any{buildAction("Deploy", nil)}},
		},
	})
}

func variableCheck(variable, operator, value string) m {
	return m{
		"name": "Needed", "ruleTypeId": m{"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
		"configuration": m{"Variable": variable, "Operator": operator, "Value": value},
	}
}

func statuses(e Execution) map[string]Status {
	out := map[string]Status{}
	for _, stage := range e.Stages {
		out[stage.Name] = stage.Status
	}
	return out
}

func TestAStageIsSkippedWhenItsRuleDoesNotHold(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.conditional("SKIP", variableCheck("#{Review.CHANGES}", "NE", "0")))
	asked := 0
	w.approve = func(context.Context, Approval) (bool, string, error) { asked++; return true, "", nil }

	w.commit("changes", "0\n")
	e := w.finish("p")
	assert.Equal(t, Succeeded, e.Status)
	assert.Equal(t, map[string]Status{"Source": Succeeded, "Review": Succeeded, "Approve": Skipped, "Deploy": Succeeded}, statuses(e))
	assert.Zero(t, asked)

	w.commit("changes", "10\n")
	e = w.finish("p")
	assert.Equal(t, Succeeded, e.Status)
	assert.Equal(t, Succeeded, statuses(e)["Approve"])
	assert.Equal(t, 1, asked)
}

func TestAStageFailsWhenItsRuleDoesNotHold(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.conditional("FAIL", variableCheck("#{Review.CHANGES}", "EQ", "0")))
	w.commit("changes", "1\n")
	e := w.finish("p")
	assert.Equal(t, Failed, e.Status)
	assert.Equal(t, map[string]Status{"Source": Succeeded, "Review": Succeeded, "Approve": Failed}, statuses(e))
}

func TestAConditionOnAVariableThatNobodyExportsFails(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.conditional("SKIP", variableCheck("#{Review.TYPO}", "NE", "0")))
	w.commit("changes", "0\n")
	assert.Equal(t, Failed, w.finish("p").Status, "an approval must never be skipped by mistake")
}

func TestConditionsThatAreNotSimulatedAreRefused(t *testing.T) {
	w := newWorld(t)
	other := variableCheck("#{Review.CHANGES}", "NE", "0")
	other["ruleTypeId"].(m)["provider"] = "LambdaInvoke"
	assert.ErrorContains(t, w.conditional("SKIP", other), "LambdaInvoke")
	assert.ErrorContains(t, w.conditional("SKIP", variableCheck("#{Review.CHANGES}", "MATCHES", "0")), "MATCHES")
	assert.ErrorContains(t, w.conditional("ROLLBACK", variableCheck("#{Review.CHANGES}", "NE", "0")), "ROLLBACK")
	assert.ErrorContains(t, w.conditional("SKIP"), "no rules")
}
