package webpage_test

import (
	"html/template"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tekpossible/ha-devops/internal/webpage"
)

func TestOnlyWebAddressesAndFilesBesideThePageAreLinkedTo(t *testing.T) {
	for address, want := range map[string][2]string{
		"https://example.com/a?b=c#d":        {"https://example.com/a?b=c#d", "https://example.com/a?b=c#d"},
		"buckets/reviews/report.html":        {"", "buckets/reviews/report.html"},
		"../kept/a%20b/report.html":          {"", "../kept/a%20b/report.html"},
		"./a:b/report.html":                  {"", "./a:b/report.html"},
		"javascript:alert(1)":                {},
		"JavaScript:alert(1)":                {},
		"data:text/html,x":                   {},
		"//example.com/x":                    {},
		`\\example.com\x`:                    {},
		`/\example.com`:                      {},
		"/etc/passwd":                        {},
		"file:///etc/passwd":                 {},
		"https:///nowhere":                   {},
		"https://example.com/\" onclick=\"x": {},
		"\x00":                               {},
		"":                                   {},
	} {
		assert.Equal(t, want[0], webpage.Address(address), "%q", address)
		assert.Equal(t, want[1], webpage.Link(address), "%q", address)
	}
}

func TestAPolicyIsForItsStyleAlone(t *testing.T) {
	one, other := webpage.Style("a{}"), webpage.Style("b{}")
	assert.Contains(t, string(one), "prefers-color-scheme: dark")
	assert.NotEqual(t, webpage.Policy(one), webpage.Policy(other))
	assert.Contains(t, webpage.Policy(template.CSS("")), "style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", "the digest of nothing")
}
