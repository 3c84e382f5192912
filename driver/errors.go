package driver

import "github.com/handoff-go/handoff/internal/fault"

// The sentinels a medium returns. The root package re-exports them.
var (
	ErrClosed       = fault.ErrClosed
	ErrInDoubt      = fault.ErrInDoubt
	ErrRejected     = fault.ErrRejected
	ErrAbandoned    = fault.ErrAbandoned
	ErrSettled      = fault.ErrSettled
	ErrContended    = fault.ErrContended
	ErrTimeout      = fault.ErrTimeout
	ErrUnreachable  = fault.ErrUnreachable
	ErrUnsupported  = fault.ErrUnsupported
	ErrTooLarge     = fault.ErrTooLarge
	ErrTypeMismatch = fault.ErrTypeMismatch
	ErrConflict     = fault.ErrConflict
	ErrNotFound     = fault.ErrNotFound
	ErrFull         = fault.ErrFull
	ErrDenied       = fault.ErrDenied
	ErrDetached     = fault.ErrDetached
)

// Because returns a sentinel with the reason of this one occurrence, in plain
// words. The reason given to an OpReject must reach the sender in this way: as
// Because(ErrRejected, "%s", op.Reason), from which handoff.Reason reads it.
func Because(sentinel error, format string, args ...any) error {
	return fault.Because(sentinel, format, args...)
}

// Doubtful returns an error that is cause and ErrInDoubt at once: a send that
// ended because of cause while its value was in somebody else's hands.
func Doubtful(cause error) error { return fault.Doubtful(cause) }
