package engine

import "github.com/handoff-go/handoff/internal/hb"

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
		clear(part)
		if c.head += len(part); c.head == c.slots {
			c.head = 0
		}
	}
	c.n -= k
	c.used -= k
	c.rcvd += uint64(k)
	return k
}
