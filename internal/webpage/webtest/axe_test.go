package webtest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/webpage/webtest"
)

// A check that finds nothing in a bad page would find nothing in a good one.
func TestAxeFindsWhatIsBad(t *testing.T) {
	b := webtest.NewTab(t)
	b.Open(t, webtest.Serve(t, `<!doctype html><html><head><title>x</title><link rel="icon" href="data:,"></head><body><main><h1>x</h1><img src="data:,"><ul><li>a</li></ul>
<p style="color:#ccc;background:#fff">pale</p><a href="/x"></a></main></body></html>`))
	found := map[string]bool{}
	for _, f := range b.Axe(t) {
		found[f.ID] = f.Serious()
	}
	for _, rule := range []string{"html-has-lang", "image-alt", "color-contrast", "link-name"} {
		assert.True(t, found[rule], "%s: %v", rule, found)
	}
}
