package engine

import (
	"errors"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// Async is one operation that waits without a goroutine: a home serves the
// operations of others with it. Make one with NewAsync, begin one operation with
// it, and throw it away, or have Again make it good for another. Done is called
// exactly once, with no lock held, possibly before the operation's Begin returns;
// only then may the results be read.
type Async[T any] struct {
	w    waiter[T]
	f    full[T] // of w
	c    *Chan[T]
	done func()
	turn uint64 // how often it was used; written with the lock of c

	waited bool // by BeginRecvInto

	// Unready is set when an operation that tries could do nothing.
	Unready bool
}

// errUnready marks a send that tried and found nobody.
var errUnready = errors.New("not ready")

// NewAsync returns an Async on c whose end is told to done.
//
//go:norace
func (c *Chan[T]) NewAsync(a *Attach, done func()) *Async[T] {
	x := &Async[T]{c: c, done: done}
	x.w.att = a
	x.w.full, x.f.tk = &x.f, &x.f.own
	x.w.firm = true
	x.w.own.Notify = x.end
	hb.Release(x) // partner: whoever calls done
	return x
}

// Again makes x, whose operation has ended and whose done was called, good for
// another one of the same attachment.
//
//go:norace
func (x *Async[T]) Again() {
	x.c.mu.Lock()
	a, end := x.w.att, x.w.own.Notify
	x.w, x.f = waiter[T]{att: a, firm: true}, full[T]{}
	x.w.full, x.f.tk = &x.f, &x.f.own
	x.w.own.Notify = end
	x.Unready, x.waited = false, false
	x.turn++
	x.c.mu.Unlock()
	hb.Release(x) // partner: whoever calls done
}

// Turn is what CancelTurn wants to know of the operation that is begun next.
//
//go:norace
func (x *Async[T]) Turn() uint64 { return x.turn }

// end is called when a waiting operation was completed by another.
//
//go:norace
func (x *Async[T]) end() {
	hb.Acquire(x)
	if x.w.err == errUnready {
		x.w.err, x.Unready = nil, true
	}
	x.done()
}

// Sent returns how many values left custody, and why not all.
//
//go:norace
func (x *Async[T]) Sent() (int, error) { return x.w.n, x.w.err }

// Received returns what was received.
//
//go:norace
func (x *Async[T]) Received() ([]Got[T], error) {
	w := &x.w
	if w.vs == nil {
		return w.holds[:w.n], w.err
	}
	got := make([]Got[T], w.n)
	for i := range got {
		got[i].Val, got[i].Attempt = w.vs[i], 1
	}
	return got, w.err
}

// now ends an operation that did not have to wait. The lock is held.
//
//go:norace
func (x *Async[T]) now(o *after[T]) {
	x.w.done = true
	x.c.unlock(o)
	x.done()
}

// BeginSend sends vs in order. With try it does not wait for a receiver or a
// slot, only for a receiver elsewhere to confirm what it was handed.
//
//go:norace
func (x *Async[T]) BeginSend(vs []T, try bool) {
	var o after[T]
	c, w := x.c, &x.w
	w.kind, w.try = send, try
	c.lockWide()
	if err := c.refuseSend(w.att); err != nil || len(vs) == 0 {
		w.err = err
		x.now(&o)
		return
	}
	if c.jam() {
		c.serve(&o)
	}
	w.val, w.vs = vs[0], vs[1:]
	if try {
		w.vs = nil // a try is of one value
		x.trySend(&o)
		return
	}
	if c.present(w, &o) {
		x.now(&o)
		return
	}
	c.unlock(&o)
}

//go:norace
func (x *Async[T]) trySend(o *after[T]) {
	c, w := x.c, &x.w
	switch {
	case c.behind():
		c.courting.trying = append(c.courting.trying, w)
		c.unlock(o)
	case c.tries(w, o):
		c.unlock(o)
	default:
		x.Unready = w.err != nil
		w.err = nil
		x.now(o)
	}
}

// tries offers the value of w, a send that tries. It reports whether w waits, for the
// answer of the receiver elsewhere that has it; else w has sent, or is unready.
//
//go:norace
func (c *Chan[T]) tries(w *waiter[T], o *after[T]) (waits bool) {
	if c.offer(w.val, nil, o) {
		w.n++
		return false
	}
	if r := c.firstPlain(); r != nil {
		r.remove()
		c.handBare(w, r, o)
		return true
	}
	w.err = errUnready
	return false
}

// triesOn is tries for a send that has waited, in vain until now.
//
//go:norace
func (c *Chan[T]) triesOn(w *waiter[T], o *after[T]) {
	if w.err = c.refuseSend(w.att); w.err != nil || !c.tries(w, o) {
		w.finish(o)
	}
}

// firstPlain wins the first waiting receiver if it stands for a plain receive.
//
//go:norace
func (c *Chan[T]) firstPlain() *waiter[T] {
	for r := c.recvq.head; r != nil; r = r.next {
		if r.state() != ticket.Waiting {
			continue
		}
		if plain, _ := r.wants(); plain && r.win() == ticket.Won {
			return r
		}
		return nil
	}
	return nil
}

// BeginTake takes up to most values and holds them, waiting for the first only.
// With unheard its receiver is elsewhere, and has a value only when Heard is
// called; with plain it stands for a plain receive elsewhere.
//
//go:norace
func (x *Async[T]) BeginTake(most int, try, plain, unheard bool) {
	x.begin(take, most, try, Got[T]{plain: plain, unheard: plain || unheard})
}

// BeginRecv takes and confirms up to most values, waiting for the first only.
//
//go:norace
func (x *Async[T]) BeginRecv(most int, try bool) { x.begin(recv, most, try, Got[T]{}) }

// BeginRecvInto is BeginRecv of what fits into room, where it does not have to tell of
// each value how often it was handed out: they are Values then, else Received.
//
//go:norace
func (x *Async[T]) BeginRecvInto(room []T, try bool) {
	var o after[T]
	c, w := x.c, &x.w
	c.lockWide()
	if try || len(room) < 2 || c.back.head != nil || w.att.gone {
		c.free()
		x.BeginRecv(len(room), try)
		return
	}
	if c.jam() {
		c.serve(&o)
	}
	w.kind, w.vs = recv, room
	var last outcome
	if w.n, last = c.pullMany(room, &o); w.n == 0 && last != drained {
		x.waited = true
		c.recvq.push(w)
		c.unlock(&o)
		return
	}
	if w.n == 0 {
		w.err = fault.ErrClosed
	}
	x.now(&o)
}

// Values are those received into the room of BeginRecvInto, nil if they are elsewhere:
// see Received. One that had to wait gets what else is there by now.
//
//go:norace
func (x *Async[T]) Values() []T {
	w := &x.w
	if w.vs == nil {
		return nil
	}
	if x.waited && w.err == nil && w.n < len(w.vs) {
		w.n += x.c.moreInto(w.att, w.vs[w.n:])
	}
	return w.vs[:w.n]
}

// begin receives; as is what each value's Got is before it is received.
//
//go:norace
func (x *Async[T]) begin(k kind, most int, try bool, as Got[T]) {
	var o after[T]
	c, w := x.c, &x.w
	w.kind = k
	c.lockWide()
	last := nothing
	if ready := min(most, c.ready()); ready > 1 {
		w.holds = make([]Got[T], 0, ready)
	}
	for w.n < most {
		if k == recv && c.drainable() {
			if !x.drain(most-w.n, &o) {
				last = nothing
				break
			}
			continue
		}
		g := as
		if last = c.begin(w.att, k == take, &g, &o); last != pulled {
			w.err = g.Err
			break
		}
		w.holds = append(w.holds, g)
		w.n++
	}
	if w.n > 0 {
		w.err = nil
	}
	if try && w.n == 0 && last == nothing && most > 0 && c.courtable(w) {
		w.holds = []Got[T]{as}
		w.tries(c)
		c.recvq.push(w)
		c.unlock(&o)
		return
	}
	if w.n > 0 || last == drained || try || most <= 0 {
		x.Unready = w.n == 0 && w.err == nil
		x.now(&o)
		return
	}
	if k == recv && most > 1 {
		w.vs = make([]T, min(most, mostWaiting))
	} else {
		w.holds = []Got[T]{as}
	}
	c.recvq.push(w)
	c.unlock(&o)
}

// mostWaiting bounds what one receive that waits for many gets room for.
const mostWaiting = 4096

// drain takes what the first sender has, at most so many, which has its turn for all
// of them. It reports false if there is none to be had.
//
//go:norace
func (x *Async[T]) drain(most int, o *after[T]) bool {
	s := x.c.sendq.firstWon()
	if s == nil {
		return false
	}
	values := make([]T, min(most, 1+len(s.vs)))
	for _, v := range values[:x.c.drain(s, values, o)] {
		x.w.holds = append(x.w.holds, Got[T]{Val: v, Attempt: 1})
		x.w.n++
	}
	return true
}

// BeginStop ends when the senders are asked to end.
//
//go:norace
func (x *Async[T]) BeginStop() {
	var o after[T]
	c, w := x.c, &x.w
	w.kind = stop
	c.lockWide()
	switch {
	case w.att.gone:
		w.err = fault.ErrDetached
		x.now(&o)
	case c.stopped:
		x.now(&o)
	default:
		c.stopq.push(w)
		c.unlock(&o)
	}
}

// Cancel ends the operation because of cause, unless it has ended. A send whose
// value is held ends with cause and ErrInDoubt; one whose value is on its way to
// a receiver elsewhere ends when it is known whether it came.
//
//go:norace
func (x *Async[T]) Cancel(cause error) { x.CancelTurn(x.turn, cause) }

// CancelTurn is Cancel of an operation of an Async that is used again: if it has
// ended nothing happens, even if another one is under way.
//
//go:norace
func (x *Async[T]) CancelTurn(turn uint64, cause error) {
	var o after[T]
	c, w := x.c, &x.w
	c.lockWide()
	if x.turn != turn || w.done || w.leaves {
		c.free()
		return
	}
	if p := w.parcel; p != nil && p.where == inHand && p.unheard {
		w.leaves, w.err = true, cause
		c.free()
		return
	}
	c.giveUpOpen(w, cause, &o)
	x.now(&o)
}
