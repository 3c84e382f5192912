package web

import (
	"context"
	"errors"
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/fault"
)

// Why an operation ends early: its client cancelled it, or its time is over.
var (
	errCancelled = errors.New("cancelled by its client")
	errLate      = fault.Because(fault.ErrTimeout, "nobody met it")
)

const (
	// cancelGrace is how long an operation whose value is in somebody's hands is
	// waited for once its time is over.
	cancelGrace = time.Second
	// beatTime is between two signs of life to a client that waits.
	beatTime = 15 * time.Second
)

// running is an operation under way.
type running struct {
	ch   driver.Channel
	op   *driver.Op
	done chan struct{}
}

// start begins op on ch.
func start(ch driver.Channel, op *driver.Op) *running {
	if e, ok := ch.(*end); ok {
		ch = e.Channel
	}
	r := &running{ch, op, make(chan struct{})}
	op.OnFinish(func(*driver.Op) { close(r.done) })
	ch.Start(op)
	return r
}

// wait waits for the end of r. When ctx ends or limit, if not nil, is over, r ends
// because of that, unless it took effect before; its results are then as it left
// them. After an error that is in doubt they must not be looked at.
func (r *running) wait(ctx context.Context, limit *span, beat func() error) error {
	var late, tick <-chan time.Time
	if limit != nil && !r.op.Try {
		timer := time.NewTimer(time.Duration(*limit))
		defer timer.Stop()
		late = timer.C
	}
	if beat != nil {
		ticker := time.NewTicker(beatTime)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-r.done:
			return r.op.Err
		case <-ctx.Done():
			return r.cancel(context.Cause(ctx))
		case <-late:
			return r.cancel(errLate)
		case <-tick:
			if err := beat(); err != nil {
				return r.cancel(err)
			}
		}
	}
}

// cancel ends r because of why.
func (r *running) cancel(why error) error {
	r.ch.Cancel(r.op, why)
	if r.op.Kind == driver.OpTake {
		<-r.done // at once
		return r.op.Err
	}
	grace := time.NewTimer(cancelGrace)
	defer grace.Stop()
	select {
	case <-r.done:
		return r.op.Err
	case <-grace.C:
		return fault.Doubtful(why)
	}
}
