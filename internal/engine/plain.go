package engine

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is the short way of Send and Recv: one value, no hold, and nothing
// in the channel but the ring or waiters of one side. Everything else goes the
// full way through match.go, which this file must agree with in every law.

// Send offers v and waits until custody has left the caller. timeout 0 is none.
//
//go:norace
func (c *Chan[T]) Send(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) error {
	if err := Ended(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	if a.gone {
		return c.sendSlow(ctx, a, v, h, timeout)
	}
	if c.mode == receiving {
		r := c.recvq.single(recv)
		if c.recvq.head == nil {
			c.mode = calm
		}
		if r != nil {
			c.meets(r)
			r.got.Val, r.got.Header, r.got.Attempt, r.done = v, h, 1, true
			hb.Release(r)
			c.rcvd++
			c.mu.Unlock()
			r.ring()
			return nil
		}
	}
	switch c.mode {
	case calm:
		if c.used < c.slots {
			c.put(v, h)
			c.mu.Unlock()
			return nil
		}
		if c.parks(ctx, timeout) {
			return c.sendParked(a, v, h)
		}
	case sending:
		if c.parks(ctx, timeout) {
			return c.sendParked(a, v, h)
		}
	}
	return c.sendSlow(ctx, a, v, h, timeout)
}

// parks reports whether a plain operation can wait in its slot.
//
//go:norace
func (c *Chan[T]) parks(ctx context.Context, timeout time.Duration) bool {
	return park.Fast && !c.inside && timeout <= 0 && ctx.Done() == nil
}

// sendParked queues behind the waiting senders and parks. The lock is held and is
// freed once the goroutine is parked.
//
//go:norace
func (c *Chan[T]) sendParked(a *Attach, v T, h Header) error {
	w := c.record(send, a)
	w.got.Val, w.got.Header = v, h
	w.simple = true
	c.sendq.push(w)
	c.mode = sending
	w.slot.Park(&c.mu.state)
	err := w.got.Err
	c.release(w)
	return err
}

// Recv takes and confirms the next value.
//
//go:norace
func (c *Chan[T]) Recv(ctx context.Context, a *Attach) (v T, err error) {
	if err := Ended(ctx); err != nil {
		return v, err
	}
	c.mu.Lock()
	if a.gone {
		g := c.recvSlow(ctx, a, false)
		return g.Val, g.Err
	}
	if c.mode == sending && (c.n > 0 || c.slots == 0) {
		w := c.sendq.single(send)
		if c.sendq.head == nil {
			c.mode = calm
		}
		if w != nil {
			v = c.recvFrom(w)
			w.ring()
			return v, nil
		}
	}
	switch c.mode {
	case calm:
		if c.n > 0 {
			v, _ = c.pop()
			c.rcvd++
			c.used--
			c.mu.Unlock()
			return v, nil
		}
		if c.parks(ctx, 0) {
			return c.recvParked(a)
		}
	case receiving:
		if c.parks(ctx, 0) {
			return c.recvParked(a)
		}
	}
	g := c.recvSlow(ctx, a, false)
	return g.Val, g.Err
}

// single takes the first waiter that can be completed out of the queue: a plain
// operation of one value, or a case of a select that does what k says. nil says
// that there is none, or that the first one needs the full way.
//
//go:norace
func (q *queue[T]) single(k kind) *waiter[T] {
	for w := q.head; w != nil; w = q.head {
		if !w.simple {
			if w.firm || w.kind != k {
				return nil
			}
			switch w.win() {
			case ticket.Busy:
				return nil
			case ticket.Gone:
				w.remove()
				continue
			}
		}
		w.remove()
		return w
	}
	return nil
}

// recvFrom takes the oldest value; w was the first sender to wait: its value
// moves into the slot, or straight to the receiver if there are none. The lock
// is held and is freed; w must be rung after that.
//
//go:norace
func (c *Chan[T]) recvFrom(w *waiter[T]) (v T) {
	w.n, w.done = 1, true
	hb.Acquire(w)
	c.rcvd++
	if c.slots == 0 {
		v = w.got.Val
	} else {
		v, _ = c.pop()
		c.used--
		c.put(w.got.Val, w.got.Header)
	}
	hb.Release(w)
	c.mu.Unlock()
	return v
}

// recvParked queues behind the waiting receivers and parks. The lock is held and
// is freed once the goroutine is parked.
//
//go:norace
func (c *Chan[T]) recvParked(a *Attach) (T, error) {
	w := c.record(recv, a)
	w.simple = true
	c.recvq.push(w)
	c.mode = receiving
	w.slot.Park(&c.mu.state)
	v, err := w.got.Val, w.got.Err
	c.release(w)
	return v, err
}

// ring wakes the owner of w, wherever it waits. The lock must be free.
//
//go:norace
func (w *waiter[T]) ring() {
	if !w.slot.Ready() {
		w.tk.Ring()
	}
}
