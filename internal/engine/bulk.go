package engine

import (
	"reflect"

	"github.com/handoff-go/handoff/internal/hb"
)

// This file moves many values between slots and a slice of the caller at once,
// where nothing but the ring is concerned: what match.go does one by one.

// bulk reports whether values may be moved so: there are no headers beside them,
// and nobody wants the edges of each slot declared.
//
//go:norace
func (c *Chan[T]) bulk() bool { return !hb.On && c.heads == nil }

// alone reports whether at most one sender waits. Of several each has its turn for
// every slot that becomes free, so then values must leave one by one.
//
//go:norace
func (c *Chan[T]) alone() bool {
	return c.bare.head == nil && (c.sendq.head == nil || c.sendq.head.next == nil)
}

// pour moves values of w, which sends many, at once: into the buffer of a receiver
// that waits alone, or into free slots if nobody waits. It reports whether all are
// gone.
//
//go:norace
func (c *Chan[T]) pour(w *waiter[T], o *after[T]) bool {
	r := c.recvq.head
	switch {
	case r == nil && c.used < c.slots && c.sendq.head == nil && c.bare.head == nil && c.back.head == nil:
		c.put(&w.val, nil)
		return w.passed(c.putMany(w.vs))
	case r != nil && r.next == nil && r.wantsMany() && !c.older(r):
		r.remove()
		r.vs[0] = w.val
		k := copy(r.vs[1:], w.vs)
		r.n = 1 + k
		c.rcvd += uint64(r.n)
		r.finish(o)
		return w.passed(k)
	}
	return false
}

// SendNow sends all of vs, one at least, if none of them has to wait, and else none:
// into slots, what a receiver that waits alone for many has no room for. It reports
// which. What it cannot do so may be possible for an Async all the same. then, if it is
// not nil, wakes that receiver, which is left to the caller: he has better things to do
// first.
//
//go:norace
func (c *Chan[T]) SendNow(a *Attach, vs []T) (ok bool, then func()) {
	var o after[T]
	c.lockWide()
	r := c.recvq.head
	if a.gone || c.closed || !c.bulk() || c.sendq.head != nil || c.bare.head != nil || c.back.head != nil ||
		r != nil && (r.next != nil || c.n > 0 || !r.wantsMany()) {
		c.free()
		return false, nil
	}
	k := 0
	if r != nil {
		k = min(len(vs), len(r.vs))
	}
	if len(vs)-k > c.slots-c.used {
		c.free()
		return false, nil
	}
	if r != nil {
		r.remove()
		r.n = copy(r.vs, vs)
		c.rcvd += uint64(r.n)
		if then = r.own.Notify; then == nil {
			r.finish(&o)
		} else {
			r.done = true // as finish, but for the wake
			hb.Release(r)
		}
	}
	if k < len(vs) {
		c.putMany(vs[k:])
	}
	c.unlock(&o)
	return true, then
}

// wantsMany reports whether w is a plain receive of many values.
//
//go:norace
func (w *waiter[T]) wantsMany() bool { return w.firm && w.full != nil && w.kind == recv && w.vs != nil }

// passed notes that the value w offers has left its hands, and k of those after it,
// and reports whether that were all.
//
//go:norace
func (w *waiter[T]) passed(k int) bool {
	if k > 0 {
		w.n, w.vs = w.n+k, w.vs[k:]
	}
	if w.more() {
		w.advance()
		return false
	}
	w.count()
	return true
}

// putMany puts what fits of vs into free slots and returns how many did.
//
//go:norace
func (c *Chan[T]) putMany(vs []T) int {
	k := min(len(vs), c.slots-c.used)
	i := c.head + c.n
	if i >= c.slots {
		i -= c.slots
	}
	n := copy(c.buf[i:], vs[:k])
	copy(c.buf, vs[n:k])
	c.n += k
	c.used += k
	return k
}

// popMany takes and confirms the oldest values of the ring, as many as there are
// and vs has room for. No reference to them is kept.
//
//go:norace
func (c *Chan[T]) popMany(vs []T) int {
	k := min(len(vs), c.n)
	for n := 0; n < k; {
		part := c.buf[c.head:min(c.slots, c.head+k-n)]
		n += copy(vs[n:], part)
		if c.refers() {
			clear(part)
		}
		if c.head += len(part); c.head == c.slots {
			c.head = 0
		}
	}
	c.n -= k
	c.used -= k
	c.rcvd += uint64(k)
	return k
}

// reference says whether values of a channel may refer to memory.
type reference uint8

const (
	unknown reference = iota
	refers
	refersNot
)

// refers reports whether values may refer to memory, which must not be kept once
// they are received. Those that do not are left where they were: to write over
// them takes their cache lines away from the sender, who writes there next. The
// lock is held.
//
//go:norace
func (c *Chan[T]) refers() bool {
	if c.reference == unknown {
		c.reference = refersNot
		if mayRefer(reflect.TypeFor[T]()) {
			c.reference = refers
		}
	}
	return c.reference == refers
}

//go:norace
func mayRefer(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k <= reflect.Complex128: // the numbers, and bool
		return false
	case k == reflect.Array:
		return t.Len() > 0 && mayRefer(t.Elem())
	case k == reflect.Struct:
		for i := range t.NumField() {
			if mayRefer(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}
