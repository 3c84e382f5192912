// Package split is several channels behind one pair of ends, for senders and
// receivers so many and so fast that the lock of one channel is what they wait
// for. Each value has a key, which chooses its lane, and each lane is a channel
// of package handoff.
//
// # What is kept, and what is not
//
// Values of one key are first in, first out, on one lane. Between lanes there is
// no order: that is the price. A lane has slots of its own, so a sender may wait
// while other lanes have room. All else is as it is in package handoff: a value
// is with its sender, in a slot, or with one receiver; what waits is served in
// order, lane by lane; close, cancel and nil are the same.
//
//	ch := split.Make(4, 64, func(o Order) uint64 { return o.Customer })
//	go ch.Send(ctx, order)
//	r := ch.Reader() // one for each goroutine that receives
//	o, err := r.Recv(ctx)
package split

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/handoff-go/handoff"
)

// Chan is a split channel: by value, comparable. The zero Chan blocks for ever,
// like a nil channel.
type Chan[T any] struct{ c *lanes[T] }

type lanes[T any] struct {
	each []handoff.Chan[T]
	key  func(T) uint64
	next atomic.Uint32 // the lane where the next Reader looks first
}

// Make returns a channel of so many lanes, each with so many slots. key says which
// values must stay in order among each other: those for which it returns the same
// number. It may be called from any goroutine, and must always say the same of
// the same value. opts are those of handoff.Make, for every lane.
//
// Make panics if ways is below 1, slots below 0 or key nil.
func Make[T any](ways, slots int, key func(T) uint64, opts ...handoff.Option) Chan[T] {
	if ways < 1 || key == nil {
		panic(fmt.Sprintf("handoff/split: %d ways and a key that is nil: %v", ways, key == nil))
	}
	c := &lanes[T]{key: key}
	for range ways {
		c.each = append(c.each, handoff.Make[T](slots, opts...))
	}
	return Chan[T]{c}
}

// lane is where values like v go.
func (c *lanes[T]) lane(v T) handoff.Chan[T] { return c.each[c.key(v)%uint64(len(c.each))] }

// Send is handoff.Sender.Send on the lane of v.
func (ch Chan[T]) Send(ctx context.Context, v T) error {
	if ch.c == nil {
		return handoff.Sender[T]{}.Send(ctx, v)
	}
	return ch.c.lane(v).Send(ctx, v)
}

// TrySend is handoff.Sender.TrySend on the lane of v: false says that this lane is
// not ready, whatever the others are.
func (ch Chan[T]) TrySend(v T) (bool, error) {
	if ch.c == nil {
		return handoff.Sender[T]{}.TrySend(v)
	}
	return ch.c.lane(v).TrySend(v)
}

// SendAll sends vs in order, runs of values of one lane in one crossing. It
// returns how many left custody: vs[n:] are still the caller's.
func (ch Chan[T]) SendAll(ctx context.Context, vs []T) (n int, err error) {
	if ch.c == nil {
		return handoff.Sender[T]{}.SendAll(ctx, vs)
	}
	for n < len(vs) {
		lane, end := ch.c.lane(vs[n]), n+1
		for end < len(vs) && ch.c.lane(vs[end]) == lane {
			end++
		}
		sent, err := lane.SendAll(ctx, vs[n:end])
		if n += sent; err != nil {
			return n, err
		}
	}
	return n, nil
}

// OnSend is a select case that sends v on its lane.
func (ch Chan[T]) OnSend(v T, do func()) handoff.Case {
	if ch.c == nil {
		return handoff.Case{}
	}
	return ch.c.lane(v).OnSend(v, do)
}

// Close closes every lane. It returns the error of the first that was closed
// already: handoff.ErrClosed. Close of the zero Chan panics, as in the language.
func (ch Chan[T]) Close() error {
	if ch.c == nil {
		return handoff.Sender[T]{}.Close()
	}
	var first error
	for _, lane := range ch.c.each {
		if err := lane.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Len returns the number of values ready to be taken, one lane after the other:
// while others send and receive it was never so.
func (ch Chan[T]) Len() int {
	n := 0
	if ch.c != nil {
		for _, lane := range ch.c.each {
			n += lane.Len()
		}
	}
	return n
}

// Cap returns the number of slots of all lanes together. A value finds room only
// on its own.
func (ch Chan[T]) Cap() int {
	n := 0
	if ch.c != nil {
		for _, lane := range ch.c.each {
			n += lane.Cap()
		}
	}
	return n
}

// Lanes returns the channels behind ch, to be read apart, by a receiver for each,
// or looked into. The zero Chan has none.
func (ch Chan[T]) Lanes() []handoff.Receiver[T] {
	var all []handoff.Receiver[T]
	if ch.c != nil {
		for _, lane := range ch.c.each {
			all = append(all, lane.Receiver)
		}
	}
	return all
}

// Reader returns a receiver of all lanes. Each looks first at another lane than
// the one before it, so that several do not meet while there is enough for all.
// One goroutine at a time may use a Reader; make one for each.
func (ch Chan[T]) Reader() *Reader[T] {
	r := &Reader[T]{}
	if ch.c == nil {
		return r
	}
	n := len(ch.c.each)
	first := int(ch.c.next.Add(1)-1) % n
	for i := range n {
		lane := ch.c.each[(first+i)%n].Receiver
		r.lanes = append(r.lanes, lane)
		r.cases = append(r.cases, lane.OnRecv(func(v T, ok bool) { r.v, r.ok = v, ok }))
	}
	r.left = n
	r.closed = make([]bool, n)
	r.sel = handoff.NewSelector(r.cases...)
	return r
}

// Reader receives from all lanes of a split channel. It stays with a lane that has
// values, for some dozens, and then goes on to the next one that has: no lane is
// passed over for ever. Values of one key come in order, if one Reader receives
// them all.
type Reader[T any] struct {
	lanes  []handoff.Receiver[T]
	cases  []handoff.Case
	closed []bool // lanes that are closed and drained
	left   int    // lanes that are not
	sel    *handoff.Selector

	at    int // the lane where it looks first
	stays int // values it may still take there before it looks further

	v  T // what the select received
	ok bool
}

// Recv takes and confirms a value. It returns handoff.ErrClosed once all lanes
// are closed and drained, and otherwise what handoff.Receiver.Recv does.
func (r *Reader[T]) Recv(ctx context.Context) (v T, err error) {
	if r.sel == nil {
		return handoff.Receiver[T]{}.Recv(ctx)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		if ctx.Err() == nil {
			if v, ok, err := r.TryRecv(); ok || err != nil {
				return v, err
			}
		}
		i, err := r.sel.Select(ctx)
		if err != nil {
			return v, err
		}
		if r.ok {
			v, r.v = r.v, v
			return v, nil
		}
		r.end(i)
	}
}

// TryRecv is Recv if that is possible without waiting: it looks at each lane once.
func (r *Reader[T]) TryRecv() (v T, ok bool, err error) {
	if r.sel == nil {
		return handoff.Receiver[T]{}.TryRecv()
	}
	if r.stays--; r.stays < 0 {
		r.goTo(r.at + 1)
	}
	last := error(handoff.ErrClosed)
	for k := range r.lanes {
		i := (r.at + k) % len(r.lanes)
		if r.closed[i] {
			continue
		}
		if v, ok, err = r.lanes[i].TryRecv(); ok {
			if k > 0 {
				r.goTo(i)
			}
			return v, true, nil
		}
		if err != nil {
			last = err
			r.end(i)
		}
	}
	if r.left == 0 {
		return v, false, last
	}
	return v, false, nil
}

// All yields the values until all lanes are closed and drained, or ctx ends, whose
// error it yields once.
func (r *Reader[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := r.Recv(ctx)
			if errors.Is(err, handoff.ErrClosed) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// most is how many values a Reader takes from one lane while others may have some
// too. It is that many because a lane is in the cache of who has just used it.
const most = 32

// goTo makes lane i the one where r looks first.
func (r *Reader[T]) goTo(i int) { r.at, r.stays = i%len(r.lanes), most }

// end notes that lane i is over for this Reader.
func (r *Reader[T]) end(i int) {
	if !r.closed[i] {
		r.closed[i] = true
		r.left--
		r.sel.Enable(i, false)
	}
}
