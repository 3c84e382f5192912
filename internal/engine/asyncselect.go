package engine

import (
	"sync/atomic"

	"github.com/handoff-go/handoff/internal/hb"
	"github.com/handoff-go/handoff/internal/ticket"
)

// AsyncSelect is a select that waits without a goroutine: a home decides the
// selects of others with it. Make one with NewAsyncSelect, begin it once, and
// throw it away. Done is called exactly once, with no lock held, possibly before
// Begin returns; only then may the results be read.
//
// Its cases are channel cases and After cases that are ready at once. The
// callback of the chosen one has run when Done is called.
//
// A send case that met a receiver elsewhere is chosen only once that receiver is
// known to have the value. If it turns out that it gave up before the value came,
// nothing was chosen: the turn is begun again, each case in the place in its
// queue that it had before.
type AsyncSelect struct {
	s     Select
	done  func()
	first bool
	offer *Offer // if it is decided elsewhere

	// rings counts what has happened and is not looked at yet. Whoever raises it
	// from zero looks, until it is zero again; everything but rings and quit
	// belongs to him.
	rings atomic.Int32
	quit  atomic.Pointer[quitting] // stored before rings is raised, loaded after
	over  bool

	again atomic.Bool // what a turn beside a Default waits for has been answered; stored before rings is raised, loaded after

	chosen int
	err    error
}

// quitting is why a select is to end.
type quitting struct {
	cause error
	soft  bool // only if no case is chosen
}

// NewAsyncSelect returns a select over cases whose end is told to done.
//
//go:norace
func NewAsyncSelect(cases []Case, done func()) *AsyncSelect {
	x := &AsyncSelect{done: done, chosen: -1}
	x.rings.Store(1) // until Begin has looked
	x.s.Init(cases)
	for _, l := range x.s.chans {
		l.setAgain()
	}
	x.s.tk.Notify = x.ring
	return x
}

// Begin looks at the cases and, if none is ready, waits for one; with a Default
// among them that is chosen instead. With first the first in order is chosen of
// those found ready, else any.
//
//go:norace
func (x *AsyncSelect) Begin(first bool) {
	hb.Release(x) // partner: whoever calls done
	x.first = first
	x.s.arrange(first)
	if !first {
		for k := range x.s.order {
			x.s.draw(k)
		}
	}
	x.s.lockAll()
	x.s.inOrder(lockable.stamp)
	x.s.unlockAll()
	x.turn()
	x.settle()
}

// Chosen returns the index of the case that was chosen and how it ended, or -1
// and why none was.
//
//go:norace
func (x *AsyncSelect) Chosen() (int, error) { return x.chosen, x.err }

// Cancel ends the select because of cause, unless it has ended. With soft it does
// so only while no case is chosen. A send that is chosen and held ends with cause
// and ErrInDoubt; one whose value is on its way to a receiver elsewhere ends when
// it is known whether it came. The first call counts, but a soft one not against
// one that is not.
//
//go:norace
func (x *AsyncSelect) Cancel(cause error, soft bool) {
	q := &quitting{cause, soft}
	if !x.quit.CompareAndSwap(nil, q) && !soft {
		if was := x.quit.Load(); was.soft {
			x.quit.CompareAndSwap(was, q)
		}
	}
	x.ring()
}

// ring is told that something has happened: the turn is over, a claim was
// released, or somebody wants the select to end. No lock is held.
//
//go:norace
func (x *AsyncSelect) ring() {
	if x.rings.Add(1) == 1 {
		hb.Acquire(x)
		x.settle()
	}
}

// settle does what there is to do, until nothing has happened meanwhile.
//
//go:norace
func (x *AsyncSelect) settle() {
	for {
		n := x.rings.Load()
		if x.offer != nil {
			x.stand()
		}
		if !x.over {
			x.step()
		}
		if x.rings.CompareAndSwap(n, 0) {
			return
		}
	}
}

//go:norace
func (x *AsyncSelect) step() {
	quit := x.quit.Load()
	switch {
	case x.s.tk.Over():
		x.turnOver(quit)
	case quit != nil && x.s.tk.Abort():
		x.leave()
		x.finish(-1, quit.cause)
	case quit != nil && !quit.soft && x.s.tk.State() == ticket.Synced:
		x.abandon(quit.cause)
	case x.again.Swap(false) && x.s.tk.Abort():
		x.leave()
		x.turn()
	case x.s.tk.State() == ticket.Waiting:
		x.s.reconsider()
		x.s.tk.Looked()
	}
}

// turn looks at the cases once and puts them into their queues if none is ready.
//
//go:norace
func (x *AsyncSelect) turn() {
	s := &x.s
	for _, l := range s.chans {
		l.clear()
		l.begin(s, nil)
	}
	s.arrange(x.first)
	s.tk.Reset()
	s.lockAll()
	i, v := s.look(x.first)
	if v == unready && s.hasDefault() && !x.lingers() {
		i, v = s.fallback.i, committed
	}
	if v == unready {
		s.enqueue()
		s.flush()
	} else {
		s.unlockAll()
	}
	if v == committed {
		x.finish(i, nil)
	}
}

// lingers reports whether a case that is not ready may still be brought a value by
// a match. All locks are held.
//
//go:norace
func (x *AsyncSelect) lingers() bool {
	may := false
	for _, l := range x.s.chans {
		may = l.lingers(x) || may
	}
	return may
}

// turnOver ends the select, or begins it again if the case that was to be chosen
// came to nothing.
//
//go:norace
func (x *AsyncSelect) turnOver(quit *quitting) {
	x.leave()
	i := x.s.tk.Winner()
	failed := x.s.cases[i].(lockable).failure()
	switch {
	case quit != nil && (failed == errUnready || failed == quit.cause):
		x.finish(-1, quit.cause)
	case failed == errUnready:
		if x.offer != nil {
			x.offer.letGo()
		}
		x.turn()
	default:
		x.finish(i, nil)
	}
}

// leave takes the cases out of their queues.
//
//go:norace
func (x *AsyncSelect) leave() {
	for _, l := range x.s.chans {
		l.leave()
	}
}

// abandon leaves the send that is chosen and not settled, for cause. While it is
// not known whether its receiver has the value, it stays until that is known.
//
//go:norace
func (x *AsyncSelect) abandon(cause error) {
	s := &x.s
	chosen := -1
	s.lockAll()
	for _, l := range s.chans {
		if !l.leaving(cause) && l.held(cause) {
			chosen = l.index()
		}
	}
	s.unlockAll()
	if chosen >= 0 {
		x.leave()
		x.finish(chosen, nil)
	}
}

// finish ends the select with case i, or none and err.
//
//go:norace
func (x *AsyncSelect) finish(i int, err error) {
	x.over = true
	if x.offer != nil {
		for _, l := range x.s.chans {
			l.part()
		}
	}
	x.s.clear(i)
	if i >= 0 {
		err = x.s.cases[i].finish()
	}
	x.chosen, x.err = i, err
	x.done()
}
