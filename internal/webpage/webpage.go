// Package webpage is what the pages that are written have in common: a look, a policy under which they load and run nothing, and the
// care for addresses that strangers wrote.
package webpage

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"strings"
)

//go:embed base.css
var base string

// Style is the one style of a page: the look of all pages, and what the page's own style adds to it.
func Style(own string) template.CSS {
	return template.CSS(base + own)
}

// Policy is a page's Content-Security-Policy: it loads nothing, runs nothing, sends nothing, and has one style, known by its digest.
func Policy(style template.CSS) string {
	digest := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; base-uri 'none'; form-action 'none'"
}

// Address is a web address that is safe to link to, or empty.
func Address(address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(address, "<>()[]\"'`\\ ") {
		return ""
	}
	return address
}

// Link is an address that is safe to link to, or empty: a web address, or one of a file relative to the page.
func Link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Path == "" || u.Path[0] == '/' || strings.Contains(u.Path, `\`) {
		return Address(address)
	}
	return address
}
