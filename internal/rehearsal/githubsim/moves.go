package githubsim

import "sync"

// Move says that a branch went from one commit to another: by a push, a write through the contents API, or a merge.
// A branch's creation and deletion are no moves.
type Move struct {
	// Repo is the repository's name without owner.
	Repo string
	// Branch is the branch's name, such as "dev".
	Branch string
	// Before and After are full commit IDs.
	Before, After string
	// Actor moved it.
	Actor Actor
	// Paths are the files that differ between Before and After, sorted.
	Paths []string
}

// moves delivers each Move to every listener once, one at a time and in the order in which the branches moved.
type moves struct {
	mu         sync.Mutex
	listeners  []func(Move)
	queue      []Move
	delivering bool
}

// OnMove registers a listener. It runs after the move, before the call that caused it returns unless another call's moves are
// being delivered just then. It may call the Server; while it runs no other move is delivered, so it starts long work
// elsewhere.
func (s *Server) OnMove(listener func(Move)) {
	s.moves.mu.Lock()
	defer s.moves.mu.Unlock()
	s.moves.listeners = append(s.moves.listeners, listener)
}

func (m *moves) add(move Move) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, move)
}

// deliver empties the queue. It must run without a repository's lock. A listener that moves a branch itself comes here
// again: its move waits for the delivery that is under way.
func (m *moves) deliver() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.delivering {
		return
	}
	m.delivering = true
	for len(m.queue) > 0 {
		move, listeners := m.queue[0], m.listeners
		m.queue = m.queue[1:]
		m.mu.Unlock()
		for _, listener := range listeners {
			listener(move)
		}
		m.mu.Lock()
	}
	m.delivering = false
}
