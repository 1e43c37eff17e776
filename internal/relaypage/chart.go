package relaypage

import (
	"fmt"
	"strings"
	"time"
)

// axis is the time that the bars of all executions share.
type axis struct {
	from, to time.Time
	Ticks    []tick
}

// tick is a mark on the axis.
type tick struct {
	// At is where it is, in percent of the width.
	At   string
	Text string
}

// bar is one stage of an execution on the axis.
type bar struct {
	Kind           string
	At, Width      string // in percent of the width
	Name, Duration string
}

// newAxis spans all stages; it is nil when no execution has any: without them there is nothing to draw.
func newAxis(p Page) *axis {
	var a axis
	for _, l := range p.Lanes {
		for _, e := range l.Executions {
			for _, s := range e.Stages {
				if a.from.IsZero() || s.Started.Before(a.from) {
					a.from = s.Started
				}
				if end := s.end(p.At); end.After(a.to) {
					a.to = end
				}
			}
		}
	}
	if !a.from.Before(a.to) {
		return nil
	}
	span := a.to.Sub(a.from)
	for step := stepOf(span); ; {
		at := time.Duration(len(a.Ticks)) * step
		if at > span {
			return &a
		}
		text := "0"
		if at > 0 {
			text = took(at)
			if step >= time.Second && at < time.Minute {
				text = fmt.Sprintf("%d s", at/time.Second)
			}
		}
		a.Ticks = append(a.Ticks, tick{percent(at, span), text})
	}
}

// steps are the distances of ticks that people read easily.
var steps = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// stepOf is the smallest step that makes a handful of ticks.
func stepOf(span time.Duration) time.Duration {
	const ticks = 6
	for _, step := range steps {
		if span <= ticks*step {
			return step
		}
	}
	const day = 24 * time.Hour
	return (span/ticks/day + 1) * day
}

func (a *axis) bars(e Execution, now time.Time) []bar {
	const thinnest = 0.4
	var bars []bar
	span := a.to.Sub(a.from)
	for _, s := range e.Stages {
		took := took(s.end(now).Sub(s.Started))
		width := max(thinnest, 100*float64(s.end(now).Sub(s.Started))/float64(span))
		at := max(0, min(100-width, 100*float64(s.Started.Sub(a.from))/float64(span)))
		bars = append(bars, bar{kind(s.Status), fmt.Sprintf("%.2f%%", at), fmt.Sprintf("%.2f%%", width), s.Name, took})
	}
	return bars
}

// end is when a stage ended, or now while it runs.
func (s Stage) end(now time.Time) time.Time {
	if s.Ended.IsZero() {
		return now
	}
	return s.Ended
}

func percent(part, whole time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(whole))
}

// kind is the class of a status in the style.
func kind(s Status) string {
	switch s {
	case Running, Waiting, Succeeded, Failed, Stopped, Superseded:
		return string(s)
	}
	return "other"
}

// described is a bar's picture in words.
func described(bars []bar) string {
	var parts []string
	for _, b := range bars {
		parts = append(parts, fmt.Sprintf("%s %s, %s", b.Name, b.Duration, b.Kind))
	}
	return strings.Join(parts, "; ")
}
