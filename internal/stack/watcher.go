package stack

import (
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
)

// watcher collects what matters from the engine's events.
type watcher struct {
	events chan events.EngineEvent
	done   chan struct{}

	mu       sync.Mutex
	changes  Changes
	problems []string
}

func watch() *watcher {
	w := &watcher{events: make(chan events.EngineEvent), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for event := range w.events {
			w.take(event)
		}
	}()
	return w
}

func (w *watcher) take(event events.EngineEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case event.ResourcePreEvent != nil:
		w.changes = w.changes.add(event.ResourcePreEvent.Metadata)
	case event.DiagnosticEvent != nil && event.DiagnosticEvent.Severity == "error":
		w.problems = append(w.problems, plain(event.DiagnosticEvent.Message))
	}
}

// wait returns what was seen. It is called when the run has ended; the Automation API has then closed the stream, unless the CLI
// ended before it sent its first event: then nobody ever closes it.
func (w *watcher) wait() (Changes, []string) {
	select {
	case <-w.done:
	case <-time.After(time.Second):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changes, w.problems
}
