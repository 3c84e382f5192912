package hub

import (
	"sync"

	"github.com/handoff-go/handoff/internal/wire"
)

// What is remembered of sessions that have ended, the oldest forgotten first.
const (
	maxEnded    = 4096  // sessions
	maxOutcomes = 16384 // operations of all of them together
)

// memory knows how the operations of sessions that have ended did end, as far as
// their clients have not said that they know.
type memory struct {
	mu       sync.Mutex // guards the rest
	sessions map[wire.ID]ended
	order    []wire.ID // as they ended
	outcomes int       // of all sessions
}

// ended is a session that has ended.
type ended struct {
	who      string // whose it was; nobody else is told
	lastOp   uint64 // what has a higher number never came
	outcomes map[uint64]wire.Fate
}

// keep remembers a session.
func (m *memory) keep(id wire.ID, e ended) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions == nil {
		m.sessions = map[wire.ID]ended{}
	}
	if len(e.outcomes) > maxOutcomes {
		return // it cannot be answered for all of them, so for none
	}
	m.sessions[id] = e
	m.order = append(m.order, id)
	m.outcomes += len(e.outcomes)
	for len(m.order) > maxEnded || m.outcomes > maxOutcomes {
		m.outcomes -= len(m.sessions[m.order[0]].outcomes)
		delete(m.sessions, m.order[0])
		m.order = m.order[1:]
	}
}

// of returns what became of an operation of a session of who that has ended.
func (m *memory) of(id wire.ID, who string, op uint64) wire.Fate {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.sessions[id]
	if e.who != who {
		e, ok = ended{}, false
	}
	switch f, known := e.outcomes[op]; {
	case known:
		return f
	case ok && op > e.lastOp:
		return wire.Fate{Known: wire.FateNever, Chosen: wire.NoneChosen}
	}
	return wire.Fate{Known: wire.FateUnknown, Chosen: wire.NoneChosen}
}

// remember keeps how the operations of s ended that its client may ask for. All of
// them have ended.
func (s *session) remember() {
	if s.window == 0 || s.out.Ended() { // not kept; or its client is known to be dead
		return
	}
	s.hub.memory.keep(s.id, ended{s.who, s.lastOp, wire.Outcomes(s.out.Unacknowledged())})
}

// tellFate answers an ASK.
func (s *session) tellFate(h wire.Header, body []byte) error {
	f, err := wire.ParseAsk(h, body)
	if err != nil {
		return err
	}
	if err := s.number(h.Type, f.Op); err != nil {
		return err
	}
	answer := s.hub.fate(f.Session, s.who, f.Asked)
	answer.Op = f.Op
	s.out.Send(&answer)
	return nil
}

// fate returns what is known of an operation, for its own identity.
func (h *Hub) fate(id wire.ID, who string, op uint64) wire.Fate {
	h.mu.Lock()
	living := h.resumable[id]
	h.mu.Unlock()
	if living != nil && living.who == who {
		return wire.Fate{Known: wire.FateUnderWay, Chosen: wire.NoneChosen}
	}
	return h.memory.of(id, who, op)
}
