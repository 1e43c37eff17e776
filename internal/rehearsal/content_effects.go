package rehearsal

import (
	"context"
	"fmt"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/provider"
)

func (r *Rehearsal) putDefaultBranch(_ provider.Resource, in branch) error {
	settings, _ := r.github.Repository(in.Repository)
	settings.DefaultBranch = in.Branch
	return r.github.UpdateRepository(context.Background(), settings)
}

// putFile commits a file as the platform team. Like the real provider it takes over a file that is there only when it is told to.
func (r *Rehearsal) putFile(ctx context.Context, res provider.Resource) error {
	var in struct {
		Repository, Branch, File, Content, CommitMessage string
		OverwriteOnCreate                                bool
	}
	if err := decode(res, &in); err != nil {
		return err
	}
	there, found, err := r.github.ReadFile(ctx, in.Repository, in.Branch, in.File)
	if err != nil {
		return err
	}
	if found && !in.OverwriteOnCreate {
		return fmt.Errorf("%s of %s: refusing to overwrite existing file: configure `overwrite_on_create` to `true` to override", in.File, in.Repository)
	}
	_, err = r.github.WriteFile(ctx, in.Repository, githubsim.FileWrite{
		Branch: in.Branch, Path: in.File, Content: []byte(in.Content), Message: in.CommitMessage, SHA: there.SHA,
	}, githubsim.Actor{Login: Owner, Admin: true})
	return err
}
