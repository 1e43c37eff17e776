package report_test

import (
	"encoding/xml"
	"os/exec"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"github.com/tekpossible/ha-devops/internal/report"
)

// subjects are reports of every kind, with strangers' texts too.
func subjects() map[string]report.Report {
	return map[string]report.Report{
		"waiting": sample(), "blocked": blocked(), "unchanged": unchanged(), "large": large(200), "empty": {},
		"hostile": infect(sample(), func(string) string { return hostile }),
	}
}

func TestSARIFIsValid(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/schemas/sarif-schema-2.1.0.json")
	require.NoError(t, err)
	for name, r := range subjects() {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(render(t, report.FormatSARIF, r)))
		require.NoError(t, err)
		assert.NoError(t, schema.Validate(document), name)
	}
	damaged := strings.Replace(render(t, report.FormatSARIF, sample()), `"level": "error"`, `"level": "fatal"`, 1)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(damaged))
	require.NoError(t, err)
	assert.Error(t, schema.Validate(document), "the schema can refuse")
}

func TestSARIFSaysWhatWasFoundAndExcepted(t *testing.T) {
	text := render(t, report.FormatSARIF, sample())
	run := gjson.Get(text, "runs.0")
	assert.Equal(t, `["data-loss","iam-wildcard","imdsv2","open-ingress"]`, run.Get("tool.driver.rules.#.id").Raw)
	assert.Equal(t, `["warning","error"]`, run.Get("results.#.level").Raw)
	assert.Equal(t, `[0,3]`, run.Get("results.#.ruleIndex").Raw)
	assert.Equal(t, "logs", run.Get("results.0.locations.0.logicalLocations.0.name").String())
	assert.False(t, run.Get("results.0.suppressions.0").Exists())
	assert.Equal(t, "accepted", run.Get("results.1.suppressions.0.status").String())
	assert.Contains(t, run.Get("results.1.suppressions.0.justification").String(), "SHOP-1182")
}

// suites is as much of JUnit as the tests look at.
type suites struct {
	Suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Class    string `xml:"classname,attr"`
			Skipped  string `xml:"skipped"`
			Output   string `xml:"system-out"`
			Failures []struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func parseJUnit(t require.TestingT, text string) suites {
	var s suites
	require.NoError(t, xml.Unmarshal([]byte(text), &s))
	return s
}

func TestJUnitIsValid(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	require.NoError(t, err, "run: tools/debian xmllint")
	validate := func(text string) (string, error) {
		cmd := exec.CommandContext(t.Context(), xmllint, "--nonet", "--noout", "--schema", "testdata/schemas/jenkins-junit.xsd", "-")
		cmd.Stdin = strings.NewReader(text)
		output, err := cmd.CombinedOutput()
		return string(output), err
	}
	for name, r := range subjects() {
		output, err := validate(render(t, report.FormatJUnit, r))
		assert.NoError(t, err, "%s: %s", name, output)
	}
	output, err := validate(strings.Replace(render(t, report.FormatJUnit, sample()), "<testcase ", "<case ", 1))
	assert.Error(t, err, "the schema can refuse: %s", output)
}

func TestJUnitFailsWhatBlocksAndSkipsWhatIsExcepted(t *testing.T) {
	s := parseJUnit(t, render(t, report.FormatJUnit, sample())).Suite
	assert.Equal(t, []int{4, 0, 1}, []int{s.Tests, s.Failures, s.Skipped})
	assert.Contains(t, s.Cases[3].Skipped, "excepted by Aiko Brandt until 2026-12-01: Load test")
	assert.Contains(t, s.Cases[0].Output, "warning: ")

	r := blocked()
	excepted := sample().Findings[1]
	excepted.Resource += "-other"
	r.Findings = append(r.Findings, excepted)
	s = parseJUnit(t, render(t, report.FormatJUnit, r)).Suite
	assert.Equal(t, []int{4, 1, 0}, []int{s.Tests, s.Failures, s.Skipped}, "a rule that fails is not skipped because of another resource's exception")
	failed := s.Cases[3]
	require.Len(t, failed.Failures, 1)
	assert.Equal(t, "cidrIpv4 is 0.0.0.0/0 on port 8081", failed.Failures[0].Message)
	assert.Contains(t, failed.Failures[0].Text, "fix: Name the testers' CIDRs")
	assert.Contains(t, failed.Output, "excepted by")
}

func TestJSONHasEverythingForMachines(t *testing.T) {
	text := render(t, report.FormatJSON, sample())
	assert.Equal(t, int64(1), gjson.Get(text, "format").Int())
	assert.Equal(t, "waiting", gjson.Get(text, "verdict.kind").String())
	assert.Equal(t, "blocked", gjson.Get(render(t, report.FormatJSON, blocked()), "verdict.kind").String())
	assert.Equal(t, `["app","images","infrastructure"]`, gjson.Get(text, "changes.#.component").Raw)
	assert.Equal(t, `["delete","replace","update","update","update","create","create"]`, gjson.Get(text, "changes.0.changes.#.op").Raw)
	assert.Equal(t, int64(3), gjson.Get(text, `changes.0.changes.3.properties.#(path="desiredCapacity").after`).Int(), "values keep their types")
	for _, list := range []string{"rules", "findings", "digests", "changes"} {
		assert.True(t, gjson.Get(render(t, report.FormatJSON, report.Report{}), list).IsArray(), "%s is never null", list)
	}
}
