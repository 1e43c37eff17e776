package githubsim

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// attempt is a change of one ref that an actor wants to make.
type attempt struct {
	actor Actor
	ref   string
	// before is zero for a ref that is created, after for one that is deleted.
	before, after string
	// pull is the pull request whose merge this is; nil for a direct change.
	pull *pull
	// mergeCommit says that the new commit has two parents.
	mergeCommit bool
	// pushed says that the commits are not in the repository yet, so that what depends on them is left to the update hook.
	pushed bool
}

// violation is a rule that an attempt breaks, if its condition holds.
type violation struct {
	condition string // always, force or merges, as the update hook knows them
	message   string
}

const (
	always   = "always"
	ifForced = "force"
	ifMerges = "merges"
)

// violations returns the rules that forbid the attempt; for one that is not pushed, all with the condition always. The
// messages are GitHub's.
func (r *repo) violations(ctx context.Context, a attempt) ([]violation, error) {
	var all []violation
	for _, id := range slices.Sorted(maps.Keys(r.rulesets)) {
		set := r.rulesets[id]
		if !set.binds(a.ref, r.settings.DefaultBranch) || set.bypassed(a.actor, a.pull != nil) {
			continue
		}
		found, err := r.check(ctx, set.Rules, a)
		if err != nil {
			return nil, err
		}
		for _, v := range found {
			if !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	return all, nil
}

func (r *repo) check(ctx context.Context, rules Rules, a attempt) (found []violation, err error) {
	broken := func(rule bool, condition, message string) {
		if rule {
			found = append(found, violation{condition, message})
		}
	}
	checks := rules.RequiredStatusChecks
	switch {
	case a.after == zero:
		broken(rules.Deletion, always, "Cannot delete this branch")
		return found, nil
	case a.before == zero:
		broken(rules.Creation, always, "Cannot create ref due to creations being restricted.")
		if checks != nil && checks.DoNotEnforceOnCreate {
			checks = nil
		}
	default:
		broken(rules.Update, always, "Cannot update this protected ref.")
		broken(rules.NonFastForward && a.pushed, ifForced, "Cannot force-push to this branch")
		broken(rules.RequiredLinearHistory && a.pushed, ifMerges, "This branch must not contain merge commits.")
		broken(rules.RequiredLinearHistory && a.mergeCommit, always, "This branch must not contain merge commits.")
		broken(rules.PullRequest != nil && a.pull == nil, always, "Changes must be made through a pull request.")
		if rules.PullRequest != nil && a.pull != nil {
			messages, err := r.reviewsMissing(ctx, *rules.PullRequest, a.pull, a.after)
			if err != nil {
				return nil, err
			}
			for _, message := range messages {
				broken(true, always, message)
			}
		}
	}
	if checks != nil {
		broken(true, always, r.checksMissing(*checks, a.after))
		if checks.StrictRequiredStatusChecksPolicy && a.pull != nil {
			_, err := r.run(ctx, "", "merge-base", "--is-ancestor", a.before, a.after)
			broken(exited(err, 1), always, "This branch is out-of-date with the base branch.")
			if err != nil && !exited(err, 1) {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(found, func(v violation) bool { return v.message == "" }), nil
}

// checksMissing says which required statuses a commit lacks; empty when it has all.
func (r *repo) checksMissing(rule RequiredStatusChecks, commit string) string {
	var missing []string
	for _, check := range rule.RequiredChecks {
		s := r.statuses[commit][check.Context]
		if s.state != "success" || check.IntegrationID != 0 && check.IntegrationID != s.app {
			missing = append(missing, check.Context)
		}
	}
	switch len(missing) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("Required status check %q is expected.", missing[0])
	}
	return fmt.Sprintf("%d of %d required status checks are expected.", len(missing), len(rule.RequiredChecks))
}

// reviewsMissing says what a pull request's reviews lack.
func (r *repo) reviewsMissing(ctx context.Context, rule PullRequestRule, p *pull, head string) (messages []string, err error) {
	var approvers []Actor
	fresh, objections := false, 0
	for _, latest := range p.latestReviews() {
		current := latest.commit == head
		switch {
		case latest.state == "CHANGES_REQUESTED":
			objections++
		case current || !rule.DismissStaleReviewsOnPush:
			approvers = append(approvers, latest.by)
			fresh = fresh || current && latest.by.Login != r.pushers[p.head]
		}
	}
	if objections > 0 {
		messages = append(messages, fmt.Sprintf("%s requesting changes by reviewers with write access.",
			plural(objections, "review", "reviews")))
	}
	if n := rule.RequiredApprovingReviewCount; len(approvers) < n {
		messages = append(messages, fmt.Sprintf("At least %s required by reviewers with write access.",
			plural(n, "approving review is", "approving reviews are")))
	}
	if rule.RequireLastPushApproval && !fresh {
		messages = append(messages, "New changes require approval from someone other than the last pusher.")
	}
	if rule.RequireCodeOwnerReview {
		missing, err := r.ownersMissing(ctx, p, head, approvers)
		if err != nil {
			return nil, err
		}
		messages = append(messages, missing...)
	}
	return messages, nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
