package report

import (
	"fmt"
	"strings"
)

// commit is a commit with a link to it.
func commit(c Commit) string {
	text := link(code(brief(c.SHA), 12), c.URL)
	if c.Subject != "" {
		text += " " + code(c.Subject, 150)
	}
	if c.Author != "" {
		text += " by " + code(c.Author, 60)
	}
	return text
}

// link is a text with a link where the address is one to follow.
func link(text, address string) string {
	if address = web(address); address == "" || len(address) > 500 {
		return text
	}
	return "[" + text + "](<" + address + ">)"
}

// list writes items while they fit into a number of bytes, and how many it left out, with those that were left out before.
func list(b *strings.Builder, room int, items []string, noun string, missing ...int) {
	used, left := 0, 0
	for _, n := range missing {
		left += n
	}
	for i, item := range items {
		if used += len(item); used > room {
			left += len(items) - i
			break
		}
		b.WriteString(item)
	}
	if left > 0 {
		fmt.Fprintf(b, "- **%s more %s not shown here**\n", number(left), noun)
	}
}

// code is a text of a stranger as a code span. The fence is longer than any run of backticks inside (CommonMark 0.31, section 6.1).
func code(text string, n int) string {
	text = oneLine(text, n)
	if text == "" {
		return "` `"
	}
	fence, run := 1, 0
	for _, c := range text {
		if c != '`' {
			run = 0
		} else if run++; run >= fence {
			fence = run + 1
		}
	}
	if text[0] == '`' || text[len(text)-1] == '`' {
		text = " " + text + " "
	}
	return strings.Repeat("`", fence) + text + strings.Repeat("`", fence)
}
