package diagram

import (
	"fmt"
	"strings"
)

// Mermaid returns the diagram as a flowchart (mermaid.js.org, "Flowcharts - Basic Syntax"), which GitHub shows in Markdown.
func (d Diagram) Mermaid() (string, error) {
	if _, err := d.columns(); err != nil {
		return "", err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "---\ntitle: %q\n---\nflowchart LR\n", d.Title)
	for _, lane := range d.Lanes {
		fmt.Fprintf(&out, "  subgraph %s[%s]\n", lane.ID, quoted(lane.Title))
		for _, box := range lane.Boxes {
			text := quoted(box.Title)
			if box.Note != "" {
				text = quoted(box.Title + "\n" + box.Note)
			}
			ends := map[Shape][2]string{Repository: {"[(", ")]"}, Stage: {"[", "]"}, Decision: {"{{", "}}"}, Store: {"[/", "/]"}, Systems: {"([", "])"}}[box.Shape]
			fmt.Fprintf(&out, "    %s%s%s%s\n", box.ID, ends[0], text, ends[1])
		}
		out.WriteString("  end\n")
	}
	for _, a := range d.Arrows {
		line := "-->"
		if a.Dashed {
			line = "-.->"
		}
		if a.Label != "" {
			line += "|" + quoted(a.Label) + "|"
		}
		fmt.Fprintf(&out, "  %s %s %s\n", a.From, line, a.To)
	}
	return out.String(), nil
}

// quoted is a text that Mermaid shows as it is: its entities are #name; and #number;.
func quoted(text string) string {
	return `"` + strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", "\n", "<br/>").Replace(text) + `"`
}
