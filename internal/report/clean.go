package report

import "github.com/tekpossible/ha-devops/internal/visible"

// clean makes a stranger's text safe to look at, so that what an approver reads is what there is.
func clean(text string) string { return visible.Text(text) }
