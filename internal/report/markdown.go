package report

import (
	"cmp"
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// MaxMarkdown is the size in bytes that Markdown never exceeds: a comment on GitHub holds 65,536 characters, and whoever writes it adds
// a marker and a link.
const MaxMarkdown = 65_000

// How much of it each list gets, in bytes; the changes get what is left over.
const (
	maxCommitsSize  = 6_000
	maxFindingsSize = 20_000
	maxParitySize   = 4_000
	maxDigestsSize  = 4_000
)

// Markdown writes the report in GitHub's Markdown, so short that it fits a comment; where something is left out, it says how much. Every
// text of a stranger is code: there GitHub renders no markup, links nothing and notifies nobody.
func Markdown(w io.Writer, r Report) error {
	v := r.verdict()
	var head, tail strings.Builder
	fmt.Fprintf(&head, "# Review of %s: %s\n\n**%s** for %s. %s\n\n", code(r.Environment, 60), strings.ToLower(v.Title[:1])+v.Title[1:],
		code(r.Preview.Summary(), maxText), code(r.Product, 60), v.Text)
	fmt.Fprintf(&head, "%s\n\n", commit(r.Commit))
	if r.Approval.Page != "" {
		fmt.Fprintf(&head, "%s\n\n", link("All details, on a page of their own", r.Approval.Page))
	}
	markdownRelease(&head, r)
	head.WriteString("## Findings\n\n")
	if len(r.Findings) == 0 {
		fmt.Fprintf(&head, "None, of %s.\n", plural(len(r.rules()), "rule"))
	}
	list(&head, maxFindingsSize, markdownFindings(r), "findings")
	markdownStanding(&tail, r)
	markdownApproval(&tail, r, v)
	var digests []string
	for _, d := range r.Digests {
		digests = append(digests, fmt.Sprintf("- %s %s\n", code(d.Of, 100), code(d.SHA256, 64)))
	}
	if len(digests) > 0 {
		tail.WriteString("\n<details><summary>Digests (SHA-256)</summary>\n\n")
		list(&tail, maxDigestsSize, digests, "digests")
		tail.WriteString("\n</details>\n")
	}
	fmt.Fprintf(&tail, "\nrelay %s, Pulumi %s, %s, execution %s\n", code(r.Relay, 60), code(r.Pulumi, 60), moment(r.Created), code(r.Execution, 100))

	head.WriteString("\n## Changes\n\n")
	markdownChanges(&head, MaxMarkdown-head.Len()-tail.Len(), r.groups())
	_, err := io.WriteString(w, head.String()+tail.String())
	return err
}

func markdownRelease(b *strings.Builder, r Report) {
	b.WriteString("## Release\n\n")
	for _, f := range r.facts() {
		from, to := code(cmp.Or(f.From, "none"), 200), code(cmp.Or(f.To, "none"), 200)
		if from == to {
			fmt.Fprintf(b, "- %s: %s, unchanged\n", f.Name, to)
		} else {
			fmt.Fprintf(b, "- %s: %s → **%s**\n", f.Name, from, to)
		}
	}
	var commits []string
	for _, c := range r.Software {
		commits = append(commits, "- "+commit(c)+"\n")
	}
	if len(commits) > 0 {
		fmt.Fprintf(b, "\n<details><summary>%s in between</summary>\n\n", plural(len(commits)+r.More, "software commit"))
		list(b, maxCommitsSize, commits, "commits", r.More)
		b.WriteString("\n</details>\n")
	}
	if r.SoftwareNote != "" {
		fmt.Fprintf(b, "\n%s\n", code(r.SoftwareNote, maxText))
	}
	b.WriteByte('\n')
}

func markdownFindings(r Report) []string {
	var items []string
	for _, f := range r.sorted() {
		level := "**" + string(f.Rule.Severity) + "**"
		if f.Exception != nil {
			level = "excepted"
		}
		item := fmt.Sprintf("- %s %s %s\n", level, code(f.Rule.ID, 100), code(f.Rule.Title, 200))
		if f.Resource != "" {
			item += fmt.Sprintf("  - %s\n", code(endOf(f.Resource), 300))
		}
		item += fmt.Sprintf("  - %s\n", code(f.Message, 2*maxText))
		if f.Exception != nil {
			item += fmt.Sprintf("  - %s\n", code(exceptedBy(*f.Exception), maxText))
		} else {
			item += fmt.Sprintf("  - why: %s\n  - fix: %s\n", code(f.Rule.Why, maxText), code(f.Rule.Fix, maxText))
		}
		items = append(items, item)
	}
	return items
}

// markdownChanges lists the changes while there is room: those that destroy something openly, the others folded.
func markdownChanges(b *strings.Builder, room int, groups []group) {
	if len(groups) == 0 {
		b.WriteString("None.\n")
		return
	}
	// Headings and what closes a list are small; a component's name is cut.
	const reserve = 1_000
	end, left := b.Len()+room-reserve, 0
	for _, g := range groups {
		left += len(g.Changes)
	}
	for _, g := range groups {
		folded, open := false, false
		for _, c := range g.Changes {
			item := markdownChange(c)
			if b.Len()+len(item)+reserve/2 > end {
				if folded {
					b.WriteString("\n</details>\n")
				}
				fmt.Fprintf(b, "\n**%s not shown here**: the HTML report has all.\n", plural(left, "more change"))
				return
			}
			if !open {
				fmt.Fprintf(b, "### %s: %s\n\n", code(g.Component, 60), code(g.Summary, 60))
				open = true
			}
			if !c.destructive() && !folded {
				fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n", html.EscapeString(gentle(g)))
				folded = true
			}
			b.WriteString(item)
			left--
		}
		if folded {
			b.WriteString("\n</details>\n")
		}
		b.WriteByte('\n')
	}
}

// gentle counts the changes of a group that destroy nothing.
func gentle(g group) string {
	n := 0
	for _, c := range g.Changes {
		if !c.destructive() {
			n++
		}
	}
	return plural(n, "change") + " that " + map[bool]string{true: "keeps", false: "keep"}[n == 1] + " what is there"
}

func markdownChange(c change) string {
	var b strings.Builder
	op := code(c.Op, 20)
	if c.destructive() {
		op = "**" + op + "**"
	}
	fmt.Fprintf(&b, "- %s %s %s", op, code(c.Name, 120), code(c.Type, 120))
	if c.Protected {
		b.WriteString(" (protected)")
	}
	b.WriteByte('\n')
	if c.Op == preview.Create || c.Op == preview.Delete {
		return b.String()
	}
	for i, p := range c.Properties {
		if i == maxPerChange {
			fmt.Fprintf(&b, "  - %s more\n", number(len(c.Properties)-i))
			break
		}
		b.WriteString(markdownProperty(p))
	}
	return b.String()
}

func markdownProperty(p preview.Property) string {
	before, after := values(p)
	path := "  - " + code(p.Path, 120) + ": "
	if p.Replaces {
		path += "(**replaces**) "
	}
	switch {
	case isText(before) && isText(after):
		changed, more := changedLines(before, after, maxLinesShort)
		for _, l := range changed {
			path += "\n    - " + l.Kind + " " + code(l.Text, 100)
		}
		if more > 0 {
			path += "\n    - " + plural(more, "more line")
		}
	case p.Op == preview.Create:
		path += "added " + code(after, 100)
	case p.Op == preview.Delete:
		path += "removed " + code(before, 100)
	default:
		before, after = focus(before, after, 100)
		path += code(before, 100) + " → " + code(after, 100)
	}
	return path + "\n"
}

func markdownStanding(b *strings.Builder, r Report) {
	fmt.Fprintf(b, "\n## Promotion\n\n%s%s: %s\n", code(r.Promotion.State, 60), codeFrom(r.Promotion.Upstream), code(r.Promotion.Meaning, maxText))
	if r.Mirror == "" {
		return
	}
	fmt.Fprintf(b, "\n## Parity with %s\n\n", code(r.Mirror, 60))
	if len(r.Parity) == 0 {
		b.WriteString("Equal in every setting that must be.\n")
	}
	var items []string
	for _, d := range r.Parity {
		items = append(items, fmt.Sprintf("- %s: %s here, %s there\n", code(d.Setting, 120), code(d.Here, 120), code(d.There, 120)))
	}
	list(b, maxParitySize, items, "settings")
}

func codeFrom(upstream string) string {
	if upstream == "" {
		return ""
	}
	return " from " + code(upstream, 60)
}

func markdownApproval(b *strings.Builder, r Report, v verdict) {
	if v.Kind != "waiting" {
		return
	}
	b.WriteString("\n## Approval\n\n")
	for _, sentence := range onApproval {
		b.WriteString("- " + sentence + "\n")
	}
	b.WriteString("\nThe digest to approve comes with the request for approval.\n\n")
	for _, way := range []struct{ name, text string }{{"Approve", r.Approval.Approve}, {"Reject", r.Approval.Reject}} {
		if way.text != "" {
			fmt.Fprintf(b, "- %s: %s\n", way.name, code(way.text, maxText))
		}
	}
	if r.Approval.Console != "" {
		fmt.Fprintf(b, "- Or %s\n", link("in the pipeline", r.Approval.Console))
	}
	fmt.Fprintf(b, "- Expires: %s\n", moment(r.Expires))
}
