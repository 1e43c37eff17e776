package handoff

import (
	"context"
	"fmt"
	"strings"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/release"
)

// History is what Backwards needs of GitHub.
type History interface {
	Compare(ctx context.Context, repository, base, head string) (github.Relation, error)
}

// Backwards says whether a hand-off from the commit source would move back what the commit recorded handed off: source is an
// ancestor of it, so this run was overtaken by a later one. Where history cannot tell (nothing is recorded, or branches were
// rewritten) it is false, because then the branch that started the run is the better witness.
func Backwards(ctx context.Context, history History, repository, recorded, source string) (bool, error) {
	if recorded == "" || recorded == source {
		return false, nil
	}
	relation, err := history.Compare(ctx, repository, recorded, source)
	return relation == github.Behind, err
}

// Overtaken is the Reason of a hand-off that would go backwards.
func Overtaken(source, recorded string) string {
	return fmt.Sprintf("commit %.12s is older than %.12s, which is already handed off", source, recorded)
}

// Message returns a commit message with the release's trailers; what the release does not know is left out.
func Message(subject string, r release.Release) string {
	var out strings.Builder
	out.WriteString(subject + "\n\n")
	for line := range strings.Lines(r.Trailers()) {
		if !strings.HasSuffix(line, ": \n") {
			out.WriteString(line)
		}
	}
	return out.String()
}
