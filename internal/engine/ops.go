package engine

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Ended returns the error of a context that is over, or nil.
func Ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Cancelled(ctx)
	}
	return nil
}

// jam reports whether something may wait on both sides, so that serve must run
// before a new operation is judged: nobody overtakes.
func (c *Chan[T]) jam() bool {
	return c.recvq.head != nil && (c.n > 0 || c.back.head != nil || c.sendq.head != nil) ||
		c.sendq.head != nil && c.used < c.slots
}

// Send offers v and waits until custody has left the caller. timeout 0 is none.
func (c *Chan[T]) Send(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) error {
	if err := Ended(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	if c.used < c.slots && c.recvq.head == nil && c.sendq.head == nil && !c.closed && !a.gone {
		c.put(v, h)
		c.tally.sent++
		c.mu.Unlock()
		return nil
	}
	return c.sendSlow(ctx, a, v, h, timeout)
}

// sendSlow is Send where a slot alone is not the answer. The lock is held and is
// freed.
func (c *Chan[T]) sendSlow(ctx context.Context, a *Attach, v T, h Header, timeout time.Duration) error {
	if err := c.refuseSend(a); err != nil {
		c.mu.Unlock()
		return err
	}
	var o after[T]
	if c.jam() {
		c.serve(&o)
	}
	if c.offer(v, h, &o) {
		c.unlock(&o)
		return nil
	}
	w := c.record(send, a)
	w.got.Val, w.got.Header = v, h
	_, err := c.sendBlocked(ctx, w, timeout, &o)
	return err
}

// SendAll sends vs in order and returns how many left custody.
func (c *Chan[T]) SendAll(ctx context.Context, a *Attach, vs []T, h Header, timeout time.Duration) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(vs) == 0 {
		return 0, nil
	}
	var o after[T]
	c.mu.Lock()
	if err := c.refuseSend(a); err != nil {
		c.mu.Unlock()
		return 0, err
	}
	if c.jam() {
		c.serve(&o)
	}
	w := c.record(send, a)
	w.got.Val, w.got.Header = vs[0], h
	w.vs = vs[1:]
	return c.sendBlocked(ctx, w, timeout, &o)
}

// sendBlocked presents w and waits for the end. The lock is held and is freed.
func (c *Chan[T]) sendBlocked(ctx context.Context, w *waiter[T], timeout time.Duration, o *after[T]) (int, error) {
	if c.present(w, o) {
		n := w.n
		c.release(w)
		c.unlock(o)
		return n, nil
	}
	c.unlock(o)
	cause := c.await(ctx, w, timeout)
	c.mu.Lock()
	return c.leaveSend(w, cause)
}

// leaveSend ends the send w, early if cause is not nil. The lock is held and is
// freed. A send that was completed meanwhile ends as it did.
func (c *Chan[T]) leaveSend(w *waiter[T], cause error) (n int, err error) {
	var o after[T]
	if cause != nil {
		c.giveUp(w, cause, &o)
	}
	n, err = w.n, w.got.Err
	c.release(w)
	c.unlock(&o)
	return n, err
}

// giveUp fixes the outcome of the plain operation w for its owner, who does not
// want to wait any longer. The lock is held; it is given up for a moment if w
// was completed meanwhile, to hear the ring that is on its way.
func (c *Chan[T]) giveUp(w *waiter[T], cause error, o *after[T]) {
	if !w.done {
		c.giveUpOpen(w, cause, o)
		return
	}
	if w.tk.State() == ticket.Synced {
		c.mu.Unlock()
		<-w.tk.Bell()
		c.mu.Lock()
	}
}

// giveUpOpen is giveUp for a waiter whose outcome is open.
func (c *Chan[T]) giveUpOpen(w *waiter[T], cause error, o *after[T]) {
	w.got.Err = cause
	p := w.parcel
	switch {
	case p == nil:
		w.remove()
	case p.where == inHand:
		c.orphan(p, o)
		w.got.Err = fault.Doubtful(cause)
	case p.where == inBack:
		c.back.remove(p)
		c.scrap(p)
	default:
		c.resting--
		c.scrap(p)
	}
}

// await waits until w is completed, or returns why the owner must give up.
func (c *Chan[T]) await(ctx context.Context, w *waiter[T], timeout time.Duration) error {
	bell, done := w.tk.Bell(), ctx.Done()
	if done == nil && timeout <= 0 {
		<-bell
		return nil
	}
	var fired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		fired = timer.C
	}
	select {
	case <-bell:
		return nil
	case <-done:
		w.tk.Abort()
		return fault.Cancelled(ctx)
	case <-fired:
		w.tk.Abort()
		return fault.ErrTimeout
	}
}

// TrySend sends v if that is possible without waiting.
func (c *Chan[T]) TrySend(a *Attach, v T, h Header) (bool, error) {
	var o after[T]
	c.mu.Lock()
	if err := c.refuseSend(a); err != nil {
		c.mu.Unlock()
		return false, err
	}
	if c.jam() {
		c.serve(&o)
	}
	ok := c.offer(v, h, &o)
	c.unlock(&o)
	return ok, nil
}

// Recv takes and confirms the next value.
func (c *Chan[T]) Recv(ctx context.Context, a *Attach) (v T, err error) {
	if err := Ended(ctx); err != nil {
		return v, err
	}
	c.mu.Lock()
	if c.n > 0 && c.back.head == nil && c.recvq.head == nil && !c.closed && !a.gone {
		v, _ = c.pop()
		c.tally.received++
		c.used--
		if c.sendq.head == nil && c.bare.head == nil {
			c.mu.Unlock()
			return v, nil
		}
		var o after[T]
		c.promote(&o)
		c.unlock(&o)
		return v, nil
	}
	g := c.recvSlow(ctx, a, false)
	return g.Val, g.Err
}

// Take takes and holds the next value.
func (c *Chan[T]) Take(ctx context.Context, a *Attach) (g Got[T]) {
	if g.Err = Ended(ctx); g.Err != nil {
		return g
	}
	c.mu.Lock()
	return c.recvSlow(ctx, a, true)
}

// recvSlow is the receive in full. The lock is held and is freed.
func (c *Chan[T]) recvSlow(ctx context.Context, a *Attach, hold bool) (g Got[T]) {
	var o after[T]
	if c.begin(a, hold, &g, &o) != nothing {
		c.unlock(&o)
		return g
	}
	w := c.recvBlocked(a, hold)
	c.unlock(&o)
	c.awaitRecv(ctx, w)
	g = w.got
	c.release(w)
	c.mu.Unlock()
	return g
}

// begin tries to receive at once. The lock is held.
func (c *Chan[T]) begin(a *Attach, hold bool, g *Got[T], o *after[T]) outcome {
	if a.gone {
		g.Err = fault.ErrDetached
		return drained
	}
	if c.jam() {
		c.serve(o)
	}
	got := c.pull(hold, a, g, o)
	if got == drained {
		g.Err = fault.ErrClosed
	}
	return got
}

// recvBlocked queues a new receiver. The lock is held.
func (c *Chan[T]) recvBlocked(a *Attach, hold bool) *waiter[T] {
	k := recv
	if hold {
		k = take
	}
	w := c.record(k, a)
	c.recvq.push(w)
	return w
}

// awaitRecv waits for the end of the receive w and returns with the lock held.
func (c *Chan[T]) awaitRecv(ctx context.Context, w *waiter[T]) {
	cause := c.await(ctx, w, 0)
	c.mu.Lock()
	if cause != nil {
		c.giveUp(w, cause, nil)
	}
}

// TryRecv is Recv if that is possible without waiting.
func (c *Chan[T]) TryRecv(a *Attach, hold bool) (g Got[T], ok bool) {
	var o after[T]
	c.mu.Lock()
	got := c.begin(a, hold, &g, &o)
	c.unlock(&o)
	return g, got == pulled
}

// RecvInto waits for the first value only, then takes and confirms what is
// there.
func (c *Chan[T]) RecvInto(ctx context.Context, a *Attach, buf []T) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		return 0, nil
	}
	var o after[T]
	c.mu.Lock()
	if a.gone {
		c.mu.Unlock()
		return 0, fault.ErrDetached
	}
	if c.jam() {
		c.serve(&o)
	}
	n, last := c.pullMany(buf, &o)
	if n > 0 || last == drained {
		c.unlock(&o)
		if n == 0 {
			return 0, fault.ErrClosed
		}
		return n, nil
	}
	w := c.recvBlocked(a, false)
	w.vs = buf
	c.unlock(&o)
	c.awaitRecv(ctx, w)
	var more after[T]
	n, err := w.n, w.got.Err
	c.release(w)
	if err == nil && n < len(buf) && c.recvq.head == nil {
		m, _ := c.pullMany(buf[n:], &more)
		n += m
	}
	c.unlock(&more)
	return n, err
}

// TakeInto is RecvInto that holds what it takes.
func (c *Chan[T]) TakeInto(ctx context.Context, a *Attach, buf []Got[T]) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		return 0, nil
	}
	var o after[T]
	c.mu.Lock()
	n, last := 0, nothing
	for n < len(buf) {
		if last = c.begin(a, true, &buf[n], &o); last != pulled {
			break
		}
		n++
	}
	if n > 0 || last == drained {
		c.unlock(&o)
		if n == 0 {
			return 0, buf[0].Err
		}
		return n, nil
	}
	w := c.recvBlocked(a, true)
	w.holds = buf
	c.unlock(&o)
	c.awaitRecv(ctx, w)
	n, err := w.n, w.got.Err
	c.release(w)
	c.mu.Unlock()
	return n, err
}
