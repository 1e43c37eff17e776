package rollback

import (
	"context"
	"fmt"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/handoff"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Set holds a branch: hand-offs to it are refused with the hold's text. A hold that is there already stays as it is.
func Set(ctx context.Context, hub Hub, repository, environment string, hold Hold, ask bool) (handoff.Landed, error) {
	landing := handoff.Landing{Repository: repository, Branch: environment, By: "hold/" + environment, Ask: ask}
	landed, err := handoff.Land(ctx, hub, landing, func(ctx context.Context, at github.Head) (handoff.Edit, error) {
		there, err := hub.ReadFile(ctx, repository, at.Commit, release.HoldFile)
		if err != nil || there.Exists {
			return handoff.Edit{Reason: "it is held already"}, err
		}
		text := hold.String()
		return handoff.Edit{Files: map[string][]byte{release.HoldFile: []byte(text)}, Message: "hold: no hand-offs\n\n" + text}, nil
	})
	if err != nil {
		return handoff.Landed{}, fmt.Errorf("holding %s at %s: %w", repository, environment, err)
	}
	return landed, nil
}

// Lift takes a branch's hold away, so that the next hand-off is let through.
func Lift(ctx context.Context, hub Hub, repository, environment string, ask bool) (handoff.Landed, error) {
	landing := handoff.Landing{Repository: repository, Branch: environment, By: "release-hold/" + environment, Ask: ask}
	landed, err := handoff.Land(ctx, hub, landing, func(ctx context.Context, at github.Head) (handoff.Edit, error) {
		there, err := hub.ReadFile(ctx, repository, at.Commit, release.HoldFile)
		if err != nil || !there.Exists {
			return handoff.Edit{Reason: "it is not held"}, err
		}
		return handoff.Edit{
			Files: map[string][]byte{release.HoldFile: nil}, Message: "release hold: hand-offs may come\n\nIt was held:\n\n" + string(there.Content),
		}, nil
	})
	if err != nil {
		return handoff.Landed{}, fmt.Errorf("releasing the hold of %s at %s: %w", repository, environment, err)
	}
	return landed, nil
}
