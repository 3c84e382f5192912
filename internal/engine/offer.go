package engine

import (
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/commit"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is what a home does with a select that is decided elsewhere, since
// others of its cases lie at other homes: docs/spec/select.md. Its receive cases
// wait like any other and are given values, which the owner takes or sends back. Its
// send cases are asleep: nobody can have their value before the owner has granted
// its ticket. Package commit has the decisions.

// Offer is what an AsyncSelect has besides if it is decided elsewhere.
type Offer struct {
	ticket commit.Ticket
	post   func(Message)
	x      *AsyncSelect
	state  atomic.Uint32 // asking; whoever moves it from idle has the ticket asked for
	asking int32         // the case it is asked for; of him
	mute   atomic.Bool   // its owner has not answered for too long
	aside                // what aside.go has of it
}

// Message is what a home says to the owner of an offer.
type Message uint8

// The messages.
const (
	AskClaim   Message = iota + 1 // answered by Granted, or by Cancel
	AskRelease                    // what was granted is not needed
	AskBind                       // a send is chosen, though its value is held: how it ends is still to come
)

// The values of Offer.state.
const (
	idle    uint32 = iota
	asked          // the owner's answer is awaited
	granted        // it has promised: what this home gives it takes effect
)

// NewOffer is NewAsyncSelect for a select that is decided elsewhere. What there is
// to be said to its owner is given to post, which may be called with channels locked
// and must not wait, nor call the engine. An offer has no Default.
//
//go:norace
func NewOffer(cases []Case, t commit.Ticket, post func(Message), done func()) *AsyncSelect {
	x := NewAsyncSelect(cases, done)
	o := &Offer{ticket: t, post: post, x: x}
	x.offer = o
	for _, l := range x.s.chans {
		l.join(o)
	}
	return x
}

// Granted is the owner's answer to AskClaim; the other one is Cancel.
//
//go:norace
func (x *AsyncSelect) Granted() {
	if o := x.offer; o.state.Load() == asked {
		x.s.ours[o.asking].granted()
	}
}

// ask has the owner asked for the sake of w, unless it is asked already. The lock
// of w's channel is held.
//
//go:norace
func (o *Offer) ask(idx int32) bool {
	if !o.state.CompareAndSwap(idle, asked) {
		return false
	}
	o.asking = idx
	o.post(AskClaim)
	return true
}

// letGo gives back what was granted. The order of the two is that of the messages.
//
//go:norace
func (o *Offer) letGo() {
	o.post(AskRelease)
	o.state.Store(idle)
}

// courting is what a channel has for offers. Its lock guards it.
type courting[T any] struct {
	offers   int // cases of offers
	tries    int // receivers that wait for a match and for nothing else, at least
	trial[T]     // sends of which the same is true

	match commit.Match
	s, r  *waiter[T]  // of the match; s is nil if there is none
	since time.Time   // when the last one was asked
	lease *time.Timer // of the answer

	watched bool   // somebody looks from afar: what follows is counted
	gets    uint64 // how often the lock was freed with something to receive
	puts    uint64 // the same, with a send possible
}

// courts returns what the channel has for offers. The lock is held.
//
//go:norace
func (c *Chan[T]) courts() *courting[T] {
	c.wide()
	if c.courting == nil {
		c.courting = &courting[T]{}
	}
	return c.courting
}

// attend does what offers need before the lock is freed: see unlock.
//
//go:norace
func (c *Chan[T]) attend(o *after[T]) {
	if c.extra == nil || c.courting == nil {
		return
	}
	k := c.courting
	if k.offers > 0 {
		c.serve(o)
		c.court(o)
	}
	if k.tries > 0 && k.s == nil {
		c.endTries(o)
	}
	c.tryAgain(o)
	if k.watched {
		if c.getReady() {
			k.gets++
		}
		if c.putReady() {
			k.puts++
		}
	}
}

// party is w, as far as matches go.
//
//go:norace
func (w *waiter[T]) party() commit.Party {
	if w.full == nil || w.far == nil {
		return commit.Party{}
	}
	return commit.Party{Ticket: w.far.ticket, Select: true, Granted: w.far.state.Load() == granted}
}

// sleeps reports whether w is a send case of an offer whose owner could be asked.
//
//go:norace
func (w *waiter[T]) sleeps() bool {
	return w.asleep && !w.att.gone && w.tk.State() == ticket.Waiting && w.far.state.Load() == idle && !w.far.out.Load()
}

// inLine reports whether w is a send case of an offer behind which others wait:
// though it is asleep it is not passed over, unless its owner does not answer.
//
//go:norace
func (w *waiter[T]) inLine() bool {
	return w.asleep && !w.att.gone && w.tk.State() == ticket.Waiting && !w.far.mute.Load()
}

// lined reports whether a send case of an offer waits before a new value.
//
//go:norace
func (c *Chan[T]) lined() bool {
	if c.extra == nil || c.courting == nil || c.offers == 0 {
		return false
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if s.inLine() {
			return true
		}
	}
	return false
}

// chosen has the case w, a send whose value is held, be the one that takes effect.
//
//go:norace
func (w *waiter[T]) chosen() {
	if w.again && w.far != nil && !w.leaves { // else it ends at once
		w.far.post(AskBind)
	}
	w.again = false
}

// matching reports whether a match is under way. The lock is held.
//
//go:norace
func (c *Chan[T]) matching() bool { return c.extra != nil && c.courting != nil && c.courting.s != nil }

// court begins a match, if there is none and one can be.
//
//go:norace
func (c *Chan[T]) court(o *after[T]) {
	k := c.courting
	if k.s != nil {
		if k.s.in != nil && (k.match.Asked == commit.Sender || k.r.in != nil) {
			return
		}
		k.match, _ = k.match.Gone()
		c.endMatch(o)
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if !s.sleeps() {
			continue
		}
		first, r := c.partner(s)
		if first == commit.Nobody {
			continue
		}
		asks := s
		m, step := commit.Begin(first)
		if step == commit.AskReceiver {
			asks = r
		}
		if asks.far.ask(asks.idx) {
			k.match, k.s, k.r = m, s, r
			c.startLease()
			return
		}
	}
}

// lease is how long the owner of an offer may take to answer before others in its
// line are served. Its answer counts whenever it comes.
const lease = time.Second

//go:norace
func (c *Chan[T]) startLease() {
	k := c.courting
	k.since = time.Now()
	if k.lease == nil {
		k.lease = time.AfterFunc(lease, c.leaseOver)
	} else {
		k.lease.Reset(lease)
	}
}

// leaseOver passes over an owner that does not answer.
//
//go:norace
func (c *Chan[T]) leaseOver() {
	var o after[T]
	c.lockWide()
	k := c.courting
	if k.s != nil && time.Since(k.since) >= lease {
		silent := k.s.far
		if k.match.Asked == commit.Receiver {
			silent = k.r.far
		}
		silent.mute.Store(true)
		k.match, _ = k.match.Gone()
		c.endMatch(&o)
		o.nudge(silent.x)
	}
	c.unlock(&o)
}

// partner returns who is to be asked first so that s can send: what it can meet is
// a free slot, or the receiver r.
//
//go:norace
func (c *Chan[T]) partner(s *waiter[T]) (first commit.Who, r *waiter[T]) {
	if c.closed {
		return commit.Nobody, nil
	}
	if c.used < c.slots {
		return commit.Sender, nil
	}
	for r := c.recvq.head; r != nil; r = r.next {
		if r.state() != ticket.Waiting || r.att.gone || r.same(s) {
			continue
		}
		who := commit.First(s.party(), r.party())
		if who == commit.Receiver && r.far.state.Load() != idle {
			continue // it comes by again when it is free
		}
		if who != commit.Nobody {
			return who, r
		}
	}
	return commit.Nobody, nil
}

// endMatch ends the match. A receiver that has promised and got nothing is let go.
//
//go:norace
func (c *Chan[T]) endMatch(o *after[T]) {
	k := c.courting
	k.lease.Stop()
	r, promised := k.r, k.match.Promised
	k.match, k.s, k.r = commit.Match{}, nil, nil
	if promised && r.in != nil {
		r.far.letGo()
		o.nudge(r.far.x)
	}
}

// granted is told that the owner of x has granted its ticket, which was asked for
// the sake of x.
//
//go:norace
func (x *chanCase[T]) granted() {
	var o after[T]
	c, w := x.c, &x.w
	c.lockWide()
	k := c.courting
	w.far.mute.Store(false)
	switch {
	case w.in == nil: // it is over; what was granted was confirmed by that
	case w.kind == send:
		c.grantedSend(w, &o)
	case k.r == w && k.match.Asked == commit.Receiver:
		w.far.state.Store(granted)
		var step commit.Step
		if k.match, step = k.match.Granted(); step == commit.AskSender && k.s.far.ask(k.s.idx) {
			c.startLease()
		} else {
			c.endMatch(&o)
		}
	default: // the match it was asked for is over
		w.far.letGo()
		o.nudge(w.far.x)
	}
	c.unlock(&o)
}

// grantedSend has s, whose ticket is granted, meet whoever is there.
//
//go:norace
func (c *Chan[T]) grantedSend(s *waiter[T], o *after[T]) {
	s.far.state.Store(granted)
	s.asleep = false
	met := c.wakes(s, o)
	s.asleep = true
	if c.courting.s == s {
		c.endMatch(o)
	}
	if !met {
		s.far.letGo()
		o.nudge(s.far.x)
	}
}

// wakes gives the value of s, whose ticket is granted, a slot or a receiver. It
// reports false if neither is there; true if s is over anyway.
//
//go:norace
func (c *Chan[T]) wakes(s *waiter[T], o *after[T]) (met bool) {
	if c.closed || s.att.gone {
		return false // and its owner is about to be told so
	}
	switch s.tk.Reserve() {
	case ticket.Gone:
		return true
	case ticket.Busy:
		return false
	}
	if c.used < c.slots {
		s.tk.Confirm(int(s.idx))
		s.remove()
		c.putAll(s, o)
		c.serve(o)
		return true
	}
	for r := c.recvq.head; r != nil; {
		next := r.next
		if !r.same(s) && commit.May(s.party(), r.party()) {
			switch r.win() {
			case ticket.Won:
				r.remove()
				s.remove()
				s.tk.Confirm(int(s.idx))
				c.meet(s, r, o)
				return true
			case ticket.Gone:
				r.remove()
			}
		}
		r = next
	}
	c.unclaim(s, o)
	return false
}

// courtable reports whether a match could bring w, a receiver that tries, a value.
//
//go:norace
func (c *Chan[T]) courtable(w *waiter[T]) bool {
	if c.courting == nil || c.offers == 0 || c.closed {
		return false
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if s.inLine() && !s.same(w) {
			return s.sleeps() || s == c.courting.s
		}
	}
	return false
}

// tries has w, a receiver that tries, wait as long as a match may bring it a value.
//
//go:norace
func (w *waiter[T]) tries(c *Chan[T]) { w.try, c.courting.tries = true, c.courting.tries+1 }

// endTries ends the receivers that try: there is nobody left to be asked for them.
//
//go:norace
func (c *Chan[T]) endTries(o *after[T]) {
	c.courting.tries = 0
	for r := c.recvq.head; r != nil; {
		next := r.next
		if r.try && r.win() == ticket.Won {
			r.remove()
			r.err = errUnready
			r.finish(o)
		}
		r = next
	}
}

// Look reports whether a send, or else a receive, of a would be ready, and how
// often one was since somebody looked for the first time: if a look finds the same
// number as the one before, there was no moment between at which it was ready.
//
//go:norace
func (c *Chan[T]) Look(a *Attach, sends bool) (ready bool, times uint64) {
	c.lockWide()
	defer c.mu.Unlock()
	k := c.courts()
	k.watched = true
	if sends {
		return a.gone || c.putReady(), k.puts
	}
	return a.gone || c.getReady(), k.gets
}

// getReady reports whether there is something to receive.
//
//go:norace
func (c *Chan[T]) getReady() bool {
	if c.n > 0 || c.back.head != nil || c.closed {
		return c.n > 0 || c.back.head != nil || c.used == 0
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if s.inLine() {
			return s.sleeps() || s == c.courting.s
		}
		if s.state() == ticket.Waiting && !s.att.gone {
			return true
		}
	}
	return false
}

// putReady reports whether a send beside a default would be ready.
//
//go:norace
func (c *Chan[T]) putReady() bool {
	if c.closed || c.used < c.slots {
		return true
	}
	for r := c.recvq.head; r != nil; r = r.next {
		if r.state() == ticket.Waiting && !r.att.gone {
			plain, _ := r.wants()
			return r.kind == recv || plain
		}
	}
	return false
}

// join makes x a case of the offer o.
//
//go:norace
func (x *chanCase[T]) join(o *Offer) {
	x.c.lockWide()
	x.c.courts().offers++
	x.w.far, x.w.asleep = o, x.w.kind == send || o.out.Load()
	x.c.mu.Unlock()
}

// part ends that.
//
//go:norace
func (x *chanCase[T]) part() {
	x.c.mu.Lock()
	x.c.courting.offers--
	x.c.mu.Unlock()
}
