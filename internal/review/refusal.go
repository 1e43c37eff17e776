package review

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Refusal says why a review is not deployed. Nothing was changed.
type Refusal struct {
	// What was looked at, what was expected of it, and what was found.
	What, Expected, Found string
	// Remedy says what to do.
	Remedy string
}

// Error is one line.
func (r *Refusal) Error() string {
	return fmt.Sprintf("refused: %s: expected %s, found %s", r.What, r.Expected, r.Found)
}

// Hint says what to do.
func (r *Refusal) Hint() string { return r.Remedy }

// Refused says that an error is a refusal.
func Refused(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal)
}

const again = "start the infrastructure pipeline again: it makes a new review to approve"

// Run is what is there when a review is to be deployed.
type Run struct {
	Product, Environment, Commit, Execution string
	// Relay is the SHA-256 of the relay binary, Pulumi the version of the CLI.
	Relay, Pulumi string
	Now           time.Time
}

// Check refuses a review of something else than the run is for, one that was made with other tools, and one that has expired: all at
// once.
func (m Manifest) Check(run Run) error {
	var problems []error
	for _, field := range []struct{ name, reviewed, found, remedy string }{
		{"product", m.Product, run.Product, again},
		{"environment", m.Environment, run.Environment, again},
		{"infrastructure commit", m.Commit, run.Commit, again},
		{"pipeline execution", m.Execution, run.Execution, again},
		{"relay binary", m.Relay, run.Relay, "the stack's pinned relay changed after the review; " + again},
		{"version of the Pulumi CLI", m.Pulumi, run.Pulumi, "the stack's pinned Pulumi CLI changed after the review; " + again},
	} {
		if field.reviewed != field.found {
			problems = append(problems, &Refusal{What: field.name, Expected: quote(field.reviewed) + ", as reviewed", Found: quote(field.found), Remedy: field.remedy})
		}
	}
	return errors.Join(append(problems, m.Expired(run.Now))...)
}

// Expired refuses a review that is too old to be deployed.
func (m Manifest) Expired(now time.Time) error {
	if now.Before(m.Expires) {
		return nil
	}
	return &Refusal{
		What: "age of the review", Expected: "a deployment before " + m.Expires.UTC().Format(time.RFC3339), Found: now.UTC().Format(time.RFC3339), Remedy: again,
	}
}

// Authored refuses an approver, by the ARN, who is among the authors of the change. An ARN ends with the name of the user or of the
// session, which IAM Identity Center sets to the user's name; that is held against e-mail addresses, the part before the @ and logins.
func (m Manifest) Authored(arn string) error {
	name := strings.ToLower(arn[strings.LastIndex(arn, "/")+1:])
	local, _, _ := strings.Cut(name, "@")
	for _, author := range m.Authors {
		lower := strings.ToLower(author)
		box, _, isMail := strings.Cut(lower, "@")
		if lower == name || lower == local || isMail && !strings.Contains(name, "@") && box == name {
			return &Refusal{
				What: "approval by " + arn, Expected: "somebody who did not write the change", Found: author + " among its authors",
				Remedy: "let somebody else approve; a review that was approved already needs another run of the infrastructure pipeline",
			}
		}
	}
	return nil
}

// Overtaken refuses a review that a newer one has overtaken, by the newer one's execution; empty when there is none.
func (m Manifest) Overtaken(newer string) error {
	if newer == "" {
		return nil
	}
	return &Refusal{
		What: "newest review of " + m.Environment, Expected: "that of execution " + m.Execution, Found: "that of execution " + newer, Remedy: "approve that one",
	}
}

// StateMoved refuses to deploy onto another state than the one that the preview started from. Pulumi itself would carry the plan out.
func (m Manifest) StateMoved(found string) error {
	if found == m.State {
		return nil
	}
	return &Refusal{
		What: "state of stack " + m.Environment, Expected: "digest " + m.State + ", which the review started from", Found: found,
		Remedy: "somebody updated the stack after the review; " + again,
	}
}

// BranchMoved refuses a file of the infrastructure repository that is another at the branch than at the reviewed commit.
func (m Manifest) BranchMoved(file string) error {
	return &Refusal{
		What: fmt.Sprintf("%s at branch %s", file, m.Environment), Expected: fmt.Sprintf("as at the reviewed commit %.12s", m.Commit), Found: "another content",
		Remedy: "a newer commit changed it, and its own review follows; approve that one",
	}
}

// Differs refuses a preview that shows something else than the reviewed one.
func Differs(differences []string) error {
	var problems []error
	for i, difference := range differences {
		if i == shownDifferences {
			problems = append(problems, fmt.Errorf("and %d more differences", len(differences)-i))
			break
		}
		problems = append(problems, &Refusal{What: "the preview that was made just now", Expected: "what was reviewed", Found: difference, Remedy: again})
	}
	return errors.Join(problems...)
}

const shownDifferences = 10

func quote(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
