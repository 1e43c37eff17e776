package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/review"
)

// permitted checks everything that can be checked without a look at the stack, all at once, and returns who approved.
func (d Deployment) permitted(ctx context.Context) (approval.Approval, error) {
	problems := []error{d.Review.Check(d.Run), d.newest(ctx), d.branchStands(ctx)}
	approved, err := d.approved(ctx)
	return approved, errors.Join(append(problems, err)...)
}

// approved returns who approved the review's digest. Nobody is asked to approve nothing.
func (d Deployment) approved(ctx context.Context) (approval.Approval, error) {
	if d.Review.Changes == 0 {
		return approval.Approval{}, nil
	}
	given, ok, err := d.Approvals.Of(ctx, d.Run.Execution, d.Digest)
	if err != nil {
		return given, err
	}
	if !ok {
		return given, &review.Refusal{
			What: "approval of execution " + d.Run.Execution, Expected: "one that was given to digest " + d.Digest, Found: "none",
			Remedy: "approve the review in the pipeline's console or with relay approve, then retry the stage",
		}
	}
	if d.SeparateApprover {
		return given, d.Review.Authored(given.By)
	}
	return given, nil
}

// newest refuses a review that a newer one has overtaken.
func (d Deployment) newest(ctx context.Context) error {
	newer, err := d.Approvals.Newer(ctx, d.Run.Execution)
	if err != nil {
		return err
	}
	return d.Review.Overtaken(newer)
}

// branchStands refuses when a file that matters is another at the branch than at the reviewed commit.
func (d Deployment) branchStands(ctx context.Context) error {
	var problems []error
	for _, file := range slices.Concat(d.Matters, d.Grounds) {
		reviewed, err := d.Hub.ReadFile(ctx, d.Repository, d.Review.Commit, file)
		if err != nil {
			return fmt.Errorf("looking whether the branch moved: %w", err)
		}
		now, err := d.Hub.ReadFile(ctx, d.Repository, d.Review.Environment, file)
		if err != nil {
			return fmt.Errorf("looking whether the branch moved: %w", err)
		}
		if !same(reviewed, now) {
			problems = append(problems, d.Review.BranchMoved(file))
		}
	}
	return errors.Join(problems...)
}
