package relaypage

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// verdict is what a page or a lane comes to: its Kind is a class of the style, Title a few words, Text more of them.
type verdict struct{ Kind, Title, Text string }

func (p Page) verdict() verdict {
	if p.Failure != "" {
		return verdict{"failed", "Failed", p.Failure}
	}
	var worst verdict
	var where []string
	for _, l := range p.Lanes {
		v := l.verdict()
		switch {
		case worst.Kind == "" || rank(v.Kind) < rank(worst.Kind):
			worst, where = v, []string{l.Environment}
		case v.Kind == worst.Kind:
			where = append(where, l.Environment)
		}
	}
	switch worst.Kind {
	case "":
		return verdict{"empty", "No environment", ""}
	case "unknown":
		return verdict{worst.Kind, "Not all of it is known", "What could not be found out stands in its place, in " + and(where) + "."}
	case "succeeded":
		title := "Released to " + and(where)
		if len(where) == len(p.Lanes) {
			title = "Released everywhere"
		}
		return verdict{worst.Kind, title, p.released()}
	case "empty":
		return verdict{worst.Kind, "Nothing is released yet", ""}
	}
	return verdict{worst.Kind, worst.Title, "In " + and(where) + "."}
}

// released says what the environments run that run something.
func (p Page) released() string {
	var tags, names, bare []string
	for _, l := range p.Lanes {
		if (l.Runs == Release{}) {
			bare = append(bare, l.Environment)
			continue
		}
		tags, names = append(tags, l.Runs.ArtifactTag), append(names, l.Environment)
	}
	text := "Each environment runs what its branch names"
	switch {
	case len(names) == 1:
		text = names[0] + " runs " + tags[0]
	case len(slices.Compact(tags)) == 1:
		text = and(names) + " run " + tags[0]
	}
	if len(bare) > 0 {
		text += "; nothing runs in " + and(bare) + " yet"
	}
	return text + "."
}

// ranks are the kinds, the one that people should know of first before the others.
var ranks = []string{"failed", "unknown", "waiting", "held", "running", "succeeded", "empty"}

func rank(kind string) int { return slices.Index(ranks, kind) }

func (l Lane) verdict() verdict {
	newest := map[string]Execution{}
	for _, e := range l.Executions {
		newest[e.Role] = e
	}
	has := func(s Status) bool {
		for _, e := range newest {
			if e.Status == s {
				return true
			}
		}
		return false
	}
	switch {
	case has(Failed):
		return verdict{Kind: "failed", Title: "Failed"}
	case len(l.Problems) > 0:
		return verdict{Kind: "unknown", Title: "Not all known"}
	case l.Waiting != nil || has(Waiting):
		return verdict{Kind: "waiting", Title: "Waits for approval"}
	case len(l.Holds) > 0:
		return verdict{Kind: "held", Title: "On hold"}
	case has(Running):
		return verdict{Kind: "running", Title: "Under way"}
	case l.Runs == Release{}:
		return verdict{Kind: "empty", Title: "Nothing yet"}
	}
	return verdict{Kind: "succeeded", Title: "Released"}
}

// health is a line about the instances: how many of them are healthy, or what the others are.
func (l Lane) health() string {
	var ill []string
	for _, i := range l.Instances {
		if !i.Healthy && !slices.Contains(ill, i.Health) {
			ill = append(ill, i.Health)
		}
	}
	healthy := 0
	for _, i := range l.Instances {
		if i.Healthy {
			healthy++
		}
	}
	switch {
	case len(l.Instances) == 0:
		return ""
	case len(ill) == 0:
		return fmt.Sprintf("%d, healthy", healthy)
	}
	return fmt.Sprintf("%d of %d healthy; others %s", healthy, len(l.Instances), and(ill))
}

// and lists words.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// brief is a commit's short hash.
func brief(sha string) string { return sha[:min(len(sha), 12)] }

// moment is a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006, 15:04 UTC") }

// took is a duration for people, in two units at most.
func took(d time.Duration) string {
	parts := func(big, small time.Duration, bigName, smallName string) string {
		text := fmt.Sprintf("%d %s", d/big, bigName)
		if rest := d % big / small; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, smallName)
		}
		return text
	}
	switch {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return parts(time.Minute, time.Second, "min", "s")
	case d < 24*time.Hour:
		return parts(time.Hour, time.Minute, "h", "min")
	}
	return parts(24*time.Hour, time.Hour, "d", "h")
}
