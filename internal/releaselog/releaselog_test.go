package releaselog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/releaselog"
	"github.com/tekpossible/ha-devops/internal/report"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(minute int) time.Time { return start.Add(time.Duration(minute) * time.Minute) }

func named(commit, ami string, minute int) history.Entry {
	return history.Entry{Commit: commit, AMI: ami, Time: at(minute), Author: "kim"}
}

func deployed(commit, ami string, minute int) deployment.Result {
	return deployment.Result{Outcome: deployment.Deployed, Review: commit + "-review", Commit: commit, To: report.Release{AMI: ami}, At: at(minute)}
}

func TestRecordsGoToTheirReleases(t *testing.T) {
	back := named("c4", "ami-1", 30)
	back.Message, back.Trailers = "rollback: v1\n\ncarts are lost\n\nAsked for by kim.\n\nRolled-Back-From: ami-2\n", "Rolled-Back-From: ami-2\n"
	failed := deployed("c3", "ami-1", 25)
	failed.Outcome, failed.From, failed.Reason = deployment.RolledBack, report.Release{AMI: "ami-3"}, "never healthy"
	log := releaselog.Of(
		[]history.Entry{named("c5", "ami-4", 40), back, named("c3", "ami-3", 20), named("c2", "ami-2", 10), named("c1", "ami-1", 0)},
		[]deployment.Result{
			deployed("c4", "ami-1", 35),
			failed,
			deployed("settings", "ami-2", 15), // environment.json changed
			deployed("c2", "ami-2", 12),
			deployed("c1", "ami-1", 5),
		})
	require.Len(t, log, 5)
	var states []releaselog.State
	for _, e := range log {
		states = append(states, e.State)
		if e.Deployment != nil {
			assert.Equal(t, e.Commit, e.Deployment.Commit)
		}
	}
	assert.Equal(t, []releaselog.State{releaselog.NotDeployed, releaselog.Deployed, releaselog.RolledBack, releaselog.RolledBack, releaselog.Deployed}, states)
	assert.True(t, log[1].Rollback)
	assert.Equal(t, "never healthy", log[2].Reason)
	assert.Equal(t, "carts are lost", log[3].Reason)
	assert.Equal(t, "kim", log[3].By)
	assert.Equal(t, at(30), *log[3].At)
}

func TestAReleaseThatALaterCommitDeployed(t *testing.T) {
	// The pipeline takes the newest commit, so that a release may come with one that changed something else.
	log := releaselog.Of([]history.Entry{named("c1", "ami-1", 0)}, []deployment.Result{deployed("later", "ami-1", 9), deployed("other", "ami-1", 5)})
	assert.Equal(t, "other", log[0].Deployment.Commit, "the first deployment brought it")
	log = releaselog.Of([]history.Entry{named("c2", "ami-1", 8)}, []deployment.Result{deployed("c1", "ami-1", 5)})
	assert.Equal(t, releaselog.NotDeployed, log[0].State, "what was deployed before the branch named it was another time")
}
