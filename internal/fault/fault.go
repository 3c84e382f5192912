// Package fault holds the error values that every layer shares.
//
// They live below both the root package and driver, so that a medium can
// return the very value a user compares against with errors.Is without
// importing the root. The root and driver re-export them under the same names.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// The sentinels. What each one promises about custody is documented where the
// root package exports it.
var (
	ErrClosed       = errors.New("channel is closed")
	ErrInDoubt      = errors.New("outcome in doubt: the value may or may not have arrived")
	ErrRejected     = errors.New("value rejected by its receiver")
	ErrAbandoned    = errors.New("the sender of the held value has given up; the value stays with its holder")
	ErrSettled      = errors.New("delivery already settled")
	ErrContended    = errors.New("too contended to decide")
	ErrTimeout      = errors.New("timed out")
	ErrUnreachable  = errors.New("home unreachable")
	ErrUnsupported  = errors.New("not supported by this medium")
	ErrTooLarge     = errors.New("value too large")
	ErrTypeMismatch = errors.New("value type does not match the channel")
	ErrConflict     = errors.New("conflict")
	ErrNotFound     = errors.New("no such channel")
	ErrFull         = errors.New("channel is full")
	ErrDenied       = errors.New("access denied")
	ErrDetached     = errors.New("attachment is detached")
)

// Cancelled returns the error of an operation ended by ctx: to errors.Is it is
// both ctx.Err() and context.Cause(ctx).
func Cancelled(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); cause != nil && cause != err {
		return &both{err, cause}
	}
	return err
}

// Doubtful returns an error that is cause and ErrInDoubt at once: the operation
// ended for cause while its value was in somebody else's hands.
func Doubtful(cause error) error { return &both{cause, ErrInDoubt} }

// Because wraps one of the sentinels with a reason in plain words.
func Because(sentinel error, format string, args ...any) error {
	return &reasoned{err: sentinel, reason: fmt.Sprintf(format, args...)}
}

// Malformed is ErrConflict of a URL or an option that could not be meant, whatever
// there is: its text is the reason alone, as nothing was contradicted.
func Malformed(format string, args ...any) error {
	return &reasoned{ErrConflict, fmt.Sprintf(format, args...), true}
}

// IsMalformed reports whether err was made by Malformed.
func IsMalformed(err error) bool {
	r, ok := errors.AsType[*reasoned](err)
	return ok && r.malformed
}

// both is two errors at once.
type both struct{ first, second error }

func (e *both) Error() string   { return e.first.Error() + ": " + e.second.Error() }
func (e *both) Unwrap() []error { return []error{e.first, e.second} }

// reasoned is a sentinel with the reason of this one occurrence.
type reasoned struct {
	err       error
	reason    string
	malformed bool
}

func (e *reasoned) Error() string {
	if e.malformed {
		return e.reason
	}
	return e.err.Error() + ": " + e.reason
}

func (e *reasoned) Unwrap() error { return e.err }

// Reason returns the words Because attached to err, or "".
func Reason(err error) string {
	if r, ok := errors.AsType[*reasoned](err); ok {
		return r.reason
	}
	return ""
}
