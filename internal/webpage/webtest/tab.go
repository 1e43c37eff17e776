// Package webtest opens pages in a headless browser, for tests.
package webtest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
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
)

// Tab is a tab of a headless browser, and what it asked for and complained about.
type Tab struct {
	// Context is for chromedp.
	Context context.Context

	mu                   sync.Mutex
	requests, complaints []string
}

// NewTab starts a browser of its own. That there is none fails the test.
func NewTab(t *testing.T) *Tab {
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
	b := &Tab{Context: ctx}
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

// Serve serves a page and nothing but it.
func Serve(t *testing.T, page string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/page.html" {
			t.Errorf("the page asked for %s", request.URL)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/page.html"
}

// Open loads a page and returns how long that took, until it was painted.
func (b *Tab) Open(t *testing.T, address string) time.Duration {
	t.Helper()
	start := time.Now()
	require.NoError(t, chromedp.Do(b.Context, chromedp.Navigate(address)))
	Evaluate[float64](t, b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`)
	return time.Since(start)
}

// Evaluate is the value of an expression of JavaScript in the page, or of the promise that it is.
func Evaluate[T any](t *testing.T, b *Tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b.Context, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err, "%.200s", expression)
	return value
}

// Scheme is "light" or "dark", which the page is told that its reader prefers.
func (b *Tab) Scheme(t *testing.T, scheme string) {
	t.Helper()
	_, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
}

// Fits says that nothing of the page is wider than a phone's screen, also what is unfolded.
func (b *Tab) Fits(t *testing.T, address, name string) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.Context, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile)))
	b.Open(t, address)
	Evaluate[int](t, b, `document.querySelectorAll("details").forEach(d => d.open = true) ?? 0`)
	wide := Evaluate[[]string](t, b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 360).map(e => e.outerHTML.slice(0, 99))`)
	assert.Empty(t, wide[:min(3, len(wide))], "%s: nothing is wider than the screen", name)
	assert.LessOrEqual(t, Evaluate[int](t, b, `document.documentElement.scrollWidth`), 360, name)
}

// Forget forgets what the tab asked for so far.
func (b *Tab) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests = nil
}

// Complaints are what the browser or the page wrote to the console.
func (b *Tab) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

// Quiet says that the page asked for nothing but itself and that the browser had nothing to say.
func (b *Tab) Quiet(t *testing.T, address string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.NotEmpty(t, b.requests, "the browser tells of requests")
	for _, request := range b.requests {
		assert.Equal(t, address, request, "the page needs nothing but itself")
	}
	assert.Empty(t, b.complaints)
}
