package engine

import (
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Snapshot is what waits in a channel at one moment, and who holds what. It is
// for tools: it walks every queue under the lock, and allocates.
type Snapshot struct {
	ID      uint64 // of the channel, in the order of making
	Name    string
	Created time.Time // zero if OnMake was not set then
	Stats   driver.Stats
	Waiting []Waiting // senders, then receivers, then those who wait for a stop; in line
	Held    []Held    // in send order; then those that rest
}

// Waiting is one blocked case.
type Waiting struct {
	Op      string         // "send", "recv", "take" or "stop"
	Ticket  *ticket.Ticket // the same for all cases of one select, on whatever channels; nil for some plain operations; to compare, not to use
	Select  bool
	Claimed bool // a home on another medium is deciding over it
	Left    int  // for a send: values it has yet to send
}

// Held is one value that is handed out, or rests before it is ready again.
type Held struct {
	Attempt int
	Slot    bool      // it has a slot; else its sender waits for the settlement
	Orphan  bool      // its sender gave up
	Resting bool      // given back, not ready yet
	Due     time.Time // when the hold lapses; zero if it does not
}

var opNames = [...]string{send: "send", recv: "recv", take: "take", stop: "stop"}

// Snapshot returns what waits in c now.
//
//go:norace
func (c *Chan[T]) Snapshot() Snapshot {
	c.lockWide()
	defer c.mu.Unlock()
	s := Snapshot{ID: c.id, Name: c.cfg.Name, Created: c.created, Stats: c.stats()}
	for _, q := range []*queue[T]{&c.sendq, &c.recvq, &c.stopq} {
		for w := q.head; w != nil; w = w.next {
			if w.state() >= ticket.Synced {
				continue
			}
			waits := Waiting{Op: opNames[w.kind], Select: !w.firm, Claimed: w.state() == ticket.Claimed}
			if w.full != nil {
				waits.Ticket = w.tk
			}
			if w.kind == send {
				waits.Left = 1
				if w.more() {
					waits.Left += len(w.vs)
				}
			}
			s.Waiting = append(s.Waiting, waits)
		}
	}
	for p := c.held.head; p != nil; p = p.next {
		h := Held{Attempt: p.attempt, Slot: p.slot, Orphan: p.where == orphaned}
		if p.timer != nil {
			h.Due = p.due
		}
		s.Held = append(s.Held, h)
	}
	for p := c.rests.head; p != nil; p = p.next {
		s.Held = append(s.Held, Held{Attempt: p.attempt, Slot: p.slot, Resting: true})
	}
	return s
}

// made is told of every channel that is made; see OnMake.
var made atomic.Pointer[func(*Record)]

// Record stands for a channel in a registry. The channel points to it and it
// does not point back, so that a registry neither keeps a channel alive nor
// hides a leak from the runtime's leak profile.
type Record struct {
	ID      uint64
	Name    string
	Slots   int
	Created time.Time
}

// OnMake has f told of every channel made from now on; nil ends it. f must not
// make or open a channel. A channel
// made while f is set keeps its Record for as long as it lives, so that a weak
// pointer to the Record tells whether the channel still exists.
//
//go:norace
func OnMake(f func(*Record)) {
	if f == nil {
		made.Store(nil)
		return
	}
	made.Store(&f)
}

// announce tells of c, which is being made.
//
//go:norace
func (c *Chan[T]) announce(now time.Time) {
	if f := made.Load(); f != nil {
		c.wide()
		c.created = now
		c.known = &Record{c.id, c.cfg.Name, c.slots, c.created}
		(*f)(c.known)
	}
}
