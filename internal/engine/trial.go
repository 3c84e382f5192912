package engine

import "github.com/handoff-go/handoff/internal/ticket"

// This file is what becomes of those who only try where a send case of an offer stands
// in line before them, asleep: it may be about to have what they could have, and only
// its owner's answer says. So they wait for that, and for nothing else. A receiver that
// tries waits in its queue, since it is what the sleeping send may meet. A send that
// tries stands beside the line: in it, somebody could take its value and keep it.

// trial is what a channel has of sends that try. Its lock guards it.
type trial[T any] struct {
	trying    []*waiter[T]
	lingering []*AsyncSelect // beside a default
}

// behind reports whether a send that tries has to wait: a send case of an offer stands
// in line before it, and there is something it could have.
//
//go:norace
func (c *Chan[T]) behind() bool {
	if c.extra == nil || c.courting == nil || c.offers == 0 || c.closed {
		return false
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if s.inLine() && (s == c.courting.s || c.used < c.slots || c.meetable(s)) {
			return true
		}
	}
	return false
}

// meetable reports whether a receiver waits that the send s could meet.
//
//go:norace
func (c *Chan[T]) meetable(s *waiter[T]) bool {
	for r := c.recvq.head; r != nil; r = r.next {
		if r.state() == ticket.Waiting && !r.att.gone && !r.same(s) {
			return true
		}
	}
	return false
}

// tryAgain has the sends that try go on, if nobody stands before them any more.
//
//go:norace
func (c *Chan[T]) tryAgain(o *after[T]) {
	k := c.courting
	if len(k.trying)+len(k.lingering) == 0 {
		return
	}
	waits := k.trying
	k.trying = nil
	for _, w := range waits {
		switch {
		case w.done: // cancelled
		case c.behind() && !w.att.gone:
			k.trying = append(k.trying, w)
		default:
			c.triesOn(w, o)
		}
	}
	if !c.behind() {
		for _, x := range k.lingering {
			x.again.Store(true) // partner: the load in step
			o.nudge(x)
		}
		k.lingering = nil
	}
}

// lingers reports whether x, a case of a and found not ready beside a default, may
// still become ready by a match, and has it wait for that. The lock is held.
//
//go:norace
func (x *chanCase[T]) lingers(a *AsyncSelect) bool {
	x.aloof = true
	switch {
	case *x.off || x.w.kind == stop:
		return false
	case x.w.kind == send:
		if !x.c.behind() {
			return false
		}
		x.c.courting.lingering = append(x.c.courting.lingering, a)
		return true
	}
	if !x.c.courtable(&x.w) {
		return false
	}
	x.aloof = false
	x.w.tries(x.c)
	return true
}
