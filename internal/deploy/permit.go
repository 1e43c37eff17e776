package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		if author, same := authored(given.By, d.Review.Authors); same {
			return given, &review.Refusal{
				What: "approval by " + given.By, Expected: "somebody who did not write the change", Found: author + " among its authors",
				Remedy: "start the infrastructure pipeline again and let somebody else approve",
			}
		}
	}
	return given, nil
}

// authored finds an approver among the authors. An ARN ends with the name of the user or of the session, which IAM Identity Center sets
// to the user's name; that is held against e-mail addresses, the part before the @ and logins.
func authored(arn string, authors []string) (string, bool) {
	name := strings.ToLower(arn[strings.LastIndex(arn, "/")+1:])
	local, _, _ := strings.Cut(name, "@")
	i := slices.IndexFunc(authors, func(author string) bool {
		author = strings.ToLower(author)
		box, _, isMail := strings.Cut(author, "@")
		return author == name || author == local || isMail && !strings.Contains(name, "@") && box == name
	})
	if i < 0 {
		return "", false
	}
	return authors[i], true
}

// newest refuses a review that a newer one has overtaken.
func (d Deployment) newest(ctx context.Context) error {
	newer, err := d.Approvals.Newer(ctx, d.Run.Execution)
	if err != nil || newer == "" {
		return err
	}
	return &review.Refusal{
		What: "newest review of " + d.Review.Environment, Expected: "that of execution " + d.Run.Execution, Found: "that of execution " + newer,
		Remedy: "approve that one",
	}
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
