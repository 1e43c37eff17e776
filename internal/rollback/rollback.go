// Package rollback brings an earlier release of an environment back, and holds the environment so that it stays: both are one commit to
// the infrastructure repository's branch, so that no hand-off comes between. It also sets and lifts holds alone.
package rollback

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Hub is what a rollback needs of GitHub.
type Hub interface {
	handoff.PullHub
	history.Hub
}

// Request is a rollback.
type Request struct {
	// Repository is the infrastructure repository, Environment the branch.
	Repository, Environment string
	// To is what to go back to: an AMI, an artifact's tag, or 7 digits or more of a commit of the infrastructure, image or software
	// repository. Empty for the release before the one that is there now.
	To string
	// NoHold leaves hand-offs free to bring the next release.
	NoHold bool
	// Ask makes it a pull request even where a commit could be made directly.
	Ask bool
	Hold
}

// Hold is why a branch is held.
type Hold struct {
	// Reason is one line for people, By who holds, At since when.
	Reason, By string
	At         time.Time
}

func (h Hold) String() string {
	return fmt.Sprintf("%s\nheld by %s since %s\n", oneLine(h.Reason), h.By, h.At.UTC().Format(time.RFC3339))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Result is what became of a rollback. One with nothing to do is a success.
type Result struct {
	// To is the release that the environment goes back to.
	To history.Entry `json:"to"`
	handoff.Landed
}

// NotFoundError says that an environment never ran what it shall go back to.
type NotFoundError struct {
	Repository, Environment, To string
	// Known are the newest releases that it ran.
	Known []history.Entry
}

// Error names what was looked for, and what there is.
func (e *NotFoundError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("%s at %s has no release yet", e.Repository, e.Environment)
	}
	var known []string
	for _, entry := range e.Known {
		known = append(known, entry.Name())
	}
	if e.To == "" {
		return fmt.Sprintf("%s at %s has no release before %s", e.Repository, e.Environment, known[0])
	}
	return fmt.Sprintf("%s at %s never named %q; its newest releases are %s", e.Repository, e.Environment, e.To, strings.Join(known, ", "))
}

const (
	// depth is how many releases are looked through.
	depth = 200
	// shown is how many an error names.
	shown = 5
)

// Run rolls an environment back. It is safe to repeat, also after it was killed: what it finds done it leaves.
func Run(ctx context.Context, hub Hub, r Request) (Result, error) {
	target, err := choose(ctx, hub, r)
	if err != nil {
		return Result{}, err
	}
	landing := handoff.Landing{
		Repository: r.Repository, Branch: r.Environment, Ask: r.Ask, By: fmt.Sprintf("rollback/%s-%.12s", r.Environment, target.Commit),
	}
	landed, err := handoff.Land(ctx, hub, landing, func(ctx context.Context, at github.Head) (handoff.Edit, error) {
		return r.decide(ctx, hub, at, target)
	})
	if err != nil {
		return Result{}, fmt.Errorf("rolling %s back to %s: %w", r.Environment, target.Name(), err)
	}
	return Result{To: target, Landed: landed}, nil
}

func (r Request) decide(ctx context.Context, hub Hub, at github.Head, target history.Entry) (handoff.Edit, error) {
	edit := handoff.Edit{Files: map[string][]byte{}, Reason: "it is there already"}
	current, err := hub.ReadFile(ctx, r.Repository, at.Commit, release.AMIFile)
	if err != nil {
		return handoff.Edit{}, err
	}
	subject, trailers := fmt.Sprintf("hold: %s stays", target.Name()), ""
	if text := release.FormatAMI(target.AMI); text != string(current.Content) {
		edit.Files[release.AMIFile] = []byte(text)
		subject = "rollback: " + target.Name()
		from, err := release.ParseAMI(string(current.Content))
		if err != nil {
			from = "none"
		}
		trailers = "\n" + withoutRollback(target.Trailers) + history.RolledBackFrom + from + "\n"
	}
	if !r.NoHold {
		hold, err := hub.ReadFile(ctx, r.Repository, at.Commit, release.HoldFile)
		if err != nil {
			return handoff.Edit{}, err
		}
		if !hold.Exists {
			edit.Files[release.HoldFile] = []byte(r.String())
		}
	}
	edit.Message = fmt.Sprintf("%s\n\n%s\n\nAsked for by %s.\n%s", subject, oneLine(r.Reason), r.By, trailers)
	return edit, nil
}

func withoutRollback(trailers string) string {
	var out strings.Builder
	for line := range strings.Lines(trailers) {
		if !strings.HasPrefix(line, history.RolledBackFrom) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// choose finds the release to go back to. Without being told which, a branch that was rolled back already stays where it is: running
// again must not go back further.
func choose(ctx context.Context, hub Hub, r Request) (history.Entry, error) {
	missing := &NotFoundError{Repository: r.Repository, Environment: r.Environment, To: r.To}
	seen := 0
	for entry, err := range history.Releases(ctx, hub, r.Repository, r.Environment) {
		if err != nil {
			return history.Entry{}, fmt.Errorf("looking for what %s ran before: %w", r.Environment, err)
		}
		if seen++; seen > depth {
			break
		}
		if len(missing.Known) < shown {
			missing.Known = append(missing.Known, entry)
		}
		switch {
		case r.To != "":
			if matches(entry, r.To) {
				return entry, nil
			}
		case seen == 1 && entry.Rollback(), entry.AMI != missing.Known[0].AMI:
			return entry, nil
		}
	}
	return history.Entry{}, missing
}

var abbreviated = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

func matches(e history.Entry, to string) bool {
	if to == e.AMI || to == e.Release.ArtifactTag {
		return true
	}
	return abbreviated.MatchString(to) &&
		(strings.HasPrefix(e.Commit, to) || strings.HasPrefix(e.Release.ImageCommit, to) || strings.HasPrefix(e.Release.SoftwareCommit, to))
}
