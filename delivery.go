package handoff

import (
	"time"

	"github.com/handoff-go/handoff/driver"
	"github.com/handoff-go/handoff/internal/engine"
)

// Header is what travels beside a value. See WithHeader. It must not be changed.
type Header map[string]string

// Delivery is a value that was taken and is held until it is settled, once, by
// Done, Return, ReturnAfter or Reject. It is a small value and may be copied and
// passed on; settling any copy settles all, and every later settlement returns
// ErrSettled. So does settling the zero Delivery.
type Delivery[T any] struct {
	Value   T
	Attempt int    // 1 the first time, more after every return
	Header  Header // nil if there is none

	at   *attachment[T]
	here engine.Hold[T] // in this process
	far  driver.Hold    // on a medium
}

func (at *attachment[T]) delivery(g *engine.Got[T]) Delivery[T] {
	return Delivery[T]{Value: g.Val, Attempt: g.Attempt, Header: g.Header, at: at, here: g.Hold}
}

// Done confirms the value: custody is the caller's. Its slot is free, or its
// sender's Send returns nil. On a remote medium an error other than ErrSettled
// leaves the hold as it is, or, being ErrInDoubt too, its settlement unknown.
func (d Delivery[T]) Done() error {
	if d.at.isFar() {
		return d.at.fail("done", d.at.settleFar(driver.OpDone, d.far, 0, ""))
	}
	return d.at.fail("done", d.here.Done())
}

// Return gives the value back to the place its send order gave it, for another
// receiver. The value returns as it was taken; changes to d.Value are not seen.
//
// If its sender gave up in the meantime, Return gets ErrAbandoned and the value
// stays with the caller. If the channel was closed and the value had no slot, it
// goes home to its sender. If its attempts are exhausted (MaxAttempts) it is
// rejected instead; ErrFull then means that the dead letter has no room and that
// the hold goes on.
func (d Delivery[T]) Return() error { return d.ReturnAfter(0) }

// ReturnAfter is Return, but the value is not offered again before delay is
// over. Values behind it may be taken meanwhile.
func (d Delivery[T]) ReturnAfter(delay time.Duration) error {
	if d.at.isFar() {
		return d.at.fail("return", d.at.settleFar(driver.OpReturn, d.far, delay, ""))
	}
	return d.at.fail("return", d.here.Return(delay))
}

// Reject refuses the value for reason. A sender that still waits for it gets
// ErrRejected and has custody again. A value in a slot goes to the dead letter;
// where there is none it is dropped, which an event tells. ErrFull means that the
// dead letter has no room and that the hold goes on. If the sender gave up in
// the meantime and there is no dead letter, it is ErrAbandoned.
func (d Delivery[T]) Reject(reason string) error {
	if d.at.isFar() {
		return d.at.fail("reject", d.at.settleFar(driver.OpReject, d.far, 0, reason))
	}
	return d.at.fail("reject", d.here.Reject(reason))
}

// Extend lets the hold last until by has passed from now; if by is not positive,
// until MaxHold has. A hold without bound stays so. Once the delivery is settled,
// or its hold is over, it returns ErrSettled.
func (d Delivery[T]) Extend(by time.Duration) error {
	if d.at.isFar() {
		return d.at.fail("extend", d.at.settleFar(driver.OpExtend, d.far, by, ""))
	}
	return d.at.fail("extend", d.here.Extend(by))
}

func (at *attachment[T]) isFar() bool { return at != nil && at.far != nil }
