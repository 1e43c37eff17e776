package relaypage_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/webpage/webtest"
)

func TestThePageIsAccessibleAndNeedsNothing(t *testing.T) {
	b := webtest.NewTab(t)
	for name, sample := range samples {
		address := webtest.Serve(t, render(t, sample()))
		b.Forget()
		b.Open(t, address)
		b.Quiet(t, address)
		b.Accessible(t, address, name)
	}
}

func TestThePageFitsAPhone(t *testing.T) {
	b := webtest.NewTab(t)
	for name, sample := range samples {
		b.Fits(t, webtest.Serve(t, render(t, sample())), name)
		long := sample()
		infect(reflect.ValueOf(&long).Elem(), strings.Repeat("x", 300))
		b.Fits(t, webtest.Serve(t, render(t, long)), name+" with long words")
	}
}

// screens are the pictures in docs/images.
var screens = []struct {
	name, scheme  string
	width, height int64
}{
	{"relay-light.png", "light", 1100, 1180},
	{"relay-dark.png", "dark", 1100, 1180},
	{"relay-phone.png", "light", 360, 1600},
}

// TestScreenshots draws the page in both schemes and on a phone. With UPDATE_SCREENSHOTS=1 it writes the pictures to docs/images.
func TestScreenshots(t *testing.T) {
	b := webtest.NewTab(t)
	address := webtest.Serve(t, render(t, rehearsed()))
	backgrounds := map[string]bool{}
	for _, s := range screens {
		b.Scheme(t, s.scheme)
		require.NoError(t, chromedp.Do(b.Context, chromedp.EmulateViewport(s.width, s.height)))
		b.Open(t, address)
		backgrounds[s.scheme+webtest.Evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`)] = true
		fills := webtest.Evaluate[[]string](t, b, `[...new Set([...document.querySelectorAll("rect")].map(e => getComputedStyle(e).fill))]`)
		assert.Len(t, fills, 1, "%s: all bars have the colour of what succeeded", s.name)
		assert.NotContains(t, fills, "rgb(0, 0, 0)", s.name)
		picture, err := chromedp.Run(b.Context, chromedp.CaptureScreenshot())
		require.NoError(t, err)
		assert.Less(t, len(picture), 300_000, "%s: a picture in git is small", s.name)
		if os.Getenv("UPDATE_SCREENSHOTS") != "" {
			require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "images", s.name), picture, 0o644))
		}
	}
	assert.Len(t, backgrounds, 2, "each scheme has a background of its own")
}
