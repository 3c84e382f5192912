package handoff

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// An operation on a medium in memory mostly ends while it is started. Then there is
// nothing to wait with, and what it was made of is used again.

// wait is how the end of one operation is awaited.
type wait struct {
	// state is moved once by Start's caller, from begun to awaited, and once by
	// Finish, to ended: whoever comes second knows of the other.
	state atomic.Uint32
	over  chan struct{} // made before state is awaited, closed by Finish if it was
}

const (
	begun uint32 = iota
	awaited
	ended
)

// finish is for Op.OnFinish.
func (w *wait) finish(*driver.Op) {
	if w.state.Swap(ended) == awaited {
		close(w.over)
	}
}

// needed reports whether the operation has not ended; over will then be closed.
func (w *wait) needed() bool {
	if w.state.Load() == ended {
		return false
	}
	w.over = make(chan struct{}) // on this side of a bubble, see park
	return w.state.CompareAndSwap(begun, awaited)
}

// run starts op and waits for its end. When ctx ends or timeout, if positive, is
// over, the medium is asked to end op because of that, and has the last word.
func (l *link) run(ctx context.Context, op *driver.Op, timeout time.Duration, late error) error {
	w := new(wait)
	op.OnFinish(w.finish)
	_, err := l.await(ctx, op, w, timeout, late)
	return err
}

// await is run with w. It reports whether the op ended while it was started.
func (l *link) await(ctx context.Context, op *driver.Op, w *wait, timeout time.Duration, late error) (atOnce bool, err error) {
	if ctx.Err() != nil {
		return false, fault.Cancelled(ctx)
	}
	l.ch.Start(op)
	if !w.needed() {
		return true, op.Err
	}
	var expired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-w.over:
	case <-ctx.Done():
		l.ch.Cancel(op, fault.Cancelled(ctx))
		<-w.over
	case <-expired:
		l.ch.Cancel(op, late)
		<-w.over
	}
	return false, op.Err
}

// call is run for operations without a context: one round trip, bounded by
// OpTimeout.
func (l *link) call(op *driver.Op) error {
	return l.run(context.Background(), op, l.opTimeout, ErrUnreachable)
}

// trip is an operation on one value, and what it needs.
type trip struct {
	wait
	op   driver.Op
	done func(*driver.Op) // wait.finish
	one  [1]driver.Item   // what is sent, or room for what is received
	room []byte           // for the value that is sent
}

var trips = sync.Pool{New: func() any {
	t := new(trip)
	t.done = t.wait.finish
	return t
}}

// maxRoom bounds what a trip that is not used keeps.
const maxRoom = 4 << 10

func newTrip(k driver.Kind, try bool) *trip {
	t := trips.Get().(*trip)
	t.op.Kind, t.op.Try = k, try
	t.op.OnFinish(t.done)
	return t
}

// run is link.run for t, or link.call if it tries. Unless the op ended while it was
// started t is not used again: a medium that was slow might still look at it.
func (t *trip) run(ctx context.Context, l *link, timeout time.Duration) (again bool, err error) {
	if t.op.Try {
		return l.await(context.Background(), &t.op, &t.wait, l.opTimeout, ErrUnreachable)
	}
	return l.await(ctx, &t.op, &t.wait, timeout, ErrTimeout)
}

// free gives t back. Nothing of it may be used any more.
func (t *trip) free() {
	if cap(t.room) > maxRoom {
		t.room = nil
	}
	t.op, t.one, t.over = driver.Op{}, [1]driver.Item{}, nil
	t.state.Store(begun)
	trips.Put(t)
}

// sendOne sends one value. n is 1 if it left custody.
func (at *attachment[T]) sendOne(ctx context.Context, v *T, try bool) (n int, err error) {
	if bad := at.bad(); bad != nil {
		return 0, bad
	}
	t := newTrip(driver.OpSend, try)
	if t.one[0], err = at.far.item(t.room[:0], headerOf(ctx), v); err != nil {
		t.free()
		return 0, err
	}
	t.room = t.one[0].Value[:0]
	t.op.Items = t.one[:]
	again, err := t.run(ctx, at.far.link, at.timeout)
	if n = t.op.N; again {
		t.free()
	}
	return n, err
}

// receiveOne receives one value into v. ok is false if there was none for a try.
func (at *attachment[T]) receiveOne(ctx context.Context, v *T, try bool) (ok bool, err error) {
	if bad := at.bad(); bad != nil {
		return false, bad
	}
	t := newTrip(driver.OpRecv, try)
	t.op.Max, t.op.Got = 1, t.one[:0]
	again, err := t.run(ctx, at.far.link, 0)
	switch {
	case err != nil || t.op.NotReady:
	case len(t.op.Got) == 0:
		err = errNothing
	default:
		err = at.decode(t.op.Got[0], v)
		ok = err == nil
	}
	if again {
		t.free()
	}
	return ok, err
}
