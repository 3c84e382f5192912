package wire

import "sync/atomic"

// Quantum is how many bytes one channel may have in a write where others wait for it,
// unless it is one frame that is longer: who sends large values is in the way of the
// others for so long and no longer.
const Quantum = 256 << 10

// Share is what of the bytes that wait in an Outbox is one channel's. The channel's
// lock guards it.
type Share struct {
	turn  uint64 // of the outbox, when bytes were added
	bytes int
}

// Room reports whether n bytes more may be added to o now. If not they are for later,
// and o's Refill will be called. The caller notes for whom under the share's lock if
// that is Refill's, too, and else asks once more after he has.
func (s *Share) Room(o *Outbox, n int) bool {
	for {
		turn := o.turns.turn.Load()
		if s.turn != turn || s.bytes == 0 || s.bytes+n <= Quantum {
			return true
		}
		o.turns.hungry.Store(true)
		if o.turns.turn.Load() == turn {
			return false
		}
	}
}

// Add notes that n bytes are about to be added to o.
func (s *Share) Add(o *Outbox, n int) {
	if turn := o.turns.turn.Load(); s.turn != turn {
		s.turn, s.bytes = turn, 0
	}
	s.bytes += n
}

// turns are the writes of an Outbox, each of which takes all that waits.
type turns struct {
	// In Room hungry is stored and then turn loaded; turn is raised by begin, and then
	// hungry taken by feed: one of the two sees the other.
	turn   atomic.Uint64
	hungry atomic.Bool
	refill func()
}

// Refill has f called after each write has begun that somebody waits for. It is called
// without locks, by who writes, and what it adds goes out with the next write. It is
// said before anything is written.
func (o *Outbox) Refill(f func()) { o.turns.refill = f }

// feed calls Refill's function, if anybody waits for the next turn.
func (t *turns) feed() {
	if t.refill != nil && t.hungry.Load() && t.hungry.Swap(false) {
		t.refill()
	}
}
