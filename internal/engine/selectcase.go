package engine

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/internal/fault"
	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// RecvCase receives and confirms. ok is false when the channel is closed.
type RecvCase[T any] struct {
	C  *Chan[T]
	A  *Attach
	Do func(g *Got[T], ok bool)
}

// TakeCase receives and holds. Plain and Unheard are those of BeginTake.
type TakeCase[T any] struct {
	C              *Chan[T]
	A              *Attach
	Do             func(g *Got[T], ok bool)
	Plain, Unheard bool
}

// SendCase sends *V, which is read when the select begins.
type SendCase[T any] struct {
	C  *Chan[T]
	A  *Attach
	V  *T
	Do func()
}

// StopCase is ready once the senders were asked to end.
type StopCase[T any] struct {
	C  *Chan[T]
	A  *Attach
	Do func(reason string)
}

//go:norace
func (k *RecvCase[T]) arm(s *Select, i int) armed {
	a := newChanCase(s, k.C, k.A, recv, i)
	a.got = k.Do
	return a
}

//go:norace
func (k *TakeCase[T]) arm(s *Select, i int) armed {
	a := newChanCase(s, k.C, k.A, take, i)
	a.got = k.Do
	a.plain, a.unheard = k.Plain, k.Plain || k.Unheard
	a.clear()
	return a
}

//go:norace
func (k *SendCase[T]) arm(s *Select, i int) armed {
	a := newChanCase(s, k.C, k.A, send, i)
	a.operand, a.sent = k.V, k.Do
	return a
}

//go:norace
func (k *StopCase[T]) arm(s *Select, i int) armed {
	a := newChanCase(s, k.C, k.A, stop, i)
	a.stopped = k.Do
	return a
}

// chanCase is a case on a channel of this engine, armed in one select.
type chanCase[T any] struct {
	c       *Chan[T] // c, o and off with w: a turn that ends elsewhere touches no more
	o       after[T]
	off     *bool
	w       waiter[T]
	f       full[T] // of w
	plain   bool    // for what is received, see Got
	unheard bool
	aloof   bool // it waits for nothing: its select lingers for another case
	operand *T
	got     func(g *Got[T], ok bool)
	sent    func()
	stopped func(reason string)
}

//go:norace
func newChanCase[T any](s *Select, c *Chan[T], a *Attach, k kind, i int) *chanCase[T] {
	c.lockWide()
	c.mu.Unlock()
	x := &chanCase[T]{c: c, off: &s.off[i]}
	x.w.full, x.f.tk = &x.f, &s.tk
	x.w.kind, x.w.att, x.w.idx = k, a, int32(i)
	return x
}

//go:norace
func (x *chanCase[T]) order() uint64 { return x.c.id }

//go:norace
func (x *chanCase[T]) inside() bool { return x.c.inside }

//go:norace
func (x *chanCase[T]) word() *atomic.Uint32 { return &x.c.mu.state }

//go:norace
func (x *chanCase[T]) lock() { x.c.mu.Lock() }

//go:norace
func (x *chanCase[T]) index() int { return int(x.w.idx) }

//go:norace
func (x *chanCase[T]) sends() bool { return x.operand != nil }

//go:norace
func (x *chanCase[T]) leave() {
	c := x.c
	c.mu.Lock()
	x.w.remove()
	if c.courting == nil {
		c.free()
		return
	}
	var o after[T]
	c.unlock(&o)
}

//go:norace
func (x *chanCase[T]) unlock() {
	x.c.attend(&x.o)
	x.c.free()
}

// flush does what this case collected. It must wait until no lock is held, the
// other channels' included.
//
//go:norace
func (x *chanCase[T]) flush() {
	if !x.o.empty() {
		o := x.o
		x.o = after[T]{}
		o.run()
	}
}

// begin reads the operand. What else a turn begins with is what clear left.
//
//go:norace
func (x *chanCase[T]) begin(_ *Select, h Header) {
	if x.operand != nil {
		x.w.val, x.w.header = *x.operand, h
	}
}

//go:norace
func (x *chanCase[T]) clear() {
	w := &x.w
	w.done, w.try, w.parcel, w.err = false, false, nil, nil
	x.aloof = false
	var zero T
	switch w.kind {
	case send:
		w.val, w.header = zero, nil
	case recv:
		w.got.Val, w.got.Header, w.got.Attempt = zero, nil, 0
	case take:
		w.got = Got[T]{plain: x.plain, unheard: x.unheard}
	}
}

//go:norace
func (x *chanCase[T]) enqueue() {
	if *x.off || x.aloof {
		return
	}
	q := x.queue()
	if x.w.again {
		q.insert(&x.w)
	} else {
		q.push(&x.w)
	}
}

//go:norace
func (x *chanCase[T]) enter() {
	x.enqueue()
	x.c.free()
}

// queue is where the case waits.
//
//go:norace
func (x *chanCase[T]) queue() *queue[T] {
	switch x.w.kind {
	case send:
		return &x.c.sendq
	case stop:
		return &x.c.stopq
	}
	return &x.c.recvq
}

//go:norace
func (x *chanCase[T]) try(s *Select) (v verdict) {
	switch x.w.kind {
	case send:
		v = x.trySend(s)
	case stop:
		v = x.tryStop()
	default:
		if x.c.begin(x.w.att, x.w.kind == take, &x.w.got, &x.o) != nothing {
			x.w.err, x.w.got.Err = x.w.got.Err, nil
			return committed
		}
	}
	if v == unready && !x.o.empty() {
		s.stirred = true
	}
	return v
}

// hints reads what the lock guards without it. Each word is what it was at some
// moment, and which of them belong together is not known, so the answer is a guess
// that nothing but speed may hang on.
//
//go:norace
func (x *chanCase[T]) hints() bool {
	if !guesses {
		return true
	}
	c, k := x.c, x.w.kind
	switch {
	case x.w.att.gone:
		return true // and fails
	case k == stop:
		return c.stopped
	case c.mode == calm && k == send:
		return c.used < c.slots
	case c.mode == calm:
		return c.n > 0
	case c.mode == receiving:
		return k == send
	case c.mode == sending:
		return k != send
	}
	return true
}

//go:norace
func (x *chanCase[T]) probe(s *Select) verdict {
	c := x.c
	c.mu.Lock()
	if x.short() {
		return committed
	}
	v := x.try(s)
	switch v {
	case unready:
		c.mu.Unlock()
		s.stirred = false
	case pending:
		s.prepareWait()
		c.free()
	default:
		c.free()
	}
	x.flush()
	return v
}

// short is the short way of a plain operation, for a case: see plain.go. The lock
// is held, and is freed if the case is complete.
//
//go:norace
func (x *chanCase[T]) short() bool {
	c, w := x.c, &x.w
	if w.att.gone {
		return false
	}
	switch w.kind {
	case send:
		return c.sendShort(&w.val, w.header)
	case recv:
		if c.recvShort(&w.got.Val, &w.got.Header) {
			w.got.Attempt = 1
			return true
		}
	}
	return false
}

// trySend is ready as a plain send would be. Beside a default it is a TrySend:
// a waiting Take counts only if a slot is free, since nothing may wait.
//
//go:norace
func (x *chanCase[T]) trySend(s *Select) verdict {
	c, w := x.c, &x.w
	if w.err = c.refuseSend(w.att); w.err != nil {
		return committed
	}
	if w.asleep {
		return unready
	}
	if c.jam() {
		c.serve(&x.o)
	}
	if s.hasDefault() && c.behind() {
		return unready // it lingers
	}
	if c.offer(w.val, w.header, &x.o) {
		return committed
	}
	if s.hasDefault() {
		if r := c.firstPlain(); r != nil {
			w.try = true // if that comes to nothing the default is chosen
			r.remove()
			c.handBare(w, r, &x.o)
			return pending
		}
		return unready
	}
	r := c.firstFree()
	switch {
	case r == nil:
		return unready
	case r.kind == take:
		c.handBare(w, r, &x.o)
		return pending
	}
	c.deliver(r, w.val, w.header, &x.o)
	return committed
}

//go:norace
func (x *chanCase[T]) tryStop() verdict {
	if x.w.att.gone {
		x.w.err = fault.ErrDetached
		return committed
	}
	if x.c.stopped {
		hb.Acquire(&x.c.stopped)
		return committed
	}
	return unready
}

// retry is try for a case whose ticket others may want too.
//
//go:norace
func (x *chanCase[T]) retry() {
	c, w := x.c, &x.w
	if w.in == nil {
		return
	}
	if !w.att.gone && (w.kind != stop || !c.stopped) {
		c.serve(&x.o)
		return
	}
	if w.winAnyway() != ticket.Won {
		return
	}
	w.remove()
	if w.att.gone {
		w.err = fault.ErrDetached
	}
	w.finish(&x.o)
}

//go:norace
func (x *chanCase[T]) held(cause error) bool {
	if x.w.done || x.w.parcel == nil {
		return false
	}
	x.c.giveUpOpen(&x.w, cause, &x.o)
	return true
}

// setAgain makes it a case of an AsyncSelect.
//
//go:norace
func (x *chanCase[T]) setAgain() { x.w.again = true }

// stamp gives it its place in its queue. The lock is held.
//
//go:norace
func (x *chanCase[T]) stamp() {
	q := x.queue()
	q.last++
	x.w.stamp = q.last
}

// failure is the outcome of a case whose turn is over.
//
//go:norace
func (x *chanCase[T]) failure() error { return x.w.err }

// leaving has a send that is chosen, and whose value is on its way to a receiver
// elsewhere, end for cause as soon as it is known where that is. It reports
// whether there is such a send. The lock is held.
//
//go:norace
func (x *chanCase[T]) leaving(cause error) bool {
	p := x.w.parcel
	if x.w.done || p == nil || p.where != inHand || !p.unheard {
		return false
	}
	x.w.leaves, x.w.err = true, cause
	return true
}

//go:norace
func (x *chanCase[T]) finish() error {
	hb.Acquire(&x.w)
	defer x.clear() // it may panic
	g, err := &x.w.got, x.w.err
	switch {
	case x.w.kind == send:
		if err == nil && x.sent != nil {
			x.sent()
		}
	case x.w.kind == stop:
		if err == nil && x.stopped != nil {
			reason, _ := x.c.Stopped()
			x.stopped(reason)
		}
	case err == nil:
		if x.got != nil {
			x.got(g, true)
		}
	case errors.Is(err, fault.ErrClosed):
		if x.got != nil {
			x.got(&Got[T]{}, false)
		}
		return nil
	}
	return err
}

// timerCase is ready after d.
type timerCase struct {
	i  int
	d  time.Duration
	do func()
}

// After is a case that is ready once d has passed since the select began.
type After struct {
	D  time.Duration
	Do func()
}

//go:norace
func (k After) arm(_ *Select, i int) armed { return &timerCase{i, k.D, k.Do} }

//go:norace
func (t *timerCase) begin(*Select, Header) {}

//go:norace
func (t *timerCase) try(*Select) verdict {
	if t.d <= 0 {
		return committed
	}
	return unready
}

//go:norace
func (t *timerCase) finish() error { return call(t.do) }

// defaultCase is chosen when nothing else is ready.
type defaultCase struct {
	i  int
	do func()
}

// Default is a case chosen when at one moment no other was ready.
type Default struct{ Do func() }

//go:norace
func (k Default) arm(_ *Select, i int) armed { return &defaultCase{i, k.Do} }

//go:norace
func (d *defaultCase) begin(*Select, Header) {}

//go:norace
func (d *defaultCase) try(*Select) verdict { return unready }

//go:norace
func (d *defaultCase) finish() error { return call(d.do) }

//go:norace
func (s *Select) hasDefault() bool {
	return s.beside || s.fallback != nil && !s.off[s.fallback.i]
}

// foreignCase is a case on another medium.
type foreignCase struct {
	i       int
	foreign Foreign
}

// ForeignCase makes a case of f.
type ForeignCase struct{ F Foreign }

//go:norace
func (k ForeignCase) arm(_ *Select, i int) armed { return &foreignCase{i, k.F} }

//go:norace
func (f *foreignCase) begin(*Select, Header) {}

//go:norace
func (f *foreignCase) try(*Select) verdict { return unready }

//go:norace
func (f *foreignCase) finish() error { return f.foreign.Finish() }

//go:norace
func call(do func()) error {
	if do != nil {
		do()
	}
	return nil
}
