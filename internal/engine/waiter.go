package engine

import (
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/hb"
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
	// What a plain operation that parks needs is 128 bytes, if T is one word: a
	// crowd of waiters is walked through in turn, and every line of it comes from
	// far. The rest is in full.

	next, prev *waiter[T]
	in         *queue[T]    // the queue it stands in, or nil
	slot       park.Slot[T] // where its owner is parked, in the fast form
	att        *Attach
	idx        int32 // of the case in its select
	kind       kind
	firm       bool      // plain: decided under the lock of its channel alone; its ticket never moves
	simple     bool      // firm, of one value that is not held, and not completed but by the short way
	done       bool      // the outcome below is final
	try        bool      // a send that may wait for a settlement, but for nothing else
	leaves     bool      // a sender that gives up, for err, as soon as it is known where its value is
	again      bool      // of an AsyncSelect: its turn is begun again if its receiver never saw the value
	rings      bool      // its owner waits for the bell of own and does not park
	fate       park.Fate // of that bell
	watched    bool      // the end of its context completes it: see watch.go
	keen       bool      // its owner is to ask its context for that
	asleep     bool      // nobody can have its value: see Offer

	// For records, see there.
	follow *waiter[T]
	turn   uint32        // how often it was used; written under the lock
	over   atomic.Uint32 // the last turn its owner is done with; partner: the load in record

	stamp uint64 // its place in the queue: ascending

	val    T      // what a sender offers, or a plain receive has got
	header Header // of what a sender offers
	err    error  // the outcome

	*full[T] // nil until it is needed: see widen
}

// full is what a waiter needs besides, unless it is a plain operation of one value
// that parks and meets one of its kind.
type full[T any] struct {
	tk   *ticket.Ticket
	far  *Offer     // of a case of a select that is decided elsewhere
	rung *waiter[T] // next to be released, in an after

	// got is what was received by anything but a plain receive of one value. Its
	// Err is not used.
	got Got[T]

	// parcel is set while the value of this sender is handed out, or was given
	// back, without a slot.
	parcel *parcel[T]

	// vs is the rest of a SendAll, whose first value is in val, or the
	// buffer of a RecvInto or TakeInto; n counts what was sent or received.
	vs    []T
	holds []Got[T]
	n     int

	own ticket.Ticket // of a plain operation

}

// widen gives w what the full way needs. The lock is held, unless w is not yet
// shown to anybody.
//
//go:norace
func (w *waiter[T]) widen() {
	if w.full == nil {
		w.full = &full[T]{}
		w.tk = &w.own
	}
}

// bare reports whether w is a plain receive of one value, which gets it in val.
//
//go:norace
func (w *waiter[T]) bare() bool {
	return w.firm && w.kind == recv && (w.full == nil || w.vs == nil && w.holds == nil)
}

// same reports whether w and v are cases of one select, which never meets itself.
//
//go:norace
func (w *waiter[T]) same(v *waiter[T]) bool { return !w.firm && !v.firm && w.tk == v.tk }

// handedOut returns the parcel in which the value of the sender w is handed out,
// or was given back, without a slot.
//
//go:norace
func (w *waiter[T]) handedOut() *parcel[T] {
	if w.full == nil {
		return nil
	}
	return w.parcel
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

	// unheard, set before a take, says that its receiver is elsewhere and has
	// the value only when Heard is called. plain implies it.
	unheard bool
}

// more reports whether a SendAll has values left after the one it offers.
//
//go:norace
func (w *waiter[T]) more() bool { return w.full != nil && len(w.vs) > 0 }

// count counts a value that left custody by the full way.
//
//go:norace
func (w *waiter[T]) count() {
	if w.simple = false; w.full != nil {
		w.n++
	}
}

// advance makes the next value of a SendAll the one it offers.
//
//go:norace
func (w *waiter[T]) advance() {
	w.count()
	if w.more() {
		w.val = w.vs[0]
		w.vs = w.vs[1:]
	}
}

// win takes w for a firm counterpart. A plain waiter stands in the queue of one
// channel only, so whoever holds the lock and finds it there has it.
//
//go:norace
func (w *waiter[T]) win() ticket.Answer {
	if w.firm {
		if w.done {
			return ticket.Gone
		}
		return ticket.Won
	}
	if w.att.gone {
		return ticket.Busy // it was claimed when its attachment ended; its owner is about to see that
	}
	if w.asleep && !w.tk.Dead() {
		return ticket.Busy
	}
	return w.tk.Win(int(w.idx))
}

// winAnyway is win for an end that even a detached attachment is told.
//
//go:norace
func (w *waiter[T]) winAnyway() ticket.Answer {
	if w.firm {
		return w.win()
	}
	return w.tk.Win(int(w.idx))
}

// state is the state of the ticket of w, which stands in a queue.
//
//go:norace
func (w *waiter[T]) state() ticket.State {
	if w.firm {
		return ticket.Waiting
	}
	if s := w.tk.State(); s != ticket.Waiting || !w.asleep {
		return s
	}
	return ticket.Claimed
}

// queue is a list of waiters, first come, first served, with removal in one step.
type queue[T any] struct {
	head, tail *waiter[T]
	len        int
	last       uint64 // the newest stamp
}

//go:norace
func (q *queue[T]) push(w *waiter[T]) {
	q.last++
	w.stamp = q.last
	w.in, w.next, w.prev = q, nil, q.tail
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.next = w
	}
	q.tail = w
	q.len++
	hb.Release(w) // partner: whoever takes its value
}

// insert puts w, which has a stamp, into its place.
//
//go:norace
func (q *queue[T]) insert(w *waiter[T]) {
	at := q.tail
	for at != nil && at.stamp > w.stamp {
		at = at.prev
	}
	w.in, w.prev = q, at
	if at == nil {
		w.next, q.head = q.head, w
	} else {
		w.next, at.next = at.next, w
	}
	if w.next == nil {
		q.tail = w
	} else {
		w.next.prev = w
	}
	q.len++
	hb.Release(w) // partner: whoever takes its value
}

// wants says what kind of take the waiting receiver w stands for: see Got.
//
//go:norace
func (w *waiter[T]) wants() (plain, unheard bool) {
	switch {
	case w.full == nil:
		return false, false
	case len(w.holds) > 0:
		return w.holds[0].plain, w.holds[0].unheard
	}
	return w.got.plain, w.got.unheard
}

// remove takes w out of the queue it stands in, if any.
//
//go:norace
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
	q.len--
	w.in, w.next, w.prev = nil, nil, nil
}

// shift takes the first waiter out of the queue.
//
//go:norace
func (q *queue[T]) shift() {
	w := q.head
	q.head = w.next
	if w.next == nil {
		q.tail = nil
	} else {
		w.next.prev, w.next = nil, nil
	}
	q.len--
	w.in = nil
}

// live counts the waiters that can still be completed.
//
//go:norace
func (q *queue[T]) live() int {
	n := 0
	for w := q.head; w != nil; w = w.next {
		if w.state() < ticket.Synced {
			n++
		}
	}
	return n
}

// firstWon returns the first waiter whose ticket could be won, out of the queue,
// or nil. Dead ones are dropped on the way, claimed ones keep their place.
//
//go:norace
func (q *queue[T]) firstWon() *waiter[T] {
	for w := q.head; w != nil; {
		next := w.next
		if w.inLine() {
			return nil
		}
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
