// Package releaselog puts together what git and the records of deployments know of an environment's releases: what it was given, who
// approved it, whether it ran, and what was rolled back.
package releaselog

import (
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/history"
)

// State is what became of a release.
type State string

// The states.
const (
	// Deployed: it ran, or runs.
	Deployed State = "deployed"
	// RolledBack: it did not run and relay brought the last good release back, or people took it away.
	RolledBack State = "rolled-back"
	// NotDeployed: no deployment of it is recorded. It waits, was overtaken, or the platform team deployed it with pulumi up.
	NotDeployed State = "not-deployed"
)

// Entry is a release that the environment's branch named.
type Entry struct {
	history.Entry
	State State `json:"state"`
	// Rollback says that the commit brought this earlier release back.
	Rollback bool `json:"rollback"`
	// Deployment is the record of its deployment, with who approved it.
	Deployment *deployment.Result `json:"deployment,omitempty"`
	// Reason is why it was rolled back: what did not run, or what the commit says that took it away, By whose that was and At when.
	Reason string     `json:"reason,omitempty"`
	By     string     `json:"by,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

// Of joins a branch's releases with the records of deployments, both the newest first.
func Of(releases []history.Entry, results []deployment.Result) []Entry {
	entries := []Entry{}
	used := make([]bool, len(results))
	taken := map[string]history.Entry{} // the rollback that took an AMI away, until the release it was is met
	for _, release := range releases {
		e := Entry{Entry: release, State: NotDeployed, Rollback: release.Rollback()}
		if i := recordOf(release, results, used); i >= 0 {
			e.Deployment, e.State = &results[i], Deployed
			if results[i].Outcome == deployment.RolledBack {
				e.State, e.Reason, e.By, e.At = RolledBack, results[i].Reason, "relay deploy", &results[i].At
			}
		}
		if by, ok := taken[release.AMI]; ok {
			delete(taken, release.AMI)
			if e.State != RolledBack {
				e.State, e.Reason, e.By, e.At = RolledBack, reason(by.Message), by.Author, &by.Time
			}
		}
		if from := rolledBackFrom(release.Trailers); from != "" {
			taken[from] = release
		}
		entries = append(entries, e)
	}
	return entries
}

// recordOf finds the record of the deployment that brought a release: that of its own commit, or else the first of its AMI. Later ones,
// which changed settings only, are used up with it, and none is left for an earlier time that the branch named the same AMI.
func recordOf(release history.Entry, results []deployment.Result, used []bool) int {
	found := -1
	for i, r := range results {
		if used[i] || r.Tried() != release.AMI || r.At.Before(release.Time) {
			continue
		}
		used[i] = true
		if found < 0 || results[found].Commit != release.Commit {
			found = i
		}
	}
	return found
}

func rolledBackFrom(trailers string) string {
	for line := range strings.Lines(trailers) {
		if from, ok := strings.CutPrefix(line, history.RolledBackFrom); ok {
			return strings.TrimSpace(from)
		}
	}
	return ""
}

// reason is why a rollback was made: the first paragraph of its message after the subject, which names the release that came back.
func reason(message string) string {
	paragraphs := strings.Split(strings.TrimSpace(message), "\n\n")
	if len(paragraphs) > 2 {
		return strings.Join(strings.Fields(paragraphs[1]), " ")
	}
	return strings.Join(strings.Fields(paragraphs[0]), " ")
}
