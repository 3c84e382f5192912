package handoff

import (
	"errors"

	"github.com/handoff-go/handoff/internal/fault"
)

// The errors, for errors.Is. Unless it says otherwise, an error of a send means
// that the value is still the caller's and will not arrive.
var (
	// ErrClosed: the channel is closed. For a receiver it also means that every
	// value was confirmed and none can come back.
	ErrClosed = fault.ErrClosed
	// ErrInDoubt: the value may or may not have arrived, or may yet. It is the
	// one error after which the caller does not know who has custody.
	ErrInDoubt = fault.ErrInDoubt
	// ErrRejected: a receiver took the value and refused it.
	ErrRejected = fault.ErrRejected
	// ErrAbandoned: the sender of the held value gave up; the holder keeps it.
	ErrAbandoned = fault.ErrAbandoned
	// ErrSettled: the delivery was settled before, or its hold is over.
	ErrSettled = fault.ErrSettled
	// ErrContended: a select over several homes could not get one view of them.
	ErrContended = fault.ErrContended
	// ErrTimeout: nobody met the send within SendTimeout.
	ErrTimeout = fault.ErrTimeout
	// ErrUnreachable: the channel's home does not answer; nothing has left.
	ErrUnreachable = fault.ErrUnreachable
	// ErrUnsupported: the medium cannot do this and does not pretend to.
	ErrUnsupported = fault.ErrUnsupported
	// ErrTooLarge: the value exceeds MaxValue.
	ErrTooLarge = fault.ErrTooLarge
	// ErrTypeMismatch: the channel carries another type or encoding.
	ErrTypeMismatch = fault.ErrTypeMismatch
	// ErrConflict: an option or URL parameter is unknown, wrong, or contradicts
	// the channel as it exists.
	ErrConflict = fault.ErrConflict
	// ErrNotFound: there is no such channel, or no such medium.
	ErrNotFound = fault.ErrNotFound
	// ErrFull: the dead letter has no room, and the hold goes on; or, at open, the
	// home is at its limits.
	ErrFull = fault.ErrFull
	// ErrDenied: the medium refuses the right that was asked for.
	ErrDenied = fault.ErrDenied
	// ErrDetached: this attachment has ended.
	ErrDetached = fault.ErrDetached
)

// OpError is the error every operation returns: what was tried, on which
// channel, and why it failed. It may be shared, and must not be changed.
type OpError struct {
	Op      string // "send", "recv", "open", ...
	Channel string // name or URL, "" for a channel without a name
	Err     error
}

func (e *OpError) Error() string {
	if e.Channel == "" {
		return "handoff: " + e.Op + ": " + e.Err.Error()
	}
	return "handoff: " + e.Op + " " + e.Channel + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Reason returns the words a receiver gave for an ErrRejected, or those any
// other error of this package was explained with; "" if there are none.
func Reason(err error) string { return fault.Reason(err) }

// fail wraps err, unless it is nil.
func (at *attachment[T]) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	if err == ErrClosed && op == "recv" && at != nil && at.about == nil {
		return recvClosed
	}
	return &OpError{op, at.title(), err}
}

// recvClosed is the end of most channels, which nobody should pay for.
var recvClosed = &OpError{"recv", "", ErrClosed}

func opError(op, channel string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*OpError](err); ok && e.Channel == channel {
		return err
	}
	return &OpError{op, channel, err}
}
