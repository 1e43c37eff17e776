package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/tekpossible/ha-devops/internal/lint"
)

type (
	testSuites struct {
		XMLName xml.Name    `xml:"testsuites"`
		Name    string      `xml:"name,attr"`
		Suites  []testSuite `xml:"testsuite"`
	}
	testSuite struct {
		Name       string         `xml:"name,attr"`
		Tests      int            `xml:"tests,attr"`
		Failures   int            `xml:"failures,attr"`
		Errors     int            `xml:"errors,attr"`
		Skipped    int            `xml:"skipped,attr"`
		Timestamp  string         `xml:"timestamp,attr"`
		Properties []testProperty `xml:"properties>property"`
		Cases      []testCase     `xml:"testcase"`
	}
	testProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testCase struct {
		Class    string        `xml:"classname,attr"`
		Name     string        `xml:"name,attr"`
		Skipped  string        `xml:"skipped,omitempty"`
		Failures []testFailure `xml:"failure"`
		Output   string        `xml:"system-out,omitempty"`
	}
	testFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the findings as JUnit XML, in the form that Jenkins and CodeBuild read: each rule is a test case, what blocks a failure of
// it. A rule whose only findings are excepted is skipped, with the reasons; warnings and notes are the output of a case that passes.
func JUnit(w io.Writer, r Report) error {
	suite := testSuite{
		Name: "review of " + r.Environment, Timestamp: r.Created.UTC().Format("2006-01-02T15:04:05"),
		Properties: []testProperty{
			{"product", r.Product},
			{"environment", r.Environment},
			{"commit", r.Commit.SHA},
			{"execution", r.Execution},
			{"relay", r.Relay},
		},
	}
	for _, rule := range r.rules() {
		c := testCase{Class: "policy." + rule.ID, Name: oneLine(rule.Title, maxText)}
		var excepted, shown []string
		for _, f := range r.sorted() {
			switch {
			case f.Rule.ID != rule.ID:
			case f.Exception != nil:
				excepted = append(excepted, fmt.Sprintf("%s\n%s", found(f), exceptedBy(*f.Exception)))
			case f.Blocks():
				c.Failures = append(c.Failures, testFailure{
					Type: rule.ID, Message: oneLine(f.Message, maxText),
					Text: clean(fmt.Sprintf("%s\nwhy: %s\nfix: %s", found(f), rule.Why, rule.Fix)),
				})
			default:
				shown = append(shown, fmt.Sprintf("%s: %s", f.Rule.Severity, found(f)))
			}
		}
		if len(excepted) > 0 && len(c.Failures)+len(shown) == 0 {
			c.Skipped = clean(strings.Join(excepted, "\n\n"))
			suite.Skipped++
		} else {
			c.Output = clean(strings.Join(append(shown, excepted...), "\n\n"))
		}
		if len(c.Failures) > 0 {
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Tests = len(suite.Cases)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(testSuites{Name: "relay", Suites: []testSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// found is where something was found and what.
func found(f lint.Finding) string {
	if f.Resource == "" {
		return f.Message
	}
	return f.Resource + ": " + f.Message
}

// exceptedBy says why a finding does not count.
func exceptedBy(e lint.Exception) string {
	return fmt.Sprintf("excepted by %s until %s: %s", e.Owner, e.Expires, e.Reason)
}
