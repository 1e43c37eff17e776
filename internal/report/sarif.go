package report

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

// sarifSchema is the schema's published address.
const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF writes the findings as SARIF 2.1.0: each rule with its default level, each finding as a result whose logical location is the
// resource's URN, and an exception as an accepted external suppression with its reason.
func SARIF(w io.Writer, r Report) error {
	driver := sarif.NewToolComponent().WithName("relay").WithRules([]*sarif.ReportingDescriptor{}).WithProperties(nil)
	if r.Relay != "" {
		driver.WithVersion(r.Relay)
	}
	index := map[string]int{}
	for i, rule := range r.rules() {
		index[rule.ID] = i
		driver.AddRule(sarif.NewReportingDescriptor().
			WithID(rule.ID).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(plain(rule.Title))).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText(plain(rule.Why))).
			WithHelp(sarif.NewMultiformatMessageString().WithText(plain(rule.Fix))).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(string(rule.Severity))))
	}
	run := sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).
		WithAutomationDetails(sarif.NewRunAutomationDetails().WithID("relay-review/" + r.Environment + "/" + r.Execution))
	for _, f := range r.sorted() {
		result := sarif.NewRuleResult(f.Rule.ID).WithRuleIndex(index[f.Rule.ID]).WithLevel(string(f.Rule.Severity)).
			WithMessage(sarif.NewTextMessage(plain(f.Message)))
		if f.Resource != "" {
			result.AddLocation(sarif.NewLocation().WithLogicalLocations([]*sarif.LogicalLocation{
				sarif.NewLogicalLocation().WithFullyQualifiedName(f.Resource).WithName(preview.Resource{URN: f.Resource}.Name()).WithKind("resource"),
			}))
		}
		if e := f.Exception; e != nil {
			result.AddSuppression(sarif.NewSuppression().WithKind("external").WithStatus("accepted").WithJustification(suppressed(*e)))
		}
		run.AddResult(result)
	}
	log := sarif.NewReport().AddRun(run)
	log.Schema = sarifSchema
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(log)
}

func suppressed(e lint.Exception) string { return clean(exceptedBy(e)) }

var placeholder = regexp.MustCompile(`\{(\d+)\}`)

// plain is a text that no reader of SARIF takes for an embedded link, [text](target), or for the placeholder of an argument, {0}
// (SARIF 2.1.0, sections 3.11.5 and 3.11.6). Neither has an escape that all readers know.
func plain(text string) string {
	return placeholder.ReplaceAllString(strings.ReplaceAll(clean(text), "](", "] ("), "{ $1 }")
}
