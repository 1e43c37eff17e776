package status_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/relaypage"
	"github.com/tekpossible/ha-devops/internal/status"
)

func TestPage(t *testing.T) {
	began := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	waiting, broken := source(), source()
	waiting.Reviews = func(context.Context) ([]approval.Review, error) {
		return []approval.Review{{Digest: "9f86d081884c7d659a2f", Decision: approval.Undecided, At: began, Summary: "3 to create", Report: "https://example.com/report.html"}}, nil
	}
	broken.Environment = "qa"
	broken.Deployed = func(context.Context) (*status.Deployed, error) { return nil, nil }
	broken.Holds = func(context.Context) ([]status.Hold, error) {
		return []status.Hold{{Repository: "shop-image", Text: "ask Kim"}}, nil
	}
	broken.Pipelines = []func(context.Context) (pipelinestate.Pipeline, error){func(context.Context) (pipelinestate.Pipeline, error) {
		return pipelinestate.Pipeline{Role: "image", Runs: []pipelinestate.Run{
			{Status: pipelinestate.Running, Stage: "Bake", Execution: "newer", Started: began.Add(time.Hour), Since: began.Add(time.Hour)},
			{
				Status: pipelinestate.Failed, Stage: "Bake", Execution: "older", Started: began, Since: began.Add(14 * time.Minute),
				Reason: "no disk is left", Log: "https://example.com/log",
			},
		}}, nil
	}}
	p := status.Page("shop", status.Gather(t.Context(), []status.Source{waiting, broken}))

	dev, qa := p.Lanes[0], p.Lanes[1]
	assert.Equal(t, "ami-1", dev.Runs.AMI)
	assert.Equal(t, "ami-2", dev.Named.AMI, "git names another release than the stack deployed")
	assert.Equal(t, &relaypage.Review{
		Since: began, Summary: "3 to create", Report: "https://example.com/report.html", Command: "relay approve dev 9f86d081884c",
	}, dev.Waiting)
	assert.Zero(t, dev.Executions[0].Ended, "it has not ended")
	assert.Zero(t, qa.Runs)
	assert.Equal(t, "ami-2", qa.Named.AMI)
	assert.Equal(t, []relaypage.Hold{{Repository: "shop-image", Text: "ask Kim"}}, qa.Holds)
	assert.Equal(t, []string{"older", "newer"}, []string{qa.Executions[0].ID, qa.Executions[1].ID}, "in the order that they began")
	assert.Equal(t, began.Add(14*time.Minute), qa.Executions[0].Ended)

	var out bytes.Buffer
	require.NoError(t, relaypage.HTML(&out, p))
	for _, part := range []string{
		"Waits for approval", "relay approve dev 9f86d081884c", `href="https://example.com/report.html"`, "no disk is left", `href="https://example.com/log"`,
		"14 min", "running at Bake", "ask Kim",
	} {
		assert.Contains(t, out.String(), part)
	}
}
