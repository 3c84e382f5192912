package engine

import (
	"context"
	"runtime"
	"weak"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/park"
)

// Who waits under a context that may end waits for two things, the end of his
// operation and that of the context, and a native select over both costs more
// than all the rest. So where a channel is used under one context again and
// again, the context is asked once to tell the channel of its end
// (context.AfterFunc), and those who wait under it park as if it had none: the
// end completes them under the lock, like any other operation that unblocks
// them. Everybody else, the first few operations among them, waits for both.

// watches are the contexts that tell a channel of their end, one for each side,
// since senders and receivers are often under different ones. The lock of the
// channel guards them. They are apart from the channel for tidy.
type watches struct {
	of   [2]watch // senders, receivers
	tidy bool     // they end with the channel
}

// watch is one of them.
type watch struct {
	done <-chan struct{} // of the context that tells; nil for none
	stop func() bool     // ends the telling; nil until it has begun

	regular
}

// habit is how many waits in a row make a context one that is asked: that costs
// about as much as they do. One that cannot tell is not asked again.
const (
	habit = 16
	never = -1 << 30
)

// regular counts the waits for both, of those in a row that are under one context.
type regular struct {
	last  <-chan struct{} // of the context of the last one
	times int
}

// again counts a wait under the context whose Done is done, and reports whether it
// is time to ask that context.
//
//go:norace
func (r *regular) again(done <-chan struct{}) bool {
	if r.last != done {
		r.last, r.times = done, 0
	}
	r.times++
	return r.times >= habit
}

// asked begins the count anew, or ends it if the context cannot tell.
//
//go:norace
func (r *regular) asked(can bool) {
	if r.times = 0; !can {
		r.times = never
	}
}

// watchOf returns the watch of the side of w.
//
//go:norace
func (c *Chan[T]) watchOf(k kind) *watch {
	if k == send {
		return &c.watches.of[0]
	}
	return &c.watches.of[1]
}

// watched has w, which is about to wait under the context whose Done is done, be told
// of its end. If it reports false w must look for itself. The lock is held.
//
//go:norace
func (c *Chan[T]) watched(done <-chan struct{}, w *waiter[T]) bool {
	if !park.Fast || c.inside {
		return false
	}
	if done == nil {
		return true
	}
	if c.extra == nil || c.watches == nil {
		c.wide()
		c.watches = &watches{}
	}
	t := c.watchOf(w.kind)
	if t.done == done {
		w.watched = true
		return true
	}
	w.keen = t.again(done)
	return false
}

// Waited is called by the owner of w, who has waited for both under ctx: it may be
// time to ask ctx.
//
//go:norace
func (c *Chan[T]) Waited(ctx context.Context, w *waiter[T]) {
	if w.keen {
		c.ask(ctx, w.kind)
	}
}

// ask asks ctx to tell of its end those who wait on the side of k. No lock is
// held.
//
//go:norace
func (c *Chan[T]) ask(ctx context.Context, k kind) {
	own, done := tells(ctx), ctx.Done()
	c.mu.Lock()
	all, t := c.watches, c.watchOf(k)
	t.asked(own != nil)
	if own == nil || t.done == done || c.anyWatched(k) {
		c.mu.Unlock()
		return
	}
	before, tidy := t.stop, all.tidy
	t.done, t.stop, all.tidy = done, nil, true
	c.mu.Unlock()

	if before != nil {
		before()
	}
	if !tidy {
		runtime.AddCleanup(c, (*watches).end, all)
	}
	// The context may live much longer than the channel, and must not keep it. It is
	// asked without the values around it, which may have the channel among them.
	there := weak.Make(c)
	stop := context.AfterFunc(own, func() {
		if c := there.Value(); c != nil {
			c.ended(own, k)
		}
	})
	c.mu.Lock()
	mine := t.done == done
	if mine {
		t.stop = stop
	}
	c.mu.Unlock()
	if !mine {
		stop()
	}
}

// end ends the watches of a channel that nobody can reach any more.
//
//go:norace
func (all *watches) end() {
	for i := range all.of {
		if stop := all.of[i].stop; stop != nil {
			stop()
		}
	}
}

// anyWatched reports whether somebody is told by the watch on the side of k. The
// lock is held.
//
//go:norace
func (c *Chan[T]) anyWatched(k kind) bool {
	any := false
	c.eachWatched(k, func(*waiter[T]) bool { any = true; return false })
	return any
}

// eachWatched calls do, until it returns false, for those on the side of k who are
// told of the end of a context. do may complete the one it is called for. The lock
// is held.
//
//go:norace
func (c *Chan[T]) eachWatched(k kind, do func(w *waiter[T]) bool) {
	q := &c.recvq
	if k == send {
		q = &c.sendq
	}
	for w := q.head; w != nil; {
		next := w.next
		if w.watched && !do(w) {
			return
		}
		w = next
	}
	for p := c.bare.head; p != nil && k == send; {
		next := p.onext
		if w := p.sender; w.watched && !do(w) {
			return
		}
		p = next
	}
}

// ended is called when ctx, which was asked to tell, has ended.
//
//go:norace
func (c *Chan[T]) ended(ctx context.Context, k kind) {
	var o after[T]
	cause, done := fault.Cancelled(ctx), ctx.Done()
	c.mu.Lock()
	if t := c.watchOf(k); t.done == done {
		t.done, t.stop = nil, nil
		c.eachWatched(k, func(w *waiter[T]) bool {
			c.giveUpOpen(w, cause, &o)
			w.finish(&o)
			return true
		})
	}
	c.unlock(&o)
}

// tells returns the context that can tell of the end of ctx without a goroutine that
// waits for it: ctx must be, or end with, one of package context's own. Else it
// returns nil.
//
//go:norace
func tells(ctx context.Context) context.Context {
	if ownKey == nil {
		return nil
	}
	own, _ := ctx.Value(ownKey).(context.Context)
	if own == nil || own.Done() != ctx.Done() {
		return nil
	}
	return own
}

// ownKey is what package context asks a context for, to find the one of its own
// with which it ends. It is learned by being asked; should a later version not
// ask, no context is taken to be one of its own.
var ownKey = func() any {
	a := &asker{Context: context.Background()}
	_ = context.Cause(a)
	return a.key
}()

type asker struct {
	context.Context
	key any
}

//go:norace
func (a *asker) Err() error { return context.Canceled } // else it has no cause to look for

//go:norace
func (a *asker) Value(key any) any {
	a.key = key
	return nil
}
