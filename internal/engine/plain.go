package engine

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// This file is the short way of Send and Recv: one value, no hold, and nothing
// in the channel but the ring or waiters of one side. Everything else goes the
// full way through match.go, which this file must agree with in every law.

// background is the context that most operations are under where none matters.
var background = context.Background()

// Between the user and the park there are as few calls as can be: a goroutine that
// was just switched to returns through each of them unpredicted, which costs as
// much as taking a lock. So who must park is told so, and does it himself.

// Send offers v and waits until custody has left the caller. timeout 0 is none.
//
//go:norace
func (c *Chan[T]) Send(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) error {
	w, err := c.SendOrQueue(ctx, a, &v, h, timeout)
	if w != nil {
		c.Wait(ctx, w)
		err = c.Sent(w)
	}
	return err
}

// Recv takes and confirms the next value.
//
//go:norace
func (c *Chan[T]) Recv(ctx context.Context, a *Attach) (v T, err error) {
	w, err := c.RecvOrQueue(ctx, a, &v)
	if w != nil {
		c.Wait(ctx, w)
		err = c.Received(w, &v)
	}
	return v, err
}

// Wait waits for the end of an operation that SendOrQueue or RecvOrQueue has
// queued. In a hot path it is to be written out.
//
//go:norace
func (c *Chan[T]) Wait(ctx context.Context, w *waiter[T]) {
	if bell := w.Bell(); bell == nil {
		w.Park()
	} else if done := ctx.Done(); done == nil {
		<-bell
	} else {
		select {
		case <-bell:
			c.Waited(ctx, w)
		case <-done:
			c.GiveUp(ctx, w)
		}
	}
}

// Bell returns what the owner of w waits for, or nil if he must Park.
//
//go:norace
func (w *waiter[T]) Bell() <-chan struct{} {
	if !w.rings {
		return nil
	}
	return w.own.Bell()
}

// Park waits for the end of the operation and frees the lock of the channel, which
// is held.
//
//go:norace
func (w *waiter[T]) Park() { w.slot.Park() }

// GiveUp ends w because ctx has ended, unless it was completed meanwhile.
//
//go:norace
func (c *Chan[T]) GiveUp(ctx context.Context, w *waiter[T]) { c.giveUp(w, fault.Cancelled(ctx)) }

// Sent returns the outcome of the send w, whose wait is over.
//
//go:norace
func (c *Chan[T]) Sent(w *waiter[T]) error {
	hb.Acquire(w)
	err := w.err
	c.release(w)
	return err
}

// Received returns the outcome of the receive w, whose wait is over.
//
//go:norace
func (c *Chan[T]) Received(w *waiter[T], v *T) error {
	hb.Acquire(w)
	*v = w.val
	err := w.err
	c.release(w)
	return err
}

// SendOrQueue is Send, but if it returns a waiter the caller must Wait and then
// ask for what was Sent.
//
//go:norace
func (c *Chan[T]) SendOrQueue(ctx context.Context, a *Attach, v *T, h Header, timeout time.Duration) (*waiter[T], error) {
	var done <-chan struct{}
	if ctx != background { // whose methods are calls through an interface too
		if ctx.Err() != nil {
			return nil, fault.Cancelled(ctx)
		}
		done = ctx.Done() // not under the lock: it may be anybody's code
	}
	c.mu.Lock()
	if a.gone {
		return nil, c.sendSlow(ctx, done, a, *v, h, timeout)
	}
	if c.mode == receiving {
		if r := c.recvq.single(recv); r != nil {
			c.handTo(r, v, h)
			return nil, nil
		}
		if c.recvq.head == nil {
			c.mode = calm
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
		return nil, c.sendSlow(ctx, done, a, *v, h, timeout)
	}
	if timeout > 0 {
		return nil, c.sendSlow(ctx, done, a, *v, h, timeout)
	}
	w := c.record(send, a)
	w.val = *v
	w.header = h
	w.simple = true
	c.sendq.push(w)
	c.mode = sending
	if !c.watched(done, w) {
		c.willRing(w)
	}
	return w, nil
}

// willRing is getBell, and frees the lock.
//
//go:norace
func (c *Chan[T]) willRing(w *waiter[T]) {
	c.getBell(w)
	c.mu.Unlock()
}

// RecvOrQueue is to Recv what SendOrQueue is to Send.
//
//go:norace
func (c *Chan[T]) RecvOrQueue(ctx context.Context, a *Attach, v *T) (*waiter[T], error) {
	var done <-chan struct{}
	if ctx != background { // whose methods are calls through an interface too
		if ctx.Err() != nil {
			return nil, fault.Cancelled(ctx)
		}
		done = ctx.Done() // not under the lock: it may be anybody's code
	}
	c.mu.Lock()
	if a.gone {
		return nil, c.recvInto(ctx, done, a, v)
	}
	if c.mode == sending && (c.n > 0 || c.slots == 0) {
		w := c.sendq.single(send)
		if c.sendq.head == nil {
			c.mode = calm
		}
		if w != nil {
			c.recvFrom(w, v)
			w.ring()
			return nil, nil
		}
	}
	switch c.mode {
	case calm:
		if c.n > 0 {
			c.pop(v)
			c.rcvd++
			c.used--
			c.mu.Unlock()
			return nil, nil
		}
	case sending, mixed:
		return nil, c.recvInto(ctx, done, a, v)
	}
	w := c.record(recv, a)
	w.simple = true
	c.recvq.push(w)
	c.mode = receiving
	if !c.watched(done, w) {
		c.willRing(w)
	}
	return w, nil
}

// sendShort sends v if the short way can do it at once, and then frees the lock,
// which is held.
//
//go:norace
func (c *Chan[T]) sendShort(v *T, h Header) bool {
	switch {
	case c.mode == calm && c.used < c.slots:
		c.put(v, h)
		c.mu.Unlock()
		return true
	case c.mode == receiving:
		if r := c.recvq.single(recv); r != nil {
			c.handTo(r, v, h)
			return true
		}
	}
	return false
}

// recvShort is to a receive what sendShort is to a send.
//
//go:norace
func (c *Chan[T]) recvShort(v *T, h *Header) bool {
	switch {
	case c.mode == calm && c.n > 0:
		*h = c.pop(v)
		c.rcvd++
		c.used--
		c.mu.Unlock()
		return true
	case c.mode == sending && (c.n > 0 || c.slots == 0):
		w := c.sendq.single(send)
		if w == nil {
			return false
		}
		if c.sendq.head == nil {
			c.mode = calm
		}
		c.recvFrom(w, v)
		w.ring()
		return true
	}
	return false
}

// TrySend sends v if that is possible without waiting.
//
//go:norace
func (c *Chan[T]) TrySend(a *Attach, v *T, h Header) (bool, error) {
	c.mu.Lock()
	if !a.gone {
		if c.sendShort(v, h) {
			return true, nil
		}
		if c.mode == calm { // it is full
			c.mu.Unlock()
			return false, nil
		}
	}
	var o after[T]
	c.wide()
	if err := c.refuseSend(a); err != nil {
		c.free()
		return false, err
	}
	if c.jam() {
		c.serve(&o)
	}
	ok := c.offer(*v, h, &o)
	c.unlock(&o)
	return ok, nil
}

// TryRecv takes and confirms the next value if that is possible without waiting.
//
//go:norace
func (c *Chan[T]) TryRecv(a *Attach, v *T) (bool, error) {
	c.mu.Lock()
	if !a.gone {
		var h Header
		if c.recvShort(v, &h) {
			return true, nil
		}
		if c.mode == calm { // it is empty
			c.mu.Unlock()
			return false, nil
		}
	}
	g, ok := c.tryRecvSlow(a, false)
	*v = g.Val
	return ok, g.Err
}

// recvInto is the full way of RecvOrQueue. The lock is held and is freed.
//
//go:norace
func (c *Chan[T]) recvInto(ctx context.Context, done <-chan struct{}, a *Attach, v *T) error {
	g := c.recvSlow(ctx, done, a, false)
	*v = g.Val
	return g.Err
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

// handTo gives v to the waiting receiver r, which is out of the queue. The lock is
// held and is freed.
//
//go:norace
func (c *Chan[T]) handTo(r *waiter[T], v *T, h Header) {
	c.meets(r)
	if r.firm {
		r.val = *v
	} else {
		r.got.Val = *v
		r.got.Header, r.got.Attempt = h, 1
	}
	r.done = true
	hb.Release(r)
	c.rcvd++
	if c.recvq.head == nil {
		c.mode = calm
	}
	c.mu.Unlock()
	r.ring()
}

// recvFrom takes the oldest value; w was the first sender to wait: its value
// moves into the slot, or straight to the receiver if there are none. The lock
// is held and is freed; w must be rung after that.
//
//go:norace
func (c *Chan[T]) recvFrom(w *waiter[T], v *T) {
	w.done = true
	hb.Acquire(w)
	c.rcvd++
	if c.slots == 0 {
		*v = w.val
	} else {
		c.pop(v)
		c.used--
		c.put(&w.val, w.header)
	}
	hb.Release(w)
	c.mu.Unlock()
}

// ring wakes the owner of w, wherever it waits. The lock must be free.
//
//go:norace
func (w *waiter[T]) ring() {
	if !w.slot.Ready() {
		w.tk.Ring()
	}
}
