package engine

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/park"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is the short way of Send and Recv: one value, no hold, and nothing
// in the channel but the ring or waiters of one side. Everything else goes the
// full way through match.go, which this file must agree with in every law.

// Between the user and the park there are as few calls as can be: a goroutine that
// was just switched to returns through each of them unpredicted, which costs as
// much as taking a lock. So who must park is told so, and does it himself.

// Send offers v and waits until custody has left the caller. timeout 0 is none.
//
//go:norace
func (c *Chan[T]) Send(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) error {
	w, err := c.SendOrQueue(ctx, a, v, h, timeout)
	if w != nil {
		w.Park()
		err = c.Sent(w)
	}
	return err
}

// Recv takes and confirms the next value.
//
//go:norace
func (c *Chan[T]) Recv(ctx context.Context, a *Attach) (T, error) {
	v, w, err := c.RecvOrQueue(ctx, a)
	if w != nil {
		w.Park()
		return c.Received(w)
	}
	return v, err
}

// Park waits for the end of an operation that SendOrQueue or RecvOrQueue has
// queued. It frees the lock of the channel.
//
//go:norace
func (w *waiter[T]) Park() { w.slot.Park() }

// Sent returns the outcome of the send w, which has been parked.
//
//go:norace
func (c *Chan[T]) Sent(w *waiter[T]) error {
	err := w.got.Err
	c.release(w)
	return err
}

// Received returns the outcome of the receive w, which has been parked.
//
//go:norace
func (c *Chan[T]) Received(w *waiter[T]) (T, error) {
	v, err := w.got.Val, w.got.Err
	c.release(w)
	return v, err
}

// SendOrQueue is Send, but if it returns a waiter the caller must at once Park it
// and then ask for what was Sent: the lock is held.
//
//go:norace
func (c *Chan[T]) SendOrQueue(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) (*waiter[T], error) {
	if ctx.Err() != nil {
		return nil, fault.Cancelled(ctx)
	}
	c.mu.Lock()
	if a.gone {
		return nil, c.sendSlow(ctx, a, v, h, timeout)
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
			return nil, nil
		}
	}
	switch c.mode {
	case calm:
		if c.used < c.slots {
			c.put(v, h)
			c.mu.Unlock()
			return nil, nil
		}
	case receiving, mixed:
		return nil, c.sendSlow(ctx, a, v, h, timeout)
	}
	if !c.parks(ctx, timeout) {
		return nil, c.sendSlow(ctx, a, v, h, timeout)
	}
	w := c.record(send, a)
	w.got.Val, w.got.Header = v, h
	w.simple = true
	c.sendq.push(w)
	c.mode = sending
	return w, nil
}

// parks reports whether a plain operation can wait in its slot.
//
//go:norace
func (c *Chan[T]) parks(ctx context.Context, timeout time.Duration) bool {
	return park.Fast && !c.inside && timeout <= 0 && ctx.Done() == nil
}

// RecvOrQueue is to Recv what SendOrQueue is to Send.
//
//go:norace
func (c *Chan[T]) RecvOrQueue(ctx context.Context, a *Attach) (v T, w *waiter[T], err error) {
	if ctx.Err() != nil {
		return v, nil, fault.Cancelled(ctx)
	}
	c.mu.Lock()
	if a.gone {
		g := c.recvSlow(ctx, a, false)
		return g.Val, nil, g.Err
	}
	if c.mode == sending && (c.n > 0 || c.slots == 0) {
		w = c.sendq.single(send)
		if c.sendq.head == nil {
			c.mode = calm
		}
		if w != nil {
			v = c.recvFrom(w)
			w.ring()
			return v, nil, nil
		}
	}
	switch c.mode {
	case calm:
		if c.n > 0 {
			v, _ = c.pop()
			c.rcvd++
			c.used--
			c.mu.Unlock()
			return v, nil, nil
		}
	case sending, mixed:
		g := c.recvSlow(ctx, a, false)
		return g.Val, nil, g.Err
	}
	if !c.parks(ctx, 0) {
		g := c.recvSlow(ctx, a, false)
		return g.Val, nil, g.Err
	}
	w = c.record(recv, a)
	w.simple = true
	c.recvq.push(w)
	c.mode = receiving
	return v, w, nil
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
				q.shift()
				continue
			}
		}
		q.shift()
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
	w.done = true
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

// ring wakes the owner of w, wherever it waits. The lock must be free.
//
//go:norace
func (w *waiter[T]) ring() {
	if !w.slot.Ready() {
		w.tk.Ring()
	}
}
