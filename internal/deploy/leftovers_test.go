package deploy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/review"
)

// TestACreationThatWasCutShortIsMadeAnew: whatever is known of it afterwards, in AWS and in the state, the next run makes one of each, and
// nothing is left over.
func TestACreationThatWasCutShortIsMadeAnew(t *testing.T) {
	const anew = "is deleted, to be made anew"
	for name, c := range map[string]struct {
		at      string
		strike  func(*serving, func() error) error
		deletes bool
		pending []string // after the first run
		left    []string // after the second
	}{
		"the template, its answer lost":   {at: "template", strike: lost, deletes: true},
		"the group, killed before":        {at: "group", strike: killedBefore, pending: []string{"group"}},
		"the group, killed after":         {at: "group", strike: killedAfter, pending: []string{"group"}, deletes: true},
		"the policy, killed after":        {at: "policy", strike: killedAfter, pending: []string{"policy"}},
		"what nobody looked for is noted": {at: "topic", strike: killedBefore, pending: []string{"topic"}, left: []string{"topic"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, (*world).serve)
			w.serving.at, w.serving.strike = c.at, c.strike
			_, err := w.deploy()
			require.Error(t, err)
			require.False(t, review.Refused(err), "%v", err)
			assert.Subset(t, w.pending(), c.pending)
			result, err := w.deploy()
			require.NoError(t, err, w.said.String())
			assert.Equal(t, deployment.Deployed, result.Outcome)
			if c.deletes {
				assert.Contains(t, w.said.String(), anew)
			} else {
				assert.NotContains(t, w.said.String(), anew)
			}
			assert.Equal(t, c.left, w.pending())
			assert.True(t, w.account.LaunchTemplateExists(app))
			assert.True(t, w.account.GroupExists(app))
		})
	}
}

// TestWhatTheRunDidNotMakeIsNotDeleted: it has a name that the release wants, and is somebody else's.
func TestWhatTheRunDidNotMakeIsNotDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		tags  map[string]string
		after time.Duration // it was created so long before the deployment began
		found string
	}{
		"another product's":   {map[string]string{"product": "other", "environment": "dev", "managed-by": "ha-devops"}, 0, "environment=dev managed-by=ha-devops product=other"},
		"it was there before": {serves, time.Hour, "environment=dev managed-by=ha-devops product=shop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, (*world).serve)
			w.account.PutLaunchTemplate("lt-1", 1, awssim.LaunchTemplate{Name: "other", ImageID: "ami-00000001"})
			require.NoError(t, w.account.PutGroup(awssim.Group{
				Name: app, Tags: c.tags, LaunchTemplateID: "lt-1", Version: 1, Min: 1, Desired: 1, Max: 1, Zones: []string{"eu-west-1a"},
			}))
			_, err := w.deploy()
			require.ErrorContains(t, err, "AlreadyExists")
			w.startLater(c.after)
			before := w.stateFile()
			for range 2 {
				_, err = w.deploy()
				var refusal *review.Refusal
				require.ErrorAs(t, err, &refusal)
				assert.Equal(t, "Auto Scaling group "+app, refusal.What)
				assert.Contains(t, refusal.Found, c.found)
				assert.Contains(t, refusal.Hint(), "delete it and retry the stage")
				assert.Len(t, w.account.Instances(app), 1)
				assert.Equal(t, before, w.stateFile(), "nothing was changed")
			}
			require.NoError(t, w.account.DeleteGroup(app))
			_, err = w.deploy()
			require.NoError(t, err, "the remedy helps")
		})
	}
}

// startLater writes down that the deployment began later than it did.
func (w *world) startLater(by time.Duration) {
	w.t.Helper()
	start, began, err := w.records().Began(w.t.Context(), w.digest)
	require.NoError(w.t, err)
	require.True(w.t, began)
	start.At = start.At.Add(by)
	content, err := json.Marshal(start)
	require.NoError(w.t, err)
	require.NoError(w.t, w.account.PutObject(bucket, deployment.Folder+"/dev/"+w.digest+"/started.json", content))
}
