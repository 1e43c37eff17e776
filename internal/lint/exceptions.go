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
	return e.Rule == f.Rule.ID && f.Resource != "" &&
		(e.Resource == f.Resource || strings.HasSuffix(f.Resource, "::"+e.Resource) || strings.HasSuffix(f.Resource, "$"+e.Resource))
}

// until is the first moment at which the exception no longer counts: the end of its last day in UTC.
func (e Exception) until() (time.Time, error) {
	last, err := time.Parse(time.DateOnly, e.Expires)
	return last.AddDate(0, 0, 1), err
}

// except marks the findings that an exception covers, and adds a finding for each exception that covers none.
func except(findings []Finding, given []Exception, now time.Time) []Finding {
	all := findings
	for _, e := range given {
		note := func(format string, args ...any) {
			all = append(all, Finding{Rule: exceptions, Resource: "", Message: fmt.Sprintf("exception of %s from %s on %s ", e.Owner, e.Rule, e.Resource) + fmt.Sprintf(format, args...)})
		}
		until, err := e.until()
		if err != nil || !now.Before(until) {
			note("expired on %s", e.Expires)
			continue
		}
		used := false
		for i := range findings {
			if e.Matches(findings[i]) {
				findings[i].Exception, used = &e, true
			}
		}
		if !used {
			note("matches no finding")
		}
	}
	return all
}
