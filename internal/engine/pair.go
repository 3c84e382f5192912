package engine

import "github.com/handoff-go/handoff/internal/ticket"

// pair completes the waiting receiver r with a blocked sender. Both have
// tickets, so the sender's is claimed while the receiver's is won.
//
//go:norace
func (c *Chan[T]) pair(r *waiter[T], o *after[T]) bool {
	if r.state() != ticket.Waiting || r.att.gone || c.closed {
		return false // and no sender's ticket is touched for it
	}
	for s := c.sendq.head; s != nil; {
		next := s.next
		if s.inLine() && !s.same(r) {
			return false
		}
		if !s.same(r) {
			switch c.claim(s) {
			case ticket.Won:
				if r.win() != ticket.Won {
					c.unclaim(s, o)
					return true // r is dead or claimed; whoever has it will look again
				}
				s.remove()
				r.remove()
				if !s.firm {
					s.tk.Confirm(int(s.idx))
				}
				c.meet(s, r, o)
				return true
			case ticket.Gone:
				s.remove()
			}
		}
		s = next
	}
	return false
}

// meet hands the value of s to r; both are committed and out of their queues.
//
//go:norace
func (c *Chan[T]) meet(s, r *waiter[T], o *after[T]) {
	var g Got[T]
	g.plain, g.unheard = r.wants()
	c.pullSender(s, r.kind == take, r.att, &g, o)
	switch {
	case r.bare():
		r.val = g.Val
	case r.vs != nil:
		r.vs[r.n] = g.Val
		r.n++
	case r.holds != nil:
		r.holds[r.n] = g
		r.n++
	default:
		r.got = g
	}
	r.finish(o)
}

// claim reserves the sender s; a plain one is the caller's anyway.
//
//go:norace
func (c *Chan[T]) claim(s *waiter[T]) ticket.Answer {
	if s.firm {
		return ticket.Won
	}
	if s.att.gone || s.asleep && !s.tk.Dead() {
		return ticket.Busy
	}
	return s.tk.Reserve()
}

// unclaim has s released once the lock is free: its owner may be one who looks
// at its cases at once, on this goroutine.
//
//go:norace
func (c *Chan[T]) unclaim(s *waiter[T], o *after[T]) {
	if !s.firm {
		s.rung, o.freed = o.freed, s // it is claimed, so nobody else wakes it
	}
}
