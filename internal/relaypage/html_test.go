package relaypage_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tekpossible/ha-devops/internal/relaypage"
)

func render(t require.TestingT, p relaypage.Page) string {
	var out bytes.Buffer
	require.NoError(t, relaypage.HTML(&out, p))
	return out.String()
}

func TestGoldens(t *testing.T) {
	for name, sample := range samples {
		path := filepath.Join("testdata", "golden", name+".html")
		found := render(t, sample())
		if os.Getenv("UPDATE_GOLDEN") != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(found), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err, "write it with UPDATE_GOLDEN=1 go test ./internal/relaypage")
		assert.Equal(t, string(want), found, "%s: when the change is meant, write it with UPDATE_GOLDEN=1 go test ./internal/relaypage", path)
	}
}

// infect appends a text to every text of a page.
func infect(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + text)
	case reflect.Pointer:
		if !v.IsNil() {
			infect(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			infect(v.Index(i), text)
		}
	case reflect.Struct:
		if _, ok := v.Interface().(time.Time); ok {
			return
		}
		for i := range v.NumField() {
			infect(v.Field(i), text)
		}
	}
}

func TestMarkupIsText(t *testing.T) {
	for name, sample := range samples {
		p := sample()
		infect(reflect.ValueOf(&p).Elem(), `"'><script>alert(1)</script><img src=x onerror=alert(1)>`)
		found := render(t, p)
		assert.NotContains(t, found, "<script", name)
		assert.NotContains(t, found, "<img", name)
		assert.Equal(t, count(render(t, sample()), `<svg`), count(found, `<svg`), name)
	}
}

func TestLinksLeadToTheWebOrBesideThePage(t *testing.T) {
	p := rehearsed()
	p.Lanes[0].Executions[2].Links = []relaypage.Link{
		{Text: "bad", Address: "javascript:alert(1)"},
		{Text: "worse", Address: "//evil.example/x"},
		{Text: "root", Address: "/etc/passwd"},
		{Text: "good", Address: "../kept/report.html"},
		{Text: "fine", Address: "https://example.com/report.html"},
	}
	p.Lanes[0].Waiting = &relaypage.Review{Report: "data:text/html,x"}
	found := render(t, p)
	for _, address := range []string{"javascript", "evil.example", "/etc/passwd", "data:text"} {
		assert.NotContains(t, found, address)
	}
	assert.Contains(t, found, `<a href="../kept/report.html" rel="noreferrer">good</a>`)
	assert.Contains(t, found, `<a href="https://example.com/report.html" rel="noreferrer">fine</a>`)
}

func TestWhatCannotBeSeenIsWrittenOut(t *testing.T) {
	p := rehearsed()
	p.Lanes[0].Executions[0].Subject = "a\u202eb"
	assert.Contains(t, render(t, p), `a\u202eb`)
}

func TestTheVerdictIsWhatPeopleShouldKnowFirst(t *testing.T) {
	running := rehearsed()
	running.Lanes[1].Executions[2].Status = relaypage.Running
	held := rehearsed()
	held.Lanes[2].Holds = []relaypage.Hold{{Repository: "image", Text: "wait"}}
	waiting := rehearsed()
	waiting.Lanes[1].Waiting = &relaypage.Review{Since: began}
	mended := failed()
	mended.Failure = ""
	mended.Lanes[1].Executions = append(mended.Lanes[1].Executions, executions(40, 1)...)
	other := rehearsed()
	other.Lanes[2].Runs.ArtifactTag = "v1.8.2"
	denied := rehearsed()
	denied.Lanes[0].Problems = []string{"access denied"}
	for want, p := range map[string]relaypage.Page{
		"Released everywhere|dev, qa and main run v1.9.0.":                 rehearsed(),
		"Released everywhere|Each environment runs what its branch names.": other,
		"Failed|pipeline demo-qa-infrastructure, stage Deploy: 2 of 2":     failed(),
		"Failed|In dev.":            status(),
		"Under way|In qa.":          running,
		"On hold|In main.":          held,
		"Waits for approval|In qa.": waiting,
		"Released to dev and qa|Each environment runs what its branch names; nothing runs in main yet.": mended,
		"Not all of it is known|What could not be found out stands in its place, in dev.":               denied,
		"Nothing is released yet|": {Lanes: []relaypage.Lane{{Environment: "dev"}}},
		"No environment|":          {},
	} {
		title, text, _ := strings.Cut(want, "|")
		found := render(t, p)
		assert.Contains(t, found, "<strong>"+title+"</strong>", want)
		if text != "" {
			assert.Contains(t, found, `<p class="text">`+text, want)
		}
	}
}

func TestWithoutStagesNothingIsDrawn(t *testing.T) {
	found := render(t, status())
	assert.NotContains(t, found, "<svg")
	assert.Contains(t, found, "failed at Bake")
	assert.Contains(t, found, `began <time datetime="2026-11-23T09:30:00Z">`)
	assert.NotContains(t, render(t, relaypage.Page{Lanes: []relaypage.Lane{{Environment: "dev"}}}), "#timeline")
}

var width = regexp.MustCompile(`<rect class="[a-z]+" x="([0-9.]+)%" width="([0-9.]+)%"`)

// Whatever the times are, all bars are on the picture, and none is too thin to be seen.
func TestBarsAreOnThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Float64Range(0, 1e7)
		p := relaypage.Page{At: at(2e7)}
		drawn := 0
		for range rapid.IntRange(1, 5).Draw(t, "executions") {
			start := seconds.Draw(t, "start")
			end := start + rapid.Float64Range(0, 1e6).Draw(t, "length")
			e := execution("image", end, []string{"Source", "Bake"}, start, start+(end-start)/3)
			if rapid.Bool().Draw(t, "runs") {
				e.Stages[1].Ended = time.Time{}
			}
			p.Lanes = append(p.Lanes, relaypage.Lane{Environment: "dev", Executions: []relaypage.Execution{e}})
			drawn += 2
		}
		found := width.FindAllStringSubmatch(render(t, p), -1)
		if len(found) == 0 {
			return // no time passed at all
		}
		require.Len(t, found, drawn)
		for _, bar := range found {
			x, w := number(t, bar[1]), number(t, bar[2])
			assert.GreaterOrEqual(t, w, .4)
			assert.LessOrEqual(t, x+w, 100.02)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAWriterThatFailsIsAnError(t *testing.T) {
	assert.ErrorIs(t, relaypage.HTML(broken{}, rehearsed()), io.ErrClosedPipe)
}

func count(text, part string) int { return strings.Count(text, part) }

func number(t require.TestingT, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return n
}
