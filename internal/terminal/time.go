package terminal

import (
	"fmt"
	"time"
)

// Ago says how long ago something was, roughly: "40s", "12m", "3h", "5d". What is in the future by the other side's clock was now.
func Ago(now, then time.Time) string {
	switch age := max(0, now.Sub(then)); {
	case age < 2*time.Minute:
		return fmt.Sprintf("%ds", int(age.Seconds()))
	case age < 2*time.Hour:
		return fmt.Sprintf("%dm", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%dh", int(age.Hours()))
	default:
		return fmt.Sprintf("%dd", int(age.Hours()/24))
	}
}

// Date is a point of time for people, in UTC.
func Date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
