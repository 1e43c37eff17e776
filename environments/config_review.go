package environments

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Review says what an approval is worth.
type Review struct {
	// Hours is how long a review can be approved and deployed, 1 to 168. Optional; 48.
	Hours int `json:"hours,omitempty"`
	// SeparateApprover refuses to deploy what one of the change's authors approved. Optional. An approver is known by the last part of
	// their ARN, the session's or the user's name, which is held against the authors' e-mail addresses and logins.
	SeparateApprover bool `json:"separateApprover,omitempty"`
	// ExceptionOwners are the SSH public keys of those who may sign exceptions from the policy, as lines of an authorized_keys file with
	// the owner's name as the comment. Optional; without any, no exception counts.
	ExceptionOwners []string `json:"exceptionOwners,omitempty"`
}

const (
	defaultReviewHours = 48
	mostReviewHours    = 168
)

func (c *Config) checkReview(check func(ok bool, key, value, allowed string)) {
	check(c.Review.Hours >= 1 && c.Review.Hours <= mostReviewHours, "review.hours", fmt.Sprint(c.Review.Hours), "1 to 168")
	for _, line := range c.Review.ExceptionOwners {
		_, owner, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		check(err == nil && strings.TrimSpace(owner) != "", "review.exceptionOwners", line, `SSH public keys with their owner's name, such as "ssh-ed25519 AAAA… jane@example.com"`)
	}
}
