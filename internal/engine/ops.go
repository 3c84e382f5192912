package engine

import (
	"context"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
)

// Ended returns the error of a context that is over, or nil.
//
//go:norace
func Ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Cancelled(ctx)
	}
	return nil
}

// jam reports whether something may wait on both sides, so that serve must run
// before a new operation is judged: nobody overtakes.
//
//go:norace
func (c *Chan[T]) jam() bool {
	return c.recvq.head != nil && (c.n > 0 || c.back.head != nil || c.sendq.head != nil) ||
		c.sendq.head != nil && c.used < c.slots
}

// sendSlow is Send where a slot alone is not the answer. The lock is held and is
// freed.
//
//go:norace
func (c *Chan[T]) sendSlow(ctx context.Context, done <-chan struct{}, a *Attach, v T, h Header, timeout time.Duration) error {
	c.wide()
	if err := c.refuseSend(a); err != nil {
		c.free()
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
	w := c.wideRecord(send, a)
	w.val, w.header = v, h
	w.simple = true
	_, err := c.sendBlocked(ctx, done, w, timeout, &o)
	return err
}

// SendAll sends vs in order and returns how many left custody.
//
//go:norace
func (c *Chan[T]) SendAll(ctx context.Context, a *Attach, vs []T, h Header, timeout time.Duration) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(vs) == 0 {
		return 0, nil
	}
	var o after[T]
	done := ctx.Done()
	c.lockWide()
	if err := c.refuseSend(a); err != nil {
		c.free()
		return 0, err
	}
	if c.jam() {
		c.serve(&o)
	}
	n := 0
	if c.mode == calm && h == nil && c.bulk() {
		if n = c.putMany(vs); n == len(vs) {
			c.mu.Unlock()
			return n, nil
		}
	}
	w := c.wideRecord(send, a)
	w.val, w.header = vs[n], h
	w.vs, w.n = vs[n+1:], n
	return c.sendBlocked(ctx, done, w, timeout, &o)
}

// sendBlocked presents w and waits for the end. The lock is held and is freed.
//
//go:norace
func (c *Chan[T]) sendBlocked(ctx context.Context, done <-chan struct{}, w *waiter[T], timeout time.Duration, o *after[T]) (int, error) {
	if c.present(w, o) {
		n := w.n
		c.unlock(o)
		c.release(w)
		return n, nil
	}
	c.wait(ctx, done, w, timeout, o)
	n, err := w.n, w.err
	c.release(w)
	return n, err
}

// giveUp fixes the outcome of the plain operation w for its owner, who does not
// want to wait any longer. If w was completed meanwhile it ends as it did.
//
//go:norace
func (c *Chan[T]) giveUp(w *waiter[T], cause error) {
	var o after[T]
	c.lockWide()
	if !w.done {
		c.giveUpOpen(w, cause, &o)
		c.unlock(&o)
		return
	}
	c.free()
	<-w.tk.Bell()
}

// giveUpOpen is giveUp for a waiter whose outcome is open.
//
//go:norace
func (c *Chan[T]) giveUpOpen(w *waiter[T], cause error, o *after[T]) {
	w.err, w.simple = cause, false
	p := w.handedOut()
	switch {
	case p == nil:
		w.remove()
	case p.where == inHand:
		c.orphan(p, o)
		w.err = fault.Doubtful(cause)
	case p.where == inBack:
		c.back.remove(p)
		c.scrap(p)
	default:
		c.rests.remove(p)
		c.scrap(p)
	}
}

// wait waits for the end of the plain operation w. The lock is held and is freed.
//
//go:norace
func (c *Chan[T]) wait(ctx context.Context, done <-chan struct{}, w *waiter[T], timeout time.Duration, o *after[T]) {
	if timeout <= 0 && o.empty() && c.watched(done, w) {
		c.mode = mixed
		w.slot.Park()
		return
	}
	c.getBell(w)
	c.unlock(o)
	if cause := c.await(ctx, done, w, timeout); cause != nil {
		c.giveUp(w, cause)
	} else {
		c.Waited(ctx, w)
	}
	hb.Acquire(w)
}

// await waits until w is completed, or returns why the owner must give up.
//
//go:norace
func (c *Chan[T]) await(ctx context.Context, done <-chan struct{}, w *waiter[T], timeout time.Duration) error {
	bell := w.tk.Bell()
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
		return fault.Cancelled(ctx)
	case <-fired:
		return fault.ErrTimeout
	}
}

// Take takes and holds the next value.
//
//go:norace
func (c *Chan[T]) Take(ctx context.Context, a *Attach) (g Got[T]) {
	if g.Err = Ended(ctx); g.Err != nil {
		return g
	}
	done := ctx.Done() // not under the lock: it may be anybody's code
	c.lockWide()
	return c.recvSlow(ctx, done, a, true)
}

// recvSlow is the receive in full. The lock is held and is freed.
//
//go:norace
func (c *Chan[T]) recvSlow(ctx context.Context, done <-chan struct{}, a *Attach, hold bool) (g Got[T]) {
	c.wide()
	var o after[T]
	if c.begin(a, hold, &g, &o) != nothing {
		c.unlock(&o)
		return g
	}
	w := c.recvBlocked(a, hold)
	w.simple = !hold
	c.wait(ctx, done, w, 0, &o)
	if hold {
		g = w.got
	} else {
		g.Val = w.val
	}
	g.Err = w.err
	c.release(w)
	return g
}

// begin tries to receive at once. The lock is held.
//
//go:norace
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
//
//go:norace
func (c *Chan[T]) recvBlocked(a *Attach, hold bool) *waiter[T] {
	k := recv
	if hold {
		k = take
	}
	w := c.wideRecord(k, a)
	c.recvq.push(w)
	return w
}

// TryTake takes and holds the next value if that is possible without waiting.
//
//go:norace
func (c *Chan[T]) TryTake(a *Attach) (g Got[T], ok bool) {
	c.mu.Lock()
	return c.tryRecvSlow(a, true)
}

// tryRecvSlow is a receive in full that does not wait. The lock is held and is
// freed.
//
//go:norace
func (c *Chan[T]) tryRecvSlow(a *Attach, hold bool) (g Got[T], ok bool) {
	var o after[T]
	c.wide()
	got := c.begin(a, hold, &g, &o)
	c.unlock(&o)
	return g, got == pulled
}

// RecvInto waits for the first value only, then takes and confirms what is
// there.
//
//go:norace
func (c *Chan[T]) RecvInto(ctx context.Context, a *Attach, buf []T) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		return 0, nil
	}
	var o after[T]
	done := ctx.Done()
	c.lockWide()
	if a.gone {
		c.free()
		return 0, fault.ErrDetached
	}
	if c.mode == calm && c.n > 0 && c.bulk() {
		n := c.popMany(buf)
		c.mu.Unlock()
		return n, nil
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
	c.wait(ctx, done, w, 0, &o)
	n, err := w.n, w.err
	c.release(w)
	if err == nil && n < len(buf) {
		n += c.moreInto(a, buf[n:])
	}
	return n, err
}

// moreInto takes what is there for a RecvInto that has its first value, unless
// others wait for it.
//
//go:norace
func (c *Chan[T]) moreInto(a *Attach, buf []T) (n int) {
	var o after[T]
	c.lockWide()
	if !a.gone && c.recvq.head == nil {
		n, _ = c.pullMany(buf, &o)
	}
	c.unlock(&o)
	return n
}

// TakeInto is RecvInto that holds what it takes.
//
//go:norace
func (c *Chan[T]) TakeInto(ctx context.Context, a *Attach, buf []Got[T]) (int, error) {
	if err := Ended(ctx); err != nil {
		return 0, err
	}
	if len(buf) == 0 {
		return 0, nil
	}
	var o after[T]
	done := ctx.Done()
	c.lockWide()
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
	c.wait(ctx, done, w, 0, &o)
	n, err := w.n, w.err
	c.release(w)
	return n, err
}

// TrySendAny is TrySend of a v that must be a T.
//
//go:norace
func (c *Chan[T]) TrySendAny(a *Attach, v any) (bool, error) {
	t := v.(T)
	return c.TrySend(a, &t, nil)
}
