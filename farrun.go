package handoff

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// running is an operation of a medium for as long as its caller waits for it, with
// memory that the next one has again. No channel is among that: what was made in a
// synctest bubble must not be seen outside of it.
type running struct {
	op driver.Op
	ending
	told  func(*driver.Op) // finished, made once
	items []driver.Item    // of op
	room  []byte           // their values, as far as they fit
}

// ending is how the caller of an operation hears that it has finished.
type ending struct{ bell atomic.Pointer[bell] }

// bell is what somebody waits for. Who finishes the operation swaps over in, and who
// waits for it puts his bell there if it was not.
type bell struct{ over chan struct{} }

// over is the bell of an operation that has finished.
var over = &bell{}

var runs = sync.Pool{New: func() any {
	r := &running{}
	r.told = r.finished
	return r
}}

// newRun returns an operation of kind k, for the caller to run and to put away.
func newRun(k driver.Kind) *running {
	r := runs.Get().(*running)
	got := r.op.Got
	r.op = driver.Op{Kind: k, Got: got[:0]}
	return r
}

// The most that is kept for the next operation.
const (
	keepItems = 256
	keepRoom  = encodeRoom
)

// putAway ends the use of r, whose operation has finished.
func (r *running) putAway() {
	r.items = reused(r.items)
	got := reused(r.op.Got)
	r.op = driver.Op{Got: got}
	if cap(r.room) > keepRoom {
		r.room = nil
	}
	runs.Put(r)
}

// reused is the room of items, empty, if it is worth to be kept.
func reused(items []driver.Item) []driver.Item {
	if cap(items) > keepItems {
		return nil
	}
	clear(items)
	return items[:0]
}

// finished is told by the medium.
func (e *ending) finished(*driver.Op) {
	if b := e.bell.Swap(over); b != nil {
		close(b.over)
	}
}

// wait returns what is closed when the operation has finished, or nil if it has.
func (e *ending) wait() <-chan struct{} {
	if e.bell.Load() == over {
		return nil
	}
	b := &bell{make(chan struct{})}
	if !e.bell.CompareAndSwap(nil, b) {
		return nil
	}
	return b.over
}

// run starts op and waits for its end. When ctx ends or timeout, if positive, is
// over, the medium is asked to end op because of that, and has the last word.
func (l *link) run(ctx context.Context, op *driver.Op, timeout time.Duration, late error) error {
	e := &ending{}
	op.OnFinish(e.finished)
	return l.await(ctx, op, e, timeout, late)
}

// run is link.run of r's operation.
func (r *running) run(ctx context.Context, l *link, timeout time.Duration, late error) error {
	r.bell.Store(nil)
	r.op.OnFinish(r.told)
	return l.await(ctx, &r.op, &r.ending, timeout, late)
}

// await starts op, whose end is told to e, and waits for that.
func (l *link) await(ctx context.Context, op *driver.Op, e *ending, timeout time.Duration, late error) error {
	if ctx.Err() != nil {
		return fault.Cancelled(ctx)
	}
	var due time.Time
	if timeout > 0 {
		due = time.Now().Add(timeout)
	}
	if l.performer != nil {
		l.performer.Perform(ctx, op, timeout)
	} else {
		l.ch.Start(op)
	}
	done := e.wait()
	if done == nil {
		return op.Err
	}
	var expired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(time.Until(due)) // at once, if that is over
		defer timer.Stop()
		expired = timer.C
	}
	ended := ctx.Done()
	if ended == nil && expired == nil {
		<-done
		return op.Err
	}
	select {
	case <-done:
	case <-ended:
		l.ch.Cancel(op, fault.Cancelled(ctx))
		<-done
	case <-expired:
		l.ch.Cancel(op, late)
		<-done
	}
	return op.Err
}

// call is run for operations without a context: one round trip, bounded by
// OpTimeout.
func (r *running) call(l *link) error {
	return r.run(context.Background(), l, l.opTimeout, ErrUnreachable)
}
