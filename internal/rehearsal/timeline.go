package rehearsal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// Timeline shows what happens as it happens: a line when something has ended, and on a terminal one more that lives, with what runs
// now and for how long.
type Timeline struct {
	out   io.Writer
	live  bool
	began time.Time

	mu      sync.Mutex
	running []*task
	stop    chan struct{}
	stopped sync.WaitGroup
}

type task struct {
	environment, name string
	began             time.Time
}

// NewTimeline returns a timeline that writes to out; live says that out is a terminal.
func NewTimeline(out io.Writer, live bool) *Timeline {
	t := &Timeline{out: out, live: live, began: time.Now(), stop: make(chan struct{})}
	if live {
		t.stopped.Go(t.redraw)
	}
	return t
}

// Close ends the living line.
func (t *Timeline) Close() {
	close(t.stop)
	t.stopped.Wait()
}

func (t *Timeline) redraw() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-t.stop:
			t.mu.Lock()
			t.erase()
			t.mu.Unlock()
			return
		case <-tick.C:
			t.mu.Lock()
			t.draw()
			t.mu.Unlock()
		}
	}
}

// Begin shows that something runs, until the function that it returns is called.
func (t *Timeline) Begin(environment, name string) func(detail string, err error) {
	now := &task{environment: environment, name: name, began: time.Now()}
	t.mu.Lock()
	t.running = append(t.running, now)
	t.mu.Unlock()
	return func(detail string, err error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(now)
		mark := "done"
		if err != nil {
			mark, detail = "FAILED", ""
		}
		t.line(now, mark, detail)
	}
}

// Warn shows what should be looked at.
func (t *Timeline) Warn(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.erase()
	fmt.Fprintf(t.out, "warning: %s\n", text)
}

// Pipeline shows a change of status of a pipeline's action.
func (t *Timeline) Pipeline(e runner.Event) {
	if e.Action == "" || e.Stage == "Source" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	parts := strings.Split(e.Pipeline, "-")
	environment, role := parts[len(parts)-2], parts[len(parts)-1]
	name := role + " " + strings.ToLower(e.Stage)
	if e.Status == runner.InProgress {
		t.running = append(t.running, &task{environment: environment, name: name, began: e.Time})
		return
	}
	for _, now := range t.running {
		if now.environment == environment && now.name == name {
			t.remove(now)
			mark := map[runner.Status]string{runner.Succeeded: "done", runner.Failed: "FAILED"}[e.Status]
			if mark == "" {
				mark = strings.ToLower(string(e.Status))
			}
			t.line(now, mark, summary(e.Summary))
			return
		}
	}
}

func (t *Timeline) remove(gone *task) {
	kept := t.running[:0]
	for _, now := range t.running {
		if now != gone {
			kept = append(kept, now)
		}
	}
	t.running = kept
}

func (t *Timeline) line(done *task, mark, detail string) {
	t.erase()
	text := fmt.Sprintf("%6.1fs  %-4s  %-22s %-6s %5.1fs  %s", time.Since(t.began).Seconds(), done.environment, done.name, mark,
		time.Since(done.began).Seconds(), firstLine(detail))
	fmt.Fprintln(t.out, strings.TrimRight(text, " "))
}

func (t *Timeline) erase() {
	if t.live {
		fmt.Fprint(t.out, "\r\x1b[K")
	}
}

func (t *Timeline) draw() {
	t.erase()
	var now []string
	for _, task := range t.running {
		now = append(now, fmt.Sprintf("%s %s %.0fs", task.environment, task.name, time.Since(task.began).Seconds()))
	}
	if len(now) > 0 {
		fmt.Fprintf(t.out, "%6.1fs  … %.100s", time.Since(t.began).Seconds(), strings.Join(now, " · "))
	}
}

// summary is what people want to know of an action: of a review, what would change.
func summary(text string) string {
	if _, after, ok := strings.Cut(text, "REVIEW_SUMMARY="); ok {
		after, _, _ = strings.Cut(after, " REVIEW_")
		return after
	}
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 90 {
		return line[:90] + "…"
	}
	return line
}
