package status_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/status"
	"github.com/tekpossible/ha-devops/internal/terminal"
)

// source is an environment where all is well, and a review waits.
func source() status.Source {
	return status.Source{
		Environment: "dev",
		Release:     func(context.Context) (*history.Entry, error) { return &history.Entry{AMI: "ami-2"}, nil },
		Deployed: func(context.Context) (*status.Deployed, error) {
			return &status.Deployed{Release: report.Release{AMI: "ami-1"}}, nil
		},
		Pipelines: []func(context.Context) (pipelinestate.Pipeline, error){func(context.Context) (pipelinestate.Pipeline, error) {
			return pipelinestate.Pipeline{Role: "infrastructure", Runs: []pipelinestate.Run{{Status: pipelinestate.Waiting, Stage: "Approve"}}}, nil
		}},
		Reviews: func(context.Context) ([]approval.Review, error) {
			return []approval.Review{{Digest: "old", Decision: approval.Ended}, {Digest: "new", Decision: approval.Undecided}}, nil
		},
		Promotion: func(_ context.Context, r report.Release) (report.Promotion, error) {
			return report.Promotion{State: "of " + r.AMI}, nil
		},
		Holds: func(context.Context) ([]status.Hold, error) { return nil, nil },
	}
}

func TestGather(t *testing.T) {
	s := status.Gather(t.Context(), []status.Source{source()})
	require.True(t, s.Complete())
	e := s.Environments[0]
	assert.Equal(t, "new", e.Approval.Digest)
	assert.True(t, e.Differs())
	assert.Equal(t, "of ami-2", e.Promotion.State)
	assert.WithinDuration(t, time.Now(), s.At, time.Minute)
}

func TestWhatIsNotKnownHidesNothingElse(t *testing.T) {
	broken := source()
	denied := errors.New("access denied\nto everything")
	broken.Release = func(context.Context) (*history.Entry, error) { return nil, denied }
	broken.Pipelines = append(broken.Pipelines, func(context.Context) (pipelinestate.Pipeline, error) { return pipelinestate.Pipeline{}, denied })
	s := status.Gather(t.Context(), []status.Source{broken, source()})
	assert.False(t, s.Complete())
	e := s.Environments[0]
	assert.Equal(t, []string{"access denied", "to everything"}, e.Problems, "once each")
	assert.Equal(t, "new", e.Approval.Digest)
	assert.Equal(t, "of ami-1", e.Promotion.State, "of what was deployed, while git's release is not known")
	assert.False(t, e.Differs())
	assert.Empty(t, s.Environments[1].Problems)
	page := &terminal.Page{}
	status.Text(page, s)
	assert.Contains(t, page.String(), "not known       access denied")
}

func TestChangesAreFactsThatChanged(t *testing.T) {
	before := status.Gather(t.Context(), []status.Source{source()})
	assert.Equal(t, []string{
		"dev release: ami-2", "dev deployed:  (ami-1)", "dev infrastructure: waiting at Approve, commit unknown",
		"dev approval: , digest new, relay approve dev new", "dev promotion: of ami-2",
	}, status.Changes(status.Status{}, before))
	decided := source()
	decided.Pipelines = nil
	now := status.Gather(t.Context(), []status.Source{decided})
	now.Environments[0].Holds = []status.Hold{{Repository: "infra", Text: "until\nMonday"}}
	assert.Equal(t, []string{"dev approval: none", "dev hold: infra: until Monday"}, status.Changes(before, now))
	assert.Empty(t, status.Changes(now, now))
}
