package githubsim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Ruleset is what github.RepositoryRuleset provisions. Its JSON names are that resource's property names, so that whoever
// decodes the resource's inputs with unknown fields forbidden learns of a rule that is not enforced here.
type Ruleset struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	// Repository is the resource's own property; it is not looked at.
	Repository string `json:"repository,omitempty"`
	// Target is "branch" or "tag".
	Target string `json:"target"`
	// Enforcement is "active", or "disabled" or "evaluate", which both let everything pass.
	Enforcement  string        `json:"enforcement"`
	Conditions   *Conditions   `json:"conditions,omitempty"`
	BypassActors []BypassActor `json:"bypassActors,omitempty"`
	Rules        Rules         `json:"rules"`
}

// Conditions say which refs a ruleset binds: one of Includes matches and none of Excludes does. Without conditions it
// binds nothing.
type Conditions struct {
	RefName struct {
		// Includes are full ref names or patterns ("refs/heads/release/*"), "~DEFAULT_BRANCH" or "~ALL".
		Includes []string `json:"includes"`
		Excludes []string `json:"excludes"`
	} `json:"refName"`
}

// BypassActor is who a ruleset does not bind.
type BypassActor struct {
	// ActorID is the ID of a GitHub App, or of the role admin (5). For OrganizationAdmin it says nothing.
	ActorID int64 `json:"actorId"`
	// ActorType is "Integration", "OrganizationAdmin" or "RepositoryRole".
	ActorType string `json:"actorType"`
	// BypassMode is "always", or "pull_request" for one that may only merge pull requests past the rules.
	BypassMode string `json:"bypassMode"`
}

// Rules are the rules of a ruleset. A false or nil one is off.
type Rules struct {
	Creation              bool                  `json:"creation,omitempty"`
	Update                bool                  `json:"update,omitempty"`
	Deletion              bool                  `json:"deletion,omitempty"`
	NonFastForward        bool                  `json:"nonFastForward,omitempty"`
	RequiredLinearHistory bool                  `json:"requiredLinearHistory,omitempty"`
	PullRequest           *PullRequestRule      `json:"pullRequest,omitempty"`
	RequiredStatusChecks  *RequiredStatusChecks `json:"requiredStatusChecks,omitempty"`
}

// PullRequestRule asks for a pull request, and for approvals of it.
type PullRequestRule struct {
	RequiredApprovingReviewCount int  `json:"requiredApprovingReviewCount,omitempty"`
	DismissStaleReviewsOnPush    bool `json:"dismissStaleReviewsOnPush,omitempty"`
	RequireCodeOwnerReview       bool `json:"requireCodeOwnerReview,omitempty"`
	RequireLastPushApproval      bool `json:"requireLastPushApproval,omitempty"`
	// RequiredReviewThreadResolution always holds, because reviews have no threads here.
	RequiredReviewThreadResolution bool `json:"requiredReviewThreadResolution,omitempty"`
}

// RequiredStatusChecks asks for commit statuses that are "success".
type RequiredStatusChecks struct {
	RequiredChecks []RequiredCheck `json:"requiredChecks"`
	// StrictRequiredStatusChecksPolicy asks that a pull request's head contains the base branch.
	StrictRequiredStatusChecksPolicy bool `json:"strictRequiredStatusChecksPolicy,omitempty"`
	DoNotEnforceOnCreate             bool `json:"doNotEnforceOnCreate,omitempty"`
}

// RequiredCheck is one status.
type RequiredCheck struct {
	Context string `json:"context"`
	// IntegrationID is the GitHub App that must have set the status; 0 for anyone.
	IntegrationID int64 `json:"integrationId,omitempty"`
}

// PutRuleset creates a repository's ruleset, or replaces the one with the same ID. What it cannot enforce it refuses.
func (s *Server) PutRuleset(repository, id string, set Ruleset) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	if err := set.validate(); err != nil {
		return fmt.Errorf("ruleset %q of repository %s: %w", set.Name, repository, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rulesets[id] = set
	return nil
}

// DeleteRuleset deletes a repository's ruleset; one that is not there is no error.
func (s *Server) DeleteRuleset(repository, id string) error {
	r, err := s.repository(repository)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rulesets, id)
	return nil
}

func (set Ruleset) validate() error {
	if !slices.Contains([]string{"branch", "tag"}, set.Target) {
		return fmt.Errorf("target %q: want branch or tag", set.Target)
	}
	if !slices.Contains([]string{"active", "disabled", "evaluate"}, set.Enforcement) {
		return fmt.Errorf("enforcement %q: want active, disabled or evaluate", set.Enforcement)
	}
	for _, b := range set.BypassActors {
		switch {
		case b.ActorType == "Integration", b.ActorType == "OrganizationAdmin":
		case b.ActorType == "RepositoryRole" && b.ActorID == roleAdmin:
		default:
			return fmt.Errorf("bypass actor %s %d: want Integration, OrganizationAdmin, or RepositoryRole %d (admin); "+
				"others are not simulated", b.ActorType, b.ActorID, roleAdmin)
		}
		if b.BypassMode != "always" && b.BypassMode != "pull_request" {
			return fmt.Errorf("bypass mode %q: want always or pull_request", b.BypassMode)
		}
	}
	return nil
}

// roleAdmin is the ID of the repository role admin in bypass lists (terraform-provider-github, resource github_repository_ruleset).
const roleAdmin = 5

// binds reports whether the ruleset binds a ref.
func (set Ruleset) binds(ref, defaultBranch string) bool {
	prefix := map[string]string{"branch": "refs/heads/", "tag": "refs/tags/"}[set.Target]
	if set.Enforcement != "active" || set.Conditions == nil || !strings.HasPrefix(ref, prefix) {
		return false
	}
	matches := func(pattern string) bool {
		switch pattern {
		case "~ALL":
			return true
		case "~DEFAULT_BRANCH":
			return ref == "refs/heads/"+defaultBranch
		}
		return glob(pattern).MatchString(ref)
	}
	names := set.Conditions.RefName
	return slices.ContainsFunc(names.Includes, matches) && !slices.ContainsFunc(names.Excludes, matches)
}

// bypassed reports whether the ruleset does not bind an actor.
func (set Ruleset) bypassed(by Actor, inPullRequest bool) bool {
	return slices.ContainsFunc(set.BypassActors, func(b BypassActor) bool {
		if b.BypassMode == "pull_request" && !inPullRequest {
			return false
		}
		if b.ActorType == "Integration" {
			return by.App != 0 && by.App == b.ActorID
		}
		return by.Admin
	})
}

// glob translates a pattern of fnmatch with FNM_PATHNAME, which GitHub matches refs with: "*" and "?" stop at a slash,
// "**/" does not.
func glob(pattern string) *regexp.Regexp {
	expression := strings.NewReplacer(`\*\*/`, `(?:.*/)?`, `\*\*`, `.*`, `\*`, `[^/]*`, `\?`, `[^/]`).
		Replace(regexp.QuoteMeta(strings.ToValidUTF8(pattern, "\uFFFD")))
	return regexp.MustCompile(`^(?s:` + expression + `)$`)
}
