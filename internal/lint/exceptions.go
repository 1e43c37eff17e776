package lint

import (
	"fmt"
	"strings"
	"time"
)

// exceptions is the rule of what is found about the exceptions themselves.
var exceptions = Rule{
	ID: "exceptions", Title: "Every exception counts", Severity: Note,
	Why: "An exception that has expired or matches nothing excuses nothing, and hides what still is.",
	Fix: "Delete the exception, or mend its resource or expiry date; then have an owner sign the file again.",
}

// Matches says that the exception is for findings of that rule on that resource.
func (e Exception) Matches(f Finding) bool {
	return e.Rule == f.Rule.ID && specific(e.Resource) &&
		(e.Resource == f.Resource || strings.HasSuffix(f.Resource, "::"+e.Resource) || strings.HasSuffix(f.Resource, "$"+e.Resource))
}

// specific says that a resource has a type and a name: many resources are called "app".
func specific(resource string) bool {
	kind, name, _ := strings.Cut(resource, "::")
	return strings.Contains(kind, ":") && name != ""
}

// until is the first moment at which the exception no longer counts: the end of its last day in UTC.
func (e Exception) until() (time.Time, error) {
	last, err := time.Parse(time.DateOnly, e.Expires)
	return last.AddDate(0, 0, 1), err
}

// except marks the findings that an exception covers, and adds a note for each exception that covers none.
func except(findings []Finding, given []Exception, now time.Time) []Finding {
	var notes []Finding
	for _, e := range given {
		covered := 0
		until, err := e.until()
		expired := err != nil || !now.Before(until)
		for i := range findings {
			if !expired && e.Matches(findings[i]) {
				findings[i].Exception = &e
				covered++
			}
		}
		problem := "matches no finding"
		if expired {
			problem = "expired on " + e.Expires
		}
		if covered == 0 {
			notes = append(notes, Finding{
				Rule: exceptions, Message: fmt.Sprintf("the exception from %s for %s, of %s, %s", e.Rule, e.Resource, e.Owner, problem),
			})
		}
	}
	return append(findings, notes...)
}
