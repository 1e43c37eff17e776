package stack

import (
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// watcher collects what matters from the engine's events.
type watcher struct {
	events chan events.EngineEvent
	done   chan struct{}

	mu       sync.Mutex
	seen     preview.Preview
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
		if r, ok := planned(event.ResourcePreEvent.Metadata); ok {
			w.seen.Resources = append(w.seen.Resources, r)
		}
	case event.ResOutputsEvent != nil:
		if made := event.ResOutputsEvent.Metadata; made.Type == rootType && made.New != nil {
			w.seen.Outputs = texts(made.New.Outputs)
		}
	case event.DiagnosticEvent != nil:
		message := plain(event.DiagnosticEvent.Message)
		if event.DiagnosticEvent.Severity == "error" {
			w.problems = append(w.problems, message)
		} else if value, ok := strings.CutPrefix(message, preview.PromotionMessage); ok {
			w.seen.Promotion = strings.TrimSpace(value)
		}
	}
}

// texts are the outputs that are known strings.
func texts(outputs map[string]any) map[string]string {
	out := map[string]string{}
	for key, value := range outputs {
		if s, ok := plainValue(value).(string); ok && s != preview.Unknown && s != preview.Secret {
			out[key] = s
		}
	}
	return out
}

// wait returns what was seen. It is called when the run has ended; the Automation API has then closed the stream, unless the CLI
// ended before it sent its first event: then nobody ever closes it.
func (w *watcher) wait() (preview.Preview, []string) {
	select {
	case <-w.done:
	case <-time.After(time.Second):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen, w.problems
}
