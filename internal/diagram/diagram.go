// Package diagram draws lanes of boxes with arrows between them, as Mermaid and as SVG. A box's column follows from the arrows. What the
// boxes mean is the caller's.
package diagram

import "fmt"

// Diagram is what is drawn.
type Diagram struct {
	Title string `json:"title"`
	Lanes []Lane `json:"lanes"`
	// Arrows lead from box to box by their IDs.
	Arrows []Arrow `json:"arrows"`
}

// Lane is a row of boxes that belong together.
type Lane struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Boxes []Box  `json:"boxes"`
}

// Shape is what kind of thing a box is.
type Shape string

// The shapes.
const (
	// Repository is a branch of a repository.
	Repository Shape = "repository"
	// Stage is a stage of a pipeline.
	Stage Shape = "stage"
	// Decision is a stage in which a person decides.
	Decision Shape = "decision"
	// Store is where something is kept, or made.
	Store Shape = "store"
	// Systems are what runs.
	Systems Shape = "systems"
)

// Box is one thing.
type Box struct {
	// ID is unique in the diagram: letters, digits and underscores, beginning with a letter.
	ID    string `json:"id"`
	Title string `json:"title"`
	// Note is a second line. Optional.
	Note  string `json:"note,omitempty"`
	Shape Shape  `json:"shape"`
}

// Arrow leads from a box to another.
type Arrow struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Label says what goes that way. Optional.
	Label string `json:"label,omitempty"`
	// Dashed is for what people do, or what only happens sometimes.
	Dashed bool `json:"dashed,omitempty"`
	// Down says that it leads straight down to a lower lane, where that has room.
	Down bool `json:"down,omitempty"`
}

// columns places every box: one further right than all boxes from which an arrow leads to it, or below those from which one leads down.
// Arrows in a circle have no such places.
func (d Diagram) columns() (map[string]int, error) {
	column := map[string]int{}
	count := 0
	for _, lane := range d.Lanes {
		for _, box := range lane.Boxes {
			if _, twice := column[box.ID]; twice {
				return nil, fmt.Errorf("box %q is there twice", box.ID)
			}
			column[box.ID] = 0
			count++
		}
	}
	for _, a := range d.Arrows {
		for _, id := range []string{a.From, a.To} {
			if _, known := column[id]; !known {
				return nil, fmt.Errorf("an arrow leads from %q to %q, but there is no box %q", a.From, a.To, id)
			}
		}
	}
	for range count + 1 {
		moved := false
		for _, a := range d.Arrows {
			least := column[a.From]
			if !a.Down {
				least++
			}
			if column[a.To] < least {
				column[a.To], moved = least, true
			}
		}
		if !moved {
			return column, nil
		}
	}
	return nil, fmt.Errorf("the arrows of %q lead in a circle", d.Title)
}
