package engine

import (
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
)

// records are the waiters of plain operations, kept for reuse. They stand in a
// ring in the order in which they were used. As waiters are served in the order
// they came, the one used longest ago is the first to be free again: to find a
// record is one look, and its owner gives it back by one store. The lock of the
// channel guards it.
type records[T any] struct {
	last *waiter[T] // used last; the one after it was used longest ago
	len  int32
	peak int32 // most waiters at once in this lap
	left int32 // uses until the lap is over
	calm int32 // laps since a record was made
}

// record returns a waiter for a plain operation, in Waiting. The lock is held;
// in steady state there is one to reuse.
//
//go:norace
func (c *Chan[T]) record(k kind, a *Attach) *waiter[T] {
	r := &c.spare
	w := r.last
	if w != nil {
		w = w.follow
	}
	if w == nil || w.over.Load() != w.turn {
		w = r.another(&c.mu)
	}
	r.last = w
	n := int32(c.recvq.len + c.sendq.len)
	if c.extra != nil {
		n += int32(c.bare.len)
	}
	r.peak = max(r.peak, n+1)
	if r.left--; r.left < 0 {
		r.trim()
	}
	w.turn++
	w.kind, w.att = k, a
	return w
}

// wideRecord is record for an operation that goes the full way.
//
//go:norace
func (c *Chan[T]) wideRecord(k kind, a *Attach) *waiter[T] {
	w := c.record(k, a)
	w.widen()
	return w
}

// another returns a free record though the one used longest ago is not: those in
// use are passed over, since few of them wait for long beside others that do not.
// After some a new one is made.
//
//go:norace
func (r *records[T]) another(mu *lock[T]) *waiter[T] {
	for range min(r.len, passes) {
		r.last = r.last.follow
		if w := r.last.follow; w.over.Load() == w.turn {
			return w
		}
	}
	w := &waiter[T]{firm: true}
	w.slot.Frees(&mu.state)
	r.calm = 0
	w.follow = w
	if r.last != nil {
		w.follow, r.last.follow = r.last.follow, w
	}
	r.len++
	return w
}

// passes is how many records in use are passed over before a new one is made. Who
// was woken has his until he runs, and in a crowd that is a while.
const passes = 16

// laps is how many laps without a new record show that there are too many.
const laps = 4

// trim lets records go after a lap, in which each was used once: no more than
// twice as many as waited at once are kept, so that a burst does not pin its
// memory. But those who were woken and did not run yet have theirs too, and are
// not counted: so where one had to be made lately, more are kept.
//
//go:norace
func (r *records[T]) trim() {
	most := 2*r.peak + 8
	if r.calm++; r.calm <= laps {
		most *= 8
	}
	for r.len > most {
		w := r.last.follow
		if w.over.Load() != w.turn {
			break
		}
		r.last.follow, w.follow = w.follow, nil
		r.len--
	}
	r.left, r.peak = r.len+64, 0
}

// release gives back the record of a finished plain operation. The lock is not
// needed, and is not held.
//
//go:norace
func (c *Chan[T]) release(w *waiter[T]) {
	var zero T
	w.val, w.header, w.err = zero, nil, nil
	if !w.simple && w.full != nil {
		w.got, w.vs, w.holds, w.n = Got[T]{}, nil, nil, 0
		w.parcel, w.rung = nil, nil
	}
	if w.fate != park.Keep {
		w.dropBell()
	}
	w.att, w.done, w.try, w.simple, w.rings, w.watched, w.keen = nil, false, false, false, false, false, false
	if hb.On {
		hb.Ignore()
	}
	park.Store(&w.over, w.turn)
	if hb.On {
		hb.Heed()
	}
}

// getBell has w wait for its bell instead of parking. The lock is held.
//
//go:norace
func (c *Chan[T]) getBell(w *waiter[T]) {
	w.rings = true
	w.widen()
	if w.own.Bell() == nil {
		bell, fate := park.New(park.Bell, c.inside)
		w.fate = fate
		w.own.SetBell(bell)
	}
}

// dropBell takes away a bell that the next owner cannot use.
//
//go:norace
func (w *waiter[T]) dropBell() {
	if w.fate == park.Lent {
		park.Return(park.Bell, w.own.Bell())
	}
	w.own.SetBell(nil)
	w.fate = park.Keep
}
