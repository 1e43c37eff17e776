package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// The kinds of lines in a diff.
const (
	lineSame    = "same"
	lineRemoved = "removed"
	lineAdded   = "added"
	// lineFolded stands for lines that are the same on both sides and far from any change.
	lineFolded = "folded"
)

// line is a line of a diff.
type line struct{ Kind, Text string }

const (
	// around is how many lines are shown around a change.
	around = 3
	// maxLines is how many lines of a diff are shown.
	maxLines = 400
)

// diffLines compares two texts line by line and folds what is the same on both sides.
func diffLines(before, after string) []line {
	all := compareLines(before, after)
	near := make([]bool, len(all))
	for i, l := range all {
		if l.Kind != lineSame {
			for j := max(0, i-around); j <= min(len(all)-1, i+around); j++ {
				near[j] = true
			}
		}
	}
	var out []line
	for i := 0; i < len(all); i++ {
		if len(out) == maxLines {
			return append(out, line{lineFolded, fmt.Sprintf("%d more lines", len(all)-i)})
		}
		end := i
		for end < len(all) && !near[end] {
			end++
		}
		if end-i < 2 {
			out = append(out, all[i])
			continue
		}
		out = append(out, line{lineFolded, fmt.Sprintf("%d lines unchanged", end-i)})
		i = end - 1
	}
	return out
}

// changedLines are the lines of a diff that are on one side only, at most n, and how many more there are.
func changedLines(before, after string, n int) (changed []line, more int) {
	for _, l := range compareLines(before, after) {
		if l.Kind == lineSame {
			continue
		}
		if len(changed) < n {
			changed = append(changed, l)
		} else {
			more++
		}
	}
	return changed, more
}

// compareLines are the lines of both texts, each once where they are the same.
func compareLines(before, after string) []line {
	d := diffmatchpatch.New()
	// A limit in time would make the report depend on the machine's speed. Lines are few enough.
	d.DiffTimeout = 0
	a, b, lines := d.DiffLinesToRunes(before+"\n", after+"\n")
	kinds := map[diffmatchpatch.Operation]string{
		diffmatchpatch.DiffEqual: lineSame, diffmatchpatch.DiffDelete: lineRemoved, diffmatchpatch.DiffInsert: lineAdded,
	}
	var out []line
	for _, part := range d.DiffCharsToLines(d.DiffMainRunes(a, b, false), lines) {
		for text := range strings.Lines(part.Text) {
			out = append(out, line{kinds[part.Type], strings.TrimSuffix(text, "\n")})
		}
	}
	return slices.Clip(out)
}
