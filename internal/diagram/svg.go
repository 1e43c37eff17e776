package diagram

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// Sizes, in units of the drawing.
const (
	gapX, gapY   = 112, 16
	boxHeight    = 52
	margin       = 24
	laneTitle    = 30
	laneGap      = 20
	titleHeight  = 40
	titleSize    = 14
	noteSize     = 11
	labelSize    = 11
	smallestBox  = 110
	boxPadding   = 24
	boxRounding  = 8
	widthOfTitle = 0.58 // of a letter, in its size
)

// style has colours for light and dark, and none of its own fonts: the drawing is shown as it is.
const style = `
    svg { color-scheme: light dark; font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
      --page: #ffffff; --ink: #1d2430; --soft: #4d5766; --line: #8a93a0; --lane: #f3f4f6; --box: #ffffff; --repository: #1f56b3; --stage: #4d5766;
      --decision: #805200; --store: #8a2f73; --systems: #1a6b3c }
    @media (prefers-color-scheme: dark) { svg { --page: #11151b; --ink: #e5e9ef; --soft: #b3bcc9; --line: #7c8796; --lane: #1b222b; --box: #11151b;
      --repository: #8db8ff; --stage: #b3bcc9; --decision: #f2c46a; --store: #f0a3dc; --systems: #85d6a3 } }
    .page { fill: var(--page) } .lane { fill: var(--lane) } .heading { fill: var(--ink); font-weight: 600 } .head { fill: var(--line) }
    .name { fill: var(--ink) } .note, .label, .title { fill: var(--soft) } .label { paint-order: stroke; stroke: var(--page); stroke-width: 4px }
    .arrow { fill: none; stroke: var(--line); stroke-width: 1.5 } .dashed { stroke-dasharray: 5 4 } .box { fill: var(--box); stroke-width: 1.5 }
    .repository { stroke: var(--repository) } .stage { stroke: var(--stage) } .decision { stroke: var(--decision); stroke-dasharray: 5 3 }
    .store { stroke: var(--store) } .systems { stroke: var(--systems); stroke-width: 2.5 }
`

// rect is where a box is.
type rect struct{ x, y, width int }

// layout is where everything is.
type layout struct {
	boxes         map[string]rect
	lanes         []rect
	heights       []int
	width, height int
}

// SVG returns the diagram as a drawing that stands alone: no script, no font, nothing from elsewhere. It follows the viewer's choice of
// light or dark, and names its parts for screen readers.
func (d Diagram) SVG() (string, error) {
	columns, err := d.columns()
	if err != nil {
		return "", err
	}
	at := d.layout(columns)
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title desc">`+"\n",
		at.width, at.height, at.width, at.height)
	fmt.Fprintf(&out, "  <title id=\"title\">%s</title>\n  <desc id=\"desc\">%s</desc>\n  <style>%s  </style>\n", html.EscapeString(d.Title), html.EscapeString(d.describe()), style)
	out.WriteString(`  <defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>` + "\n")
	fmt.Fprintf(&out, "  <rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", at.width, at.height)
	text(&out, "heading", margin, margin+4, 16, "start", d.Title)
	for i, lane := range d.Lanes {
		r := at.lanes[i]
		fmt.Fprintf(&out, "  <rect class=\"lane\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"12\"/>\n", r.x, r.y, r.width, at.heights[i])
		text(&out, "title", r.x+12, r.y+20, 12, "start", lane.Title)
	}
	for _, a := range d.Arrows {
		at.arrow(&out, a)
	}
	for _, lane := range d.Lanes {
		for _, box := range lane.Boxes {
			at.box(&out, box)
		}
	}
	for _, a := range d.Arrows {
		at.label(&out, a)
	}
	out.WriteString("</svg>\n")
	return out.String(), nil
}

// layout gives each lane as many lines of boxes as its fullest column needs.
func (d Diagram) layout(columns map[string]int) layout {
	at := layout{boxes: map[string]rect{}}
	widths := map[int]int{}
	for _, lane := range d.Lanes {
		for _, box := range lane.Boxes {
			c := columns[box.ID]
			widths[c] = max(widths[c], smallestBox, textWidth(box.Title, titleSize)+boxPadding, textWidth(box.Note, noteSize)+boxPadding)
		}
	}
	left := map[int]int{}
	x := 2 * margin
	for c := range len(widths) {
		left[c] = x
		x += widths[c] + gapX
	}
	at.width = x - gapX + 2*margin
	y := titleHeight + margin/2
	for _, lane := range d.Lanes {
		filled := map[int]int{}
		for _, box := range lane.Boxes {
			c := columns[box.ID]
			at.boxes[box.ID] = rect{left[c], y + laneTitle + filled[c]*(boxHeight+gapY), widths[c]}
			filled[c]++
		}
		lines := 1
		for _, n := range filled {
			lines = max(lines, n)
		}
		height := laneTitle + lines*(boxHeight+gapY)
		at.lanes, at.heights = append(at.lanes, rect{margin, y, at.width - 2*margin}), append(at.heights, height)
		y += height + laneGap
	}
	at.height = y - laneGap + margin
	return at
}

func textWidth(text string, size int) int {
	return int(float64(utf8.RuneCountInString(text)*size) * widthOfTitle)
}

func text(out *strings.Builder, class string, x, y, size int, anchor, s string) {
	fmt.Fprintf(out, "  <text class=\"%s\" x=\"%d\" y=\"%d\" font-size=\"%d\" text-anchor=\"%s\">%s</text>\n", class, x, y, size, anchor, html.EscapeString(s))
}

func (l layout) box(out *strings.Builder, box Box) {
	r := l.boxes[box.ID]
	rounding := boxRounding
	if box.Shape == Systems {
		rounding = boxHeight / 2
	}
	fmt.Fprintf(out, "  <rect class=\"box %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n", box.Shape, r.x, r.y, r.width, boxHeight, rounding)
	middle, line := r.x+r.width/2, r.y+31
	if box.Note != "" {
		line = r.y + 23
		text(out, "note", middle, r.y+40, noteSize, "middle", box.Note)
	}
	text(out, "name", middle, line, titleSize, "middle", box.Title)
}

// ends are where an arrow begins and ends: it leads to the right, or down.
func (l layout) ends(a Arrow) (x1, y1, x2, y2 int) {
	from, to := l.boxes[a.From], l.boxes[a.To]
	if a.Down {
		return from.x + from.width/2, from.y + boxHeight, to.x + to.width/2, to.y
	}
	return from.x + from.width, from.y + boxHeight/2, to.x, to.y + boxHeight/2
}

func (l layout) arrow(out *strings.Builder, a Arrow) {
	x1, y1, x2, y2 := l.ends(a)
	class := "arrow"
	if a.Dashed {
		class += " dashed"
	}
	bendX, bendY := (x2-x1)/2, 0
	if a.Down {
		bendX, bendY = 0, (y2-y1)/2
	}
	fmt.Fprintf(out, "  <path class=\"%s\" marker-end=\"url(#head)\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", class, x1, y1, x1+bendX, y1+bendY, x2-bendX, y2-bendY, x2, y2)
}

func (l layout) label(out *strings.Builder, a Arrow) {
	if a.Label == "" {
		return
	}
	x1, y1, x2, y2 := l.ends(a)
	if a.Down {
		text(out, "label", (x1+x2)/2+8, (y1+y2)/2+4, labelSize, "start", a.Label)
		return
	}
	text(out, "label", (x1+x2)/2, (y1+y2)/2-5, labelSize, "middle", a.Label)
}

// describe tells the arrows in words.
func (d Diagram) describe() string {
	titles := map[string]string{}
	for _, lane := range d.Lanes {
		for _, box := range lane.Boxes {
			titles[box.ID] = box.Title
		}
	}
	var lines []string
	for _, a := range d.Arrows {
		line := titles[a.From] + " to " + titles[a.To]
		if a.Label != "" {
			line += " (" + a.Label + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}
