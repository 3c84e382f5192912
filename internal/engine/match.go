package engine

import (
	"time"

	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is where the two sides meet. Everything in it runs under the lock.

// offer gives v to the first waiting receiver or puts it into a slot. False says
// that neither is possible without waiting.
//
//go:norace
func (c *Chan[T]) offer(v T, h Header, o *after[T]) bool {
	for r := c.recvq.head; r != nil; {
		next := r.next
		switch {
		case c.older(r):
			// r was passed over while it was claimed, and is free again.
			c.serveReceiver(r, o)
			if next != nil && next.in == nil {
				next = c.recvq.head // that completed or dropped others; the queue is shorter
			}
		case r.kind == take && c.used >= c.slots && !r.att.gone:
			// r would hold the value without a slot, and its sender wait.
			switch r.state() {
			case ticket.Waiting:
				return false
			case ticket.Synced, ticket.Aborted:
				r.remove()
			}
		default:
			switch r.win() {
			case ticket.Won:
				r.remove()
				c.deliver(r, v, h, o)
				return true
			case ticket.Gone:
				r.remove()
			}
		}
		r = next
	}
	if c.used < c.slots && !c.lined() {
		c.put(&v, h)
		return true
	}
	return false
}

// older reports whether something comes before a new value for receiver r.
//
//go:norace
func (c *Chan[T]) older(r *waiter[T]) bool {
	if c.n > 0 || c.back.head != nil {
		return true
	}
	for s := c.sendq.head; s != nil; s = s.next {
		if !s.same(r) && !s.att.gone && (s.state() == ticket.Waiting || s.inLine()) {
			return true
		}
	}
	return false
}

// firstFree wins the first waiting receiver for which nothing is older than a new
// value, out of the queue, or returns nil. One that was passed over, and is free
// again, has older values to look at first, and is about to.
//
//go:norace
func (c *Chan[T]) firstFree() *waiter[T] {
	for r := c.recvq.head; r != nil; {
		next := r.next
		if !c.older(r) {
			switch r.win() {
			case ticket.Won:
				r.remove()
				return r
			case ticket.Gone:
				r.remove()
			}
		}
		r = next
	}
	return nil
}

// deliver completes the waiting receiver r, whose ticket is won, with a value
// that never had a slot. A Take puts it into a free one.
//
//go:norace
func (c *Chan[T]) deliver(r *waiter[T], v T, h Header, o *after[T]) {
	c.meets(r)
	switch {
	case r.kind == take:
		c.used++
		c.handOut(c.wrap(v, h, nil), r.att, c.gotOf(r), o)
	case r.bare():
		r.val = v
		c.rcvd++
	case r.vs != nil:
		r.vs[r.n] = v
		r.n++
		c.rcvd++
	default:
		g := c.gotOf(r)
		g.Val, g.Header, g.Attempt = v, h, 1
		c.rcvd++
	}
	r.finish(o)
}

// gotOf is where the waiting receiver r, which is not bare, wants its next value.
//
//go:norace
func (c *Chan[T]) gotOf(r *waiter[T]) *Got[T] {
	if r.holds == nil {
		return &r.got
	}
	r.n++
	return &r.holds[r.n-1]
}

// present offers the value of sender w until it is out of custody, and the
// values after it if w sends many; where that is not possible w waits, for the
// settlement or in the queue. It reports whether all of w's values are gone.
//
//go:norace
func (c *Chan[T]) present(w *waiter[T], o *after[T]) bool {
	if w.more() && w.header == nil && c.bulk() && c.pour(w, o) {
		return true
	}
	for {
		if !c.offer(w.val, w.header, o) {
			r := c.firstFree()
			if r == nil {
				c.sendq.push(w)
				return false
			}
			if r.kind == take {
				c.handBare(w, r, o)
				return false
			}
			c.deliver(r, w.val, w.header, o)
		}
		if !w.more() {
			w.count()
			return true
		}
		w.advance()
	}
}

// handBare gives the value of w to the won Take r though no slot is free: w is
// committed and waits for the settlement.
//
//go:norace
func (c *Chan[T]) handBare(w, r *waiter[T], o *after[T]) {
	if !w.firm {
		w.tk.Win(int(w.idx)) // nobody else can have it: it stands in no queue
	}
	hb.Release(w) // partner: whoever offers what else it sends, in sentOne
	c.handOut(c.wrap(w.val, w.header, w), r.att, c.gotOf(r), o)
	r.finish(o)
}

// outcome of a pull.
type outcome uint8

const (
	nothing outcome = iota
	pulled
	drained // closed, and nothing can come back
)

// pull takes the next value in order into g, confirmed or held.
//
//go:norace
func (c *Chan[T]) pull(hold bool, a *Attach, g *Got[T], o *after[T]) outcome {
	if p := c.back.head; p != nil {
		c.back.remove(p)
		c.pullParcel(p, hold, a, g, o)
		return pulled
	}
	if c.n > 0 {
		c.pullSlot(hold, a, g, o)
		return pulled
	}
	if c.sendq.head != nil && !c.closed { // else it was claimed at the close, and is about to see that
		if w := c.sendq.firstWon(); w != nil {
			c.pullSender(w, hold, a, g, o)
			return pulled
		}
	}
	if c.closed && c.used == 0 {
		hb.Acquire(&c.closed)
		return drained
	}
	return nothing
}

//go:norace
func (c *Chan[T]) pullParcel(p *parcel[T], hold bool, a *Attach, g *Got[T], o *after[T]) {
	if hold {
		c.handOut(p, a, g, o)
		return
	}
	hb.Acquire(p)
	g.Val, g.Header, g.Attempt = p.val, p.header, p.attempt+1
	c.redelivered(p.attempt+1, o)
	c.confirm(p, o)
}

//go:norace
func (c *Chan[T]) pullSlot(hold bool, a *Attach, g *Got[T], o *after[T]) {
	if hold {
		var v T
		h := c.pop(&v)
		c.handOut(c.wrap(v, h, nil), a, g, o)
		return
	}
	g.Header = c.pop(&g.Val)
	g.Attempt = 1
	c.rcvd++
	c.freeSlot(o)
}

// pullSender takes the value of the blocked sender w, which is won and out of
// the queue.
//
//go:norace
func (c *Chan[T]) pullSender(w *waiter[T], hold bool, a *Attach, g *Got[T], o *after[T]) {
	hb.Acquire(w)
	if hold {
		c.handOut(c.wrap(w.val, w.header, w), a, g, o)
		return
	}
	g.Val, g.Header, g.Attempt = w.val, w.header, 1
	c.rcvd++
	if w.more() {
		w.advance()
		c.sendq.push(w) // its turn is over
		return
	}
	w.count()
	w.finish(o)
}

// drainable reports whether the next value to be had is a waiting sender's, as in pull.
//
//go:norace
func (c *Chan[T]) drainable() bool {
	return c.n == 0 && c.back.head == nil && c.sendq.head != nil && !c.closed
}

// pullMany takes and confirms values in order until buf is full or nothing is
// ready. A blocked SendAll passes what fits before it queues again.
//
//go:norace
func (c *Chan[T]) pullMany(buf []T, o *after[T]) (n int, last outcome) {
	for n < len(buf) {
		if c.n > 0 && c.back.head == nil && c.bulk() && c.alone() {
			n += c.popMany(buf[n:])
			c.slotsFreed(o)
			continue
		}
		if c.drainable() {
			w := c.sendq.firstWon()
			if w == nil {
				return n, nothing
			}
			n += c.drain(w, buf[n:], o)
			continue
		}
		var g Got[T]
		if last = c.pull(false, nil, &g, o); last != pulled {
			return n, last
		}
		buf[n] = g.Val
		n++
	}
	return n, pulled
}

// drain takes what fits into buf, which has room for one at least, from the
// blocked sender w, won and out of the queue.
//
//go:norace
func (c *Chan[T]) drain(w *waiter[T], buf []T, o *after[T]) (n int) {
	hb.Acquire(w)
	for {
		buf[n] = w.val
		n++
		c.rcvd++
		if !w.more() {
			w.count()
			w.finish(o)
			return n
		}
		w.advance()
		if n == len(buf) {
			c.sendq.push(w)
			return n
		}
	}
}

// promote gives free slots to the oldest values without one.
//
//go:norace
func (c *Chan[T]) promote(o *after[T]) {
	for c.used < c.slots {
		if p := c.bare.head; p != nil {
			w := p.sender
			p.sender, w.parcel = nil, nil
			c.removeBare(p)
			p.slot = true
			c.used++
			c.sentOne(w, o)
			continue
		}
		if c.closed {
			return
		}
		w := c.sendq.firstWon()
		if w == nil {
			return
		}
		c.putAll(w, o)
	}
}

// putAll is the turn of the blocked sender w, won and out of the queue: what
// fits goes into slots, and if more is left w queues again.
//
//go:norace
func (c *Chan[T]) putAll(w *waiter[T], o *after[T]) {
	hb.Acquire(w)
	for {
		c.put(&w.val, w.header)
		k := 0
		if w.more() && w.header == nil && c.bulk() {
			k = c.putMany(w.vs)
		}
		if w.passed(k) {
			w.finish(o)
			return
		}
		if c.used == c.slots {
			c.sendq.push(w)
			return
		}
	}
}

// sentOne ends the wait of w for the value it had handed out, successfully. A
// SendAll goes on with its next value.
//
//go:norace
func (c *Chan[T]) sentOne(w *waiter[T], o *after[T]) {
	if !w.more() {
		w.count()
		if w.leaves {
			w.err = nil // too late: it has sent
		}
		w.finish(o)
		return
	}
	hb.Acquire(w)
	w.advance()
	switch {
	case w.leaves:
		w.finish(o)
	case c.closed:
		w.err = fault.ErrClosed
		w.finish(o)
	case c.present(w, o):
		w.finish(o)
	}
}

// serve brings together what waits on both sides. Ordinarily nothing does; it is
// needed after a value came back, and where a ticket that was claimed, and
// therefore passed over, is free again.
//
//go:norace
func (c *Chan[T]) serve(o *after[T]) {
	if c.closed {
		c.sendq.fail(fault.ErrClosed, nil, o)
	}
	c.promote(o)
	for r := c.recvq.head; r != nil; {
		next := r.next
		if r.state() >= ticket.Synced {
			r.remove()
		} else if !c.serveReceiver(r, o) && c.sendq.head == nil {
			return
		}
		if next != nil && next.in == nil {
			next = c.recvq.head // serving r completed or dropped others; the queue is shorter
		}
		r = next
	}
}

// serveReceiver completes the waiting receiver r if something is there for it.
//
//go:norace
func (c *Chan[T]) serveReceiver(r *waiter[T], o *after[T]) bool {
	if c.back.head == nil && c.n == 0 {
		if c.closed && c.used == 0 {
			hb.Acquire(&c.closed)
			if r.win() == ticket.Won {
				r.remove()
				r.err = fault.ErrClosed
				r.finish(o)
			}
			return true
		}
		return c.pair(r, o)
	}
	if r.win() == ticket.Won {
		r.remove()
		c.fill(r, o)
		r.finish(o)
	}
	return true
}

// fill gives the won receiver r what is there.
//
//go:norace
func (c *Chan[T]) fill(r *waiter[T], o *after[T]) {
	hold := r.kind == take
	switch {
	case r.bare():
		var g Got[T]
		c.pull(hold, r.att, &g, o)
		r.val = g.Val
	case r.vs != nil:
		r.n, _ = c.pullMany(r.vs, o)
	case r.holds != nil:
		for r.n < len(r.holds) && c.pull(hold, r.att, &r.holds[r.n], o) == pulled {
			r.n++
		}
	default:
		c.pull(hold, r.att, &r.got, o)
	}
}

// finish makes the outcome of w, which is won, final and has its owner woken.
//
//go:norace
func (w *waiter[T]) finish(o *after[T]) {
	w.done = true
	hb.Release(w) // partner: its owner, once awake
	o.wake(w)
}

// handOut puts p into the hands of a and tells g about it.
//
//go:norace
func (c *Chan[T]) handOut(p *parcel[T], a *Attach, g *Got[T], o *after[T]) {
	p.where, p.holder = inHand, a
	p.gen++
	p.attempt++
	p.lapsed = false
	p.unheard = g.unheard
	hb.Acquire(p) // partner: who gave it back, and who handed it out before
	hb.Release(p) // a receiver elsewhere has it on a goroutine that may not give it back
	c.held.add(p)
	c.redelivered(p.attempt, o)
	if c.cfg.MaxHold > 0 && !g.plain {
		c.startHold(p, c.cfg.MaxHold)
	}
	g.Val, g.Header, g.Attempt = p.val, p.header, p.attempt
	g.Hold = Hold[T]{c, p, p.gen}
}

//go:norace
func (c *Chan[T]) startHold(p *parcel[T], d time.Duration) {
	gen := p.gen
	p.due = time.Now().Add(d)
	p.timer = time.AfterFunc(d, func() { c.lapse(p, gen) })
}

//go:norace
func (c *Chan[T]) redelivered(attempt int, o *after[T]) {
	if attempt > 1 {
		c.redeliveries++
		c.tell(o, event.Event{Kind: event.Redelivered, Op: "take", Attempt: attempt})
	}
}

//go:norace
func (c *Chan[T]) tell(o *after[T], e event.Event) {
	if event.Heard() {
		e.Channel = c.cfg.Name
		o.tell(e)
	}
}

// put appends to the ring. A slot must be free.
//
//go:norace
func (c *Chan[T]) put(v *T, h Header) {
	i := c.head + c.n
	if i >= c.slots {
		i -= c.slots
	}
	if hb.On {
		hb.Acquire(&c.used) // partner: the settlements that freed slots
		hb.Pass(&c.buf[i])
	}
	c.buf[i] = *v
	if h != nil && c.heads == nil {
		heads := make([]Header, len(c.buf))
		c.heads = &heads
	}
	if c.heads != nil {
		(*c.heads)[i] = h
	}
	c.n++
	c.used++
}

// meets declares the edges of a direct hand-over to the waiting receiver r: a
// rendezvous orders both ways; with slots it is as if the value had gone through
// the next one.
//
//go:norace
func (c *Chan[T]) meets(r *waiter[T]) {
	if !hb.On {
		return
	}
	if c.slots == 0 {
		hb.Acquire(r)
		return
	}
	hb.Acquire(&c.used)
	hb.Pass(&c.buf[c.head])
	if c.head++; c.head == c.slots {
		c.head = 0
	}
}

// pop takes the oldest value of the ring into v; its slot stays used. No reference to
// it is kept.
//
//go:norace
func (c *Chan[T]) pop(v *T) (h Header) {
	var zero T
	i := c.head
	if hb.On {
		hb.Pass(&c.buf[i])
	}
	*v = c.buf[i]
	c.buf[i] = zero
	if c.heads != nil {
		h, (*c.heads)[i] = (*c.heads)[i], nil
	}
	if c.head++; c.head == c.slots {
		c.head = 0
	}
	c.n--
	return h
}
