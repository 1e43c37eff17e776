// Package visible makes strangers' text safe to look at.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text writes what steers a terminal, turns the direction of a text or cannot be seen out as \u202e, so that what is read is what there
// is. See CVE-2021-42574 for what those characters are used for. Line breaks and tabs stay.
func Text(text string) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var out strings.Builder
	for _, c := range text {
		if hidden(c) {
			fmt.Fprintf(&out, `\u%04x`, c)
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}

// hidden says that a character must be written out. Joiners stay, since emoji and some scripts need them.
func hidden(c rune) bool {
	switch c {
	case '\n', '\t', '\u200c', '\u200d':
		return false
	case '\u2028', '\u2029':
		return true
	}
	return unicode.IsControl(c) || unicode.Is(unicode.Cf, c)
}
