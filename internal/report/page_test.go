package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/webpage/webtest"
)

// serve serves a report's page and nothing but it.
func serve(t *testing.T, r report.Report) (address string) {
	t.Helper()
	return webtest.Serve(t, render(t, report.FormatHTML, r))
}

func TestThePageIsThereInTime(t *testing.T) {
	const limit = 2 * time.Second
	b := webtest.NewTab(t)
	b.Open(t, "about:blank")
	for _, n := range []int{5, 200, 2000} {
		t.Run(fmt.Sprintf("changes=%d", n), func(t *testing.T) {
			address := serve(t, large(n))
			b.Forget()
			// The machine may be busy with other tests: the best of up to five counts.
			best := time.Hour
			for range 5 {
				if best = min(best, b.Open(t, address)); best < limit {
					break
				}
			}
			t.Logf("%d changed resources: %s", n, best.Round(time.Millisecond))
			assert.Less(t, best, limit)
			assert.Equal(t, n, webtest.Evaluate[int](t, b, `document.querySelectorAll(".group li").length`))
			b.Quiet(t, address)
		})
	}
}

func TestAScriptInThePageIsText(t *testing.T) {
	const script = `<script>document.title="owned"</script><img src="https://evil.example/x" onerror="document.title='owned'">`
	r := infect(sample(), func(text string) string { return text + script })
	b := webtest.NewTab(t)
	address := serve(t, r)
	b.Open(t, address)
	text := webtest.Evaluate[string](t, b, `document.body.textContent`)
	for _, place := range []string{
		r.Commit.Subject, r.To.ArtifactTag, r.Software[0].Subject, r.Findings[1].Message, r.Findings[1].Exception.Reason, r.Findings[1].Rule.Title,
		r.Preview.Resources[6].Changes[0].After.(string), r.Preview.Resources[6].Name(), r.Approval.Approve, r.Parity[0].Here,
	} {
		assert.True(t, strings.HasSuffix(place, script))
		assert.Contains(t, text, place)
	}
	assert.NotEqual(t, "owned", webtest.Evaluate[string](t, b, `document.title`))
	assert.Equal(t, 0, webtest.Evaluate[int](t, b, `document.querySelectorAll("script, img, iframe, object, [onerror]").length`))
	b.Quiet(t, address)
}

func TestThePagesPolicyHolds(t *testing.T) {
	// Had a stranger's text become markup after all, it would still run nothing and fetch nothing.
	page := strings.Replace(render(t, report.FormatHTML, sample()), "</main>",
		`<script>document.title="owned"</script><img src="/leak" alt=""><p style="position:fixed">x</p></main>`, 1)
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	b := webtest.NewTab(t)
	b.Open(t, "file://"+file)
	assert.NotEqual(t, "owned", webtest.Evaluate[string](t, b, `document.title`))
	assert.Equal(t, "static", webtest.Evaluate[string](t, b, `getComputedStyle(document.querySelector("main > p")).position`))
	assert.NotEqual(t, "0px", webtest.Evaluate[string](t, b, `getComputedStyle(document.querySelector(".card")).borderTopWidth`), "the page's own style counts")
	assert.GreaterOrEqual(t, len(b.Complaints()), 3, "the browser says what it refused: %q", b.Complaints())
}

func TestThePageFitsAPhone(t *testing.T) {
	b := webtest.NewTab(t)
	for name, r := range map[string]report.Report{
		"sample": sample(), "blocked": blocked(), "unchanged": unchanged(), "large": large(200),
		"long": infect(sample(), func(text string) string { return text + strings.Repeat("x", 300) }),
	} {
		b.Fits(t, serve(t, r), name)
	}
}

func TestThePageIsAccessible(t *testing.T) {
	b := webtest.NewTab(t)
	for name, r := range map[string]report.Report{"sample": sample(), "blocked": blocked(), "unchanged": unchanged()} {
		b.Accessible(t, serve(t, r), name)
	}
}

func TestThePagePrintsWhatIsFolded(t *testing.T) {
	b := webtest.NewTab(t)
	b.Open(t, serve(t, large(200)))
	const shown = `[...document.querySelectorAll(".group .diff")].filter(e => e.checkVisibility({contentVisibilityAuto: false}) && e.getClientRects().length).length`
	assert.Less(t, webtest.Evaluate[int](t, b, shown), 20)
	_, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.NoError(t, err)
	assert.Equal(t, 200, webtest.Evaluate[int](t, b, shown))
}

// screens are the pictures in docs/images.
var screens = []struct {
	name, scheme, section string
	width, height         int64
}{
	{"review-light.png", "light", "release", 1100, 1500},
	{"review-dark.png", "dark", "release", 1100, 1500},
	{"review-changes.png", "light", "changes", 1100, 1500},
	{"review-phone.png", "light", "release", 360, 1600},
}

// TestScreenshots draws the page in both schemes and on a phone. With UPDATE_SCREENSHOTS=1 it writes the pictures to docs/images.
func TestScreenshots(t *testing.T) {
	b := webtest.NewTab(t)
	address := serve(t, sample())
	backgrounds := map[string]bool{}
	for _, s := range screens {
		b.Scheme(t, s.scheme)
		require.NoError(t, chromedp.Do(b.Context, chromedp.EmulateViewport(s.width, s.height)))
		b.Open(t, address)
		if s.section != "release" {
			webtest.Evaluate[int](t, b, `(document.getElementById("`+s.section+`").scrollIntoView(), 0)`)
		}
		backgrounds[s.scheme+webtest.Evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`)] = true
		picture, err := chromedp.Run(b.Context, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		assert.Less(t, len(picture), 300_000, "%s: a picture in git is small", s.name)
		if os.Getenv("UPDATE_SCREENSHOTS") != "" {
			require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "images", s.name), picture, 0o644))
		}
	}
	assert.Len(t, backgrounds, 2, "each scheme has a background of its own")
}
