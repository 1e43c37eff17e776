package githubsim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is a refusal as GitHub words it. REST calls answer with it, and every method of Server that GitHub itself could
// refuse returns it.
type Error struct {
	// Status is the HTTP status, such as 409.
	Status int `json:"-"`
	// Message is GitHub's message.
	Message string `json:"message"`
	// Details say more about a 422.
	Details []Detail `json:"errors,omitempty"`
	// Documentation is the page about it, by which clients tell some refusals apart.
	Documentation string `json:"documentation_url,omitempty"`
}

// Detail is one entry of the list "errors" of GitHub's 422 answers
// (https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed).
type Detail struct {
	Resource string `json:"resource,omitempty"`
	Field    string `json:"field,omitempty"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message,omitempty"`
}

// Error gives status, message and details in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("github: %d %s", e.Status, strings.Join(strings.Fields(e.Message), " "))
	for _, d := range e.Details {
		text += "; " + strings.Join(strings.Fields(d.Resource+" "+d.Field+" "+d.Code+" "+d.Message), " ")
	}
	return text
}

// NotFound reports whether err is GitHub's 404.
func NotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

func fail(status int, format string, args ...any) error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

func invalid(d Detail) error {
	return &Error{Status: http.StatusUnprocessableEntity, Message: "Validation Failed", Details: []Detail{d}}
}

// ruleViolations is the answer of the REST API to what a ruleset forbids: 409 from contents, 405 from a merge, 422 from
// refs, each with this message.
func ruleViolations(status int, found []violation) error {
	message := "Repository rule violations found\n\n"
	for _, v := range found {
		message += v.message + "\n\n"
	}
	return fail(status, "%s", message)
}
