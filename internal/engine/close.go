package engine

import (
	"github.com/handoff-go/handoff/internal/event"
	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Close closes the channel for everyone. A second close is ErrClosed.
//
//go:norace
func (c *Chan[T]) Close(a *Attach) error {
	var o after[T]
	c.lockWide()
	if err := c.refuseSend(a); err != nil {
		c.free()
		return err
	}
	c.close(&o)
	c.unlock(&o)
	return nil
}

//go:norace
func (c *Chan[T]) close(o *after[T]) {
	c.closed = true
	hb.Release(&c.closed) // partner: those who see it
	for p := c.bare.head; p != nil; {
		next := p.onext
		if p.where == inBack || p.where == resting {
			c.withdraw(p, fault.ErrClosed, o)
		}
		p = next
	}
	c.sendq.failCrowd(fault.ErrClosed, o)
	if c.used == 0 {
		c.recvq.failCrowd(fault.ErrClosed, o)
	}
	c.serve(o)
}

// failCrowd ends with err the plain operations that are parked at the head of the
// queue, which may be very many. Who was looked at last is in the cache, and is
// woken first.
//
//go:norace
func (q *queue[T]) failCrowd(err error, o *after[T]) {
	for w := q.head; w != nil && w.simple && !w.rings; w = q.head {
		q.shift()
		w.err, w.done = err, true
		hb.Release(w) // partner: its owner, once awake
		o.wakeFirst(w)
	}
}

// withdraw takes p, which is offered without a slot and in nobody's hands, back
// to its sender.
//
//go:norace
func (c *Chan[T]) withdraw(p *parcel[T], err error, o *after[T]) {
	if p.where == inBack {
		c.back.remove(p)
	} else {
		c.rests.remove(p)
	}
	c.sendHome(p, err, o)
}

// fail ends the waiters of a, or all if a is nil, with err.
//
//go:norace
func (q *queue[T]) fail(err error, a *Attach, o *after[T]) {
	for w := q.head; w != nil; {
		next := w.next
		if a == nil || w.att == a {
			switch w.winAnyway() {
			case ticket.Won:
				w.remove()
				w.err = err
				w.finish(o)
			case ticket.Gone:
				w.remove()
			}
		}
		w = next
	}
}

// Stop asks the senders to end, for reason. The first reason stays.
//
//go:norace
func (c *Chan[T]) Stop(a *Attach, reason string) error {
	var o after[T]
	c.lockWide()
	if err := c.refuseSend(a); err != nil {
		c.free()
		return err
	}
	if !c.stopped {
		c.stop(reason, &o)
	}
	c.unlock(&o)
	return nil
}

//go:norace
func (c *Chan[T]) stop(reason string, o *after[T]) {
	c.stopped, c.reason = true, reason
	hb.Release(&c.stopped)
	c.tell(o, event.Event{Kind: event.Stopped, Op: "stop", Reason: reason})
	for w := c.stopq.firstWon(); w != nil; w = c.stopq.firstWon() {
		w.finish(o)
	}
}

// Stopped reports whether the senders were asked to end, and why.
//
//go:norace
func (c *Chan[T]) Stopped() (reason string, ok bool) {
	c.lockWide()
	defer c.free()
	return c.reason, c.stopped
}

// NoReceivers is the reason of a stop that nobody asked for in words.
const NoReceivers = "the last receiver is gone"

// Detach ends attachment a: its blocked operations get ErrDetached, the values it
// holds go back to their places with their attempt raised, and the channel stays
// open. A second Detach is ErrDetached.
//
//go:norace
func (c *Chan[T]) Detach(a *Attach, why string) error {
	var o after[T]
	c.lockWide()
	if a.gone {
		c.free()
		return fault.ErrDetached
	}
	a.gone = true
	c.sendq.fail(fault.ErrDetached, a, &o)
	c.recvq.fail(fault.ErrDetached, a, &o)
	c.stopq.fail(fault.ErrDetached, a, &o)
	c.detachBare(a, &o)
	c.leave(a, &o)
	c.unlock(&o)
	c.detachHeld(a, why)
	return nil
}

// detachBare ends the sends of a whose values are handed out or given back
// without a slot.
//
//go:norace
func (c *Chan[T]) detachBare(a *Attach, o *after[T]) {
	for p := c.bare.head; p != nil; {
		next := p.onext
		if w := p.sender; w.att == a {
			if p.where == inHand {
				c.orphan(p, o)
				w.err = fault.Doubtful(fault.ErrDetached)
				w.finish(o)
			} else {
				c.withdraw(p, fault.ErrDetached, o)
			}
		}
		p = next
	}
}

// leave counts a out. The last sender may close the channel, the last receiver
// asks the senders to end.
//
//go:norace
func (c *Chan[T]) leave(a *Attach, o *after[T]) {
	if a.send {
		if c.senders--; c.senders == 0 && c.cfg.CloseWhenSendersGone && !c.closed {
			c.tell(o, event.Event{Kind: event.Closed, Op: "detach", Reason: "the last sender is gone"})
			c.close(o)
		}
	}
	if a.recv {
		if c.takers--; c.takers == 0 && !c.stopped {
			c.stop(NoReceivers, o)
		}
	}
}

// detachHeld gives back what a still holds. Each parcel frees the lock, as a
// dead letter may have to be asked.
//
//go:norace
func (c *Chan[T]) detachHeld(a *Attach, why string) {
	for {
		c.mu.Lock()
		p := c.heldBy(a)
		if p == nil {
			c.free()
			return
		}
		c.loseHolder(p, why)
	}
}

// heldBy returns a parcel in the hands of a. One that is just being rejected is
// marked instead: whoever rejects it ends the hold either way.
//
//go:norace
func (c *Chan[T]) heldBy(a *Attach) *parcel[T] {
	for p := c.held.head; p != nil; p = p.next {
		if p.holder != a {
			continue
		}
		if p.where != settling {
			return p
		}
		p.lapsed = true
	}
	return nil
}
