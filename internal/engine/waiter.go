package engine

import (
	"github.com/handoff-go/handoff/internal/park"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Header travels with a value. A header is never changed once it was sent.
type Header = map[string]string

// kind is what a waiter waits to do.
type kind uint8

const (
	send kind = iota
	recv      // take and confirm at once
	take      // take and hold
	stop      // be told to end
)

// waiter is one blocked case: the record of a plain operation, or of one case of
// a select. It belongs to one channel, whose lock guards it from the moment it
// stands in a queue until done is set.
type waiter[T any] struct {
	next, prev *waiter[T]
	in         *queue[T]  // the queue it stands in, or nil
	rung       *waiter[T] // next to be woken, in an after
	tk         *ticket.Ticket
	att        *Attach
	idx        int32 // of the case in its select
	kind       kind
	done       bool // the outcome below is final
	try        bool // a send that may wait for a settlement, but for nothing else

	// parcel is set while the value of this sender is handed out, or was given
	// back, without a slot.
	parcel *parcel[T]

	// got is what was received; for a sender got.Val and got.Header are the
	// value it offers. Err is the outcome of both.
	got Got[T]

	// vs is the rest of a SendAll, whose first value is in got.Val, or the
	// buffer of a RecvInto or TakeInto; n counts what was sent or received.
	vs    []T
	holds []Got[T]
	n     int

	// own is the ticket of a plain operation, kept with its bell.
	own  ticket.Ticket
	fate park.Fate
}

// Got is a value received, with what is needed to settle it if it is held.
type Got[T any] struct {
	Val     T
	Header  Header
	Attempt int
	Err     error
	Hold    Hold[T]

	// plain, set before a take, says that it stands for a plain receive
	// elsewhere: the value is held only until it is known to have arrived, and
	// for that MaxHold is no bound.
	plain bool
}

// more reports whether a SendAll has values left after the one it offers.
func (w *waiter[T]) more() bool { return len(w.vs) > 0 }

// advance makes the next value of a SendAll the one it offers.
func (w *waiter[T]) advance() {
	w.n++
	if w.more() {
		w.got.Val = w.vs[0]
		w.vs = w.vs[1:]
	}
}

// win takes the ticket of w for a firm counterpart. A sender with values left
// keeps its ticket: it is not done. Owner and counterpart then meet under the
// lock, where both look at n.
func (w *waiter[T]) win() ticket.Answer {
	if w.kind == send && w.more() {
		if w.tk.Dead() {
			return ticket.Gone
		}
		return ticket.Won
	}
	return w.tk.Win(int(w.idx))
}

// queue is a list of waiters, first come, first served, with removal in one step.
type queue[T any] struct {
	head, tail *waiter[T]
}

func (q *queue[T]) push(w *waiter[T]) {
	w.in, w.next, w.prev = q, nil, q.tail
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
}

// remove takes w out of the queue it stands in, if any.
func (w *waiter[T]) remove() {
	q := w.in
	if q == nil {
		return
	}
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.in, w.next, w.prev = nil, nil, nil
}

// live counts the waiters that can still be completed.
func (q *queue[T]) live() int {
	n := 0
	for w := q.head; w != nil; w = w.next {
		if !w.tk.Dead() {
			n++
		}
	}
	return n
}

// firstWon returns the first waiter whose ticket could be won, out of the queue,
// or nil. Dead ones are dropped on the way, claimed ones keep their place.
func (q *queue[T]) firstWon() *waiter[T] {
	for w := q.head; w != nil; {
		next := w.next
		switch w.win() {
		case ticket.Won:
			w.remove()
			return w
		case ticket.Gone:
			w.remove()
		}
		w = next
	}
	return nil
}

// keepIdle bounds the waiter records a quiet channel keeps. trimEvery is the
// window in releases after which records that were idle all through it are let
// go, so that a burst does not pin its memory.
const (
	keepIdle  = 1024
	trimEvery = 4096
)

// record returns a waiter for a plain operation, in Waiting. The lock is held;
// in steady state there is one to reuse.
func (c *Chan[T]) record(k kind, a *Attach) *waiter[T] {
	w := c.idle
	if w == nil {
		w = &waiter[T]{}
		bell, fate := park.New(park.Bell, c.inside)
		w.fate = fate
		w.own.SetBell(bell)
		w.tk = &w.own
	} else {
		c.idle, w.next = w.next, nil
		c.idleCount--
		c.idleLow = min(c.idleLow, c.idleCount)
	}
	w.own.Reset()
	w.kind, w.att = k, a
	return w
}

// release takes back the record of a finished plain operation. The lock is held.
func (c *Chan[T]) release(w *waiter[T]) {
	w.got, w.vs, w.holds = Got[T]{}, nil, nil
	w.att, w.parcel, w.rung = nil, nil, nil
	w.n, w.done, w.try = 0, false, false
	if w.fate != park.Keep || c.idleCount >= keepIdle {
		if w.fate == park.Lent {
			park.Return(park.Bell, w.own.Bell())
		}
		return
	}
	w.next = c.idle
	c.idle = w
	c.idleCount++
	if c.released++; c.released >= trimEvery {
		c.trim()
	}
}

// trim lets half of the records go that nobody needed in the last window.
func (c *Chan[T]) trim() {
	for range c.idleLow / 2 {
		w := c.idle
		c.idle = w.next
		c.idleCount--
	}
	c.released, c.idleLow = 0, c.idleCount
}
