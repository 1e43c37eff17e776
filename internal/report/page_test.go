package report_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/report"
)

// tab is a tab of a headless browser, and what it asked for and complained about.
type tab struct {
	ctx context.Context
	mu  sync.Mutex
	// requests are the addresses that the page asked for, complaints what it wrote to the console.
	requests, complaints []string
}

// newTab starts a browser of its own. That there is none fails the test.
func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1200, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "no browser starts; run: tools/debian chromium")
	b := &tab{ctx: ctx}
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
	require.NoError(t, err)
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			b.requests = append(b.requests, e.Request.URL)
		case *log.EventEntryAdded:
			b.complaints = append(b.complaints, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventConsoleAPICalled:
			b.complaints = append(b.complaints, fmt.Sprint("console: ", e.Args))
		case *runtime.EventExceptionThrown:
			b.complaints = append(b.complaints, e.ExceptionDetails.Text)
		}
	}))
	return b
}

// serve writes a report's page to a file and serves nothing but it.
func serve(t *testing.T, r report.Report) (address string) {
	t.Helper()
	page := render(t, report.FormatHTML, r)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/report.html" {
			t.Errorf("the page asked for %s", request.URL)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/report.html"
}

// open loads a page and returns how long that took, until it was painted.
func (b *tab) open(t *testing.T, address string) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Navigate(address)))
	evaluate[float64](t, b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`)
	return time.Since(start)
}

func evaluate[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err, expression)
	return value
}

// quiet says that the page asked for nothing but itself and that the browser had nothing to say.
func (b *tab) quiet(t *testing.T, address string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotEmpty(t, b.requests, "the browser tells of requests")
	for _, request := range b.requests {
		assert.Equal(t, address, request, "the page needs nothing but itself")
	}
	assert.Empty(t, b.complaints)
}

func TestThePageIsThereInTime(t *testing.T) {
	const limit = 2 * time.Second
	b := newTab(t)
	b.open(t, "about:blank")
	for _, n := range []int{5, 200, 2000} {
		t.Run(fmt.Sprintf("changes=%d", n), func(t *testing.T) {
			address := serve(t, large(n))
			b.mu.Lock()
			b.requests = nil
			b.mu.Unlock()
			// The machine may be busy with other tests: the best of up to five counts.
			best := time.Hour
			for range 5 {
				if best = min(best, b.open(t, address)); best < limit {
					break
				}
			}
			t.Logf("%d changed resources: %s", n, best.Round(time.Millisecond))
			assert.Less(t, best, limit)
			assert.Equal(t, n, evaluate[int](t, b, `document.querySelectorAll(".group li").length`))
			b.quiet(t, address)
		})
	}
}

func TestAScriptInThePageIsText(t *testing.T) {
	const script = `<script>document.title="owned"</script><img src="https://evil.example/x" onerror="document.title='owned'">`
	r := infect(sample(), func(text string) string { return text + script })
	b := newTab(t)
	address := serve(t, r)
	b.open(t, address)
	text := evaluate[string](t, b, `document.body.textContent`)
	for _, place := range []string{
		r.Commit.Subject, r.To.ArtifactTag, r.Software[0].Subject, r.Findings[1].Message, r.Findings[1].Exception.Reason, r.Findings[1].Rule.Title,
		r.Preview.Resources[6].Changes[0].After.(string), r.Preview.Resources[6].Name(), r.Approval.Approve, r.Parity[0].Here,
	} {
		assert.True(t, strings.HasSuffix(place, script))
		assert.Contains(t, text, place)
	}
	assert.NotEqual(t, "owned", evaluate[string](t, b, `document.title`))
	assert.Equal(t, 0, evaluate[int](t, b, `document.querySelectorAll("script, img, iframe, object, [onerror]").length`))
	b.quiet(t, address)
}

func TestThePagesPolicyHolds(t *testing.T) {
	// Had a stranger's text become markup after all, it would still run nothing and fetch nothing.
	page := strings.Replace(render(t, report.FormatHTML, sample()), "</main>",
		`<script>document.title="owned"</script><img src="/leak" alt=""><p style="position:fixed">x</p></main>`, 1)
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o644))
	b := newTab(t)
	b.open(t, "file://"+file)
	assert.NotEqual(t, "owned", evaluate[string](t, b, `document.title`))
	assert.Equal(t, "static", evaluate[string](t, b, `getComputedStyle(document.querySelector("main > p")).position`))
	assert.NotEqual(t, "0px", evaluate[string](t, b, `getComputedStyle(document.querySelector(".card")).borderTopWidth`), "the page's own style counts")
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.GreaterOrEqual(t, len(b.complaints), 3, "the browser says what it refused: %q", b.complaints)
}

func TestThePageFitsAPhone(t *testing.T) {
	b := newTab(t)
	require.NoError(t, chromedp.Do(b.ctx, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)))
	for name, r := range map[string]report.Report{
		"sample": sample(), "blocked": blocked(), "unchanged": unchanged(), "large": large(200),
		"long": infect(sample(), func(text string) string { return text + strings.Repeat("x", 300) }),
	} {
		b.open(t, serve(t, r))
		evaluate[int](t, b, `document.querySelectorAll("details").forEach(d => d.open = true) ?? 0`)
		wide := evaluate[[]string](t, b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 360).map(e => e.outerHTML.slice(0, 99))`)
		assert.Empty(t, wide[:min(3, len(wide))], "%s: nothing is wider than the screen", name)
		assert.LessOrEqual(t, evaluate[int](t, b, `document.documentElement.scrollWidth`), 360, name)
	}
}

func TestThePagePrintsWhatIsFolded(t *testing.T) {
	b := newTab(t)
	b.open(t, serve(t, large(200)))
	const shown = `[...document.querySelectorAll(".group .diff")].filter(e => e.checkVisibility({contentVisibilityAuto: false}) && e.getClientRects().length).length`
	assert.Less(t, evaluate[int](t, b, shown), 20)
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.NoError(t, err)
	assert.Equal(t, 200, evaluate[int](t, b, shown))
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
	b := newTab(t)
	address := serve(t, sample())
	backgrounds := map[string]bool{}
	for _, s := range screens {
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}},
		})
		require.NoError(t, err)
		require.NoError(t, chromedp.Do(b.ctx, chromedp.EmulateViewport(s.width, s.height)))
		b.open(t, address)
		if s.section != "release" {
			evaluate[int](t, b, `(document.getElementById("`+s.section+`").scrollIntoView(), 0)`)
		}
		backgrounds[s.scheme+evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`)] = true
		picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		assert.Less(t, len(picture), 300_000, "%s: a picture in git is small", s.name)
		if os.Getenv("UPDATE_SCREENSHOTS") != "" {
			require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "images", s.name), picture, 0o644))
		}
	}
	assert.Len(t, backgrounds, 2, "each scheme has a background of its own")
}
